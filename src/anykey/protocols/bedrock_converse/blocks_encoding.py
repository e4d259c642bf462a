"""Parts → content blocks of an upstream request. Each part becomes one block, or none with a Loss that says why; a cache hint
becomes a block of its own behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import (
    Json,
    MediaPart,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from anykey.protocols.bedrock_converse.cache import CacheWriter
from anykey.protocols.bedrock_converse.dialect import Dialect
from anykey.protocols.bedrock_converse.extras import NAME, report
from anykey.protocols.bedrock_converse.media_encoding import MediaWriter
from anykey.protocols.bedrock_converse.tool_ids import ToolIds
from anykey.protocols.bedrock_converse.tools_encoding import NAME_LIMIT
from anykey.protocols.names import sent_name

_Object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_IN_RESULTS = ("image", "document", "video")
"""The media that may stand in a tool's result."""


class BlockWriter:
    """Writes the blocks of one request: what must be known over all of it (ids, names, cache points) is kept here."""

    __slots__ = ("_ids", "_media", "_writers", "cache", "log", "made")

    def __init__(self, dialect: Dialect, log: LossLog) -> None:
        self.log = log
        self.cache = CacheWriter(dialect, log)
        self._ids = ToolIds()
        self._media = MediaWriter(log)
        self.made: list[Json] = []  # media of the assistant, waiting for the user who shows them
        self._writers: dict[type[Part], Callable[[Any, str], Json | None]] = {
            TextPart: self._text,
            ReasoningPart: self._reasoning,
            ToolCallPart: self._tool_call,
            ToolResultPart: self._tool_result,
            MediaPart: self._medium,
            RefusalPart: self._refusal,
            OpaquePart: self._opaque,
        }

    def blocks(self, parts: tuple[Part, ...], path: str, first: int = 0) -> list[Json]:
        """The blocks of a message or a system text that stands at ``path``; ``first`` numbers the first part."""
        written: list[Json] = []
        for position, part in enumerate(parts, first):
            where = f"{path}[{position}]"
            block = self._writers[type(part)](part, where)
            if block is None:
                continue
            written.append(block)
            hint = _hint_of(part)
            if hint is not None:
                self.cache.write(written, hint, where)
        return written

    def _text(self, part: TextPart, path: str) -> Json | None:
        if not part.text.strip():
            if part.text or part.cache or part.citations or part.extras:
                self.log.dropped(path, "a blank text may not be sent, nor what hangs on it")
            return None
        if part.citations:
            self.log.dropped(f"{path}.citations", "another protocol's citations have no form here")
        report(part.extras, path, self.log)
        return {"text": part.text}

    def _reasoning(self, part: ReasoningPart, path: str) -> Json | None:
        state = part.state
        if state is None or state.origin != NAME:
            why = "reasoning without a signature" if state is None else f"reasoning sealed by {state.origin}"
            self.log.dropped(path, f"{why} is refused by this protocol's models")
            return None
        report(part.extras, path, self.log)
        if not part.redacted:
            return {"reasoningContent": {"reasoningText": {"text": part.text, "signature": state.data}}}
        if part.text:
            self.log.dropped(f"{path}.text", "redacted reasoning has no text")
        return {"reasoningContent": {"redactedContent": state.data}}

    def _tool_call(self, part: ToolCallPart, path: str) -> Json | None:
        if part.kind == "hosted":
            self.log.dropped(path, "a call that another provider ran itself has no form here")
            return None
        call_id = self._ids.call(part.id)
        if call_id != part.id:
            self.log.approximated(f"{path}.id", f"sent as {call_id}: ids are plain and come once here")
        if part.kind == "legacy_function":
            self.log.approximated(f"{path}.kind", "sent as a tool call")
        report(part.extras, path, self.log)
        name = sent_name(part.name, NAME_LIMIT)
        return {"toolUse": {"toolUseId": call_id, "name": name, "input": self._input(part, path)}}

    def _input(self, part: ToolCallPart, path: str) -> Any:
        """The arguments, which must be an object; one keeps its spelling."""
        if not part.arguments.strip():
            return {}
        encoded = part.arguments.encode(errors="replace")
        try:
            _Object.decode(encoded)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.log.approximated(f"{path}.arguments", 'no JSON object, so sent as {"_raw": text}')
            return {"_raw": part.arguments}
        return msgspec.Raw(encoded)

    def _tool_result(self, part: ToolResultPart, path: str) -> Json:
        if part.name is not None:
            self.log.dropped(f"{path}.name", "a result is known by the id of its call")
        report(part.extras, path, self.log)
        content: list[Json] = []
        for position, inner in enumerate(part.content):
            where = f"{path}.content[{position}]"
            if isinstance(inner, MediaPart) and inner.kind not in _IN_RESULTS:
                self.log.dropped(where, f"a tool's result holds no {inner.kind} here")
                continue
            block = self._writers[type(inner)](inner, where)
            if block is not None:
                content.append(block)
                if inner.cache is not None:
                    self.log.dropped(f"{where}.cache", "no cache point may stand inside a tool's result")
        result: Json = {"toolUseId": self._ids.result(part.call_id), "content": content}
        if part.is_error:
            result["status"] = "error"
        return {"toolResult": result}

    def _medium(self, part: MediaPart, path: str) -> Json:
        return self._media.write(part, path)

    def _refusal(self, part: RefusalPart, path: str) -> Json | None:
        self.log.approximated(path, "a refusal stands as plain text here")
        report(part.extras, path, self.log)
        return {"text": part.text} if part.text.strip() else None

    def _opaque(self, part: OpaquePart, path: str) -> Json | None:
        if part.origin != NAME:
            self.log.dropped(path, f"a {part.kind} block is known to {part.origin} only")
            return None
        return part.value


def _hint_of(part: Part) -> Any:
    return None if isinstance(part, ReasoningPart | RefusalPart) else part.cache
