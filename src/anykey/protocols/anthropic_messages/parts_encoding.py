"""Parts → content blocks of an upstream request. Each part becomes one block, or none with a Loss that says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import (
    Extras,
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
from anykey.protocols.anthropic_messages.cache import CacheWriter
from anykey.protocols.anthropic_messages.dialect import Dialect
from anykey.protocols.anthropic_messages.extras import NAME, put, report_foreign
from anykey.protocols.anthropic_messages.hosted import own_call
from anykey.protocols.anthropic_messages.media_encoding import encode_medium
from anykey.protocols.anthropic_messages.tool_ids import ToolIds
from anykey.protocols.anthropic_messages.tools import NAME_LIMIT
from anykey.protocols.names import sent_name

_Object = msgspec.json.Decoder(dict[str, msgspec.Raw])


class BlockWriter:
    """Writes the blocks of one request: what must be known over all of it (ids, cache breakpoints) is kept here."""

    __slots__ = ("_dialect", "_ids", "_writers", "cache", "log", "made")

    def __init__(self, dialect: Dialect, log: LossLog) -> None:
        self.log = log
        self.cache = CacheWriter(log, enabled=dialect.cache_control)
        self._dialect = dialect
        self._ids = ToolIds()
        self.made: list[Json] = []  # pictures of the assistant, waiting for the user who shows them
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
        """The blocks of a message, a system text or a tool result that stands at ``path``; ``first`` numbers the first part."""
        written: list[Json] = []
        writers = self._writers
        for position, part in enumerate(parts, first):
            if type(part) is TextPart and part.text and not (part.cache or part.citations or part.extras):
                written.append({"type": "text", "text": part.text})
                continue
            block = writers[type(part)](part, f"{path}[{position}]")
            if block is not None:
                written.append(block)
        return written

    def _finish(self, block: Json, part: Any, path: str) -> Json:
        if part.cache is not None:
            self.cache.write(block, part.cache, path)
        if part.extras:
            put(block, part.extras, path, self.log)
        return block

    def _text(self, part: TextPart, path: str) -> Json | None:
        if not part.text:
            if part.cache or part.citations or part.extras:
                self.log.dropped(path, "an empty text block may not be sent, nor what hangs on it")
            return None
        block: Json = {"type": "text", "text": part.text}
        own = [citation.raw for citation in part.citations if citation.origin == NAME]
        if own:
            block["citations"] = own
        if len(own) < len(part.citations):
            self.log.dropped(f"{path}.citations", "another protocol's citations have no form here")
        return self._finish(block, part, path)

    def _reasoning(self, part: ReasoningPart, path: str) -> Json | None:
        state = part.state
        if state is None or state.origin != NAME:
            why = "reasoning without a signature" if state is None else f"reasoning sealed by {state.origin}"
            self.log.dropped(path, f"{why} is refused by this protocol's upstreams")
            return None
        block: Json = {"type": "redacted_thinking", "data": state.data}
        if not part.redacted:
            block = {"type": "thinking", "thinking": part.text, "signature": state.data}
        elif part.text:
            self.log.dropped(f"{path}.text", "redacted thinking has no text")
        if part.extras:
            put(block, part.extras, path, self.log)
        return block

    def _tool_call(self, part: ToolCallPart, path: str) -> Json | None:
        if part.kind == "hosted":
            return self._hosted_call(part, path)
        call_id = self._ids.call(part.id)
        if call_id != part.id:
            self.log.approximated(f"{path}.id", f"sent as {call_id}: ids are plain and come once here")
        if part.kind == "custom":
            self.log.emulated(path, 'the text stands as {"input": text}')
        elif part.kind == "legacy_function":
            self.log.approximated(f"{path}.kind", "sent as a tool call")
        name = sent_name(part.name, NAME_LIMIT)
        block: Json = {"type": "tool_use", "id": call_id, "name": name, "input": self._input(part, path)}
        return self._finish(block, part, path)

    def _hosted_call(self, part: ToolCallPart, path: str) -> Json | None:
        """A call that the provider ran; only its own protocol can tell it again, together with its result."""
        if NAME not in part.extras:
            self.log.dropped(path, "a call that another provider ran itself has no form here")
            return None
        return self._finish(own_call(part), part, path)

    def _input(self, part: ToolCallPart, path: str) -> Any:
        value, legal = tool_input(part)
        if not legal:
            self.log.approximated(f"{path}.arguments", 'no JSON object, so sent as {"_raw": text}')
        return value

    def _tool_result(self, part: ToolResultPart, path: str) -> Json:
        if part.name is not None:
            self.log.dropped(f"{path}.name", "a result is known by the id of its call")
        call_id = self._ids.result(part.call_id)
        block: Json = {"type": "tool_result", "tool_use_id": call_id}
        content = shorten(self.blocks(part.content, f"{path}.content"))
        if content:
            block["content"] = content
        if part.is_error:
            block["is_error"] = True
        return self._finish(block, part, path)

    def _medium(self, part: MediaPart, path: str) -> Json | None:
        block = encode_medium(part, path, self._dialect, self.log)
        if block is not None and part.cache is not None:
            self.cache.write(block, part.cache, path)
        return block

    def _refusal(self, part: RefusalPart, path: str) -> Json | None:
        self.log.approximated(path, "a refusal stands as plain text here")
        report_foreign(part.extras, path, self.log)
        return {"type": "text", "text": part.text} if part.text else None

    def _opaque(self, part: OpaquePart, path: str) -> Json | None:
        if part.origin != NAME:
            self.log.dropped(path, f"a {part.kind} block is known to {part.origin} only")
            return None
        block = dict(part.value)
        if part.cache is not None:
            self.cache.write(block, part.cache, path)
        return block


def tool_input(part: ToolCallPart) -> tuple[Any, bool]:
    """The ``input`` of a call, and whether its text could be sent as it is. A JSON object keeps its spelling."""
    text = part.arguments
    if part.kind == "custom":
        return {"input": text}, True
    if not text.strip():
        return {}, True
    encoded = text.encode(errors="replace")
    try:
        _Object.decode(encoded)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {"_raw": text}, False
    return msgspec.Raw(encoded), True


def shorten(blocks: list[Json]) -> list[Json] | str:
    """One plain text block as a string, which every compatible server takes."""
    if len(blocks) == 1 and len(blocks[0]) == 2 and blocks[0]["type"] == "text":
        return blocks[0]["text"]
    return blocks


def own_extras(extras: Extras) -> Json:
    """The keys of ``extras`` that are this protocol's."""
    return extras.get(NAME, {}) if extras else {}
