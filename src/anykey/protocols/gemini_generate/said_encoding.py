"""What the model said before, neutral → wire: text, thoughts, calls, and the signatures where Google put them.

A signature is the state of a ``ReasoningPart``; it goes back onto the part it stood on (``OpaqueState.place``), else onto the
next part that can hold it, else onto an empty text at the end of the content.
"""

from __future__ import annotations

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import (
    Json,
    MediaPart,
    OpaquePart,
    OpaqueState,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.extras import NAME, drop_extras, write_extras
from anykey.protocols.gemini_generate.media_encoding import MediaWriter
from anykey.protocols.gemini_generate.parts_encoding import encode_call, encode_text, encode_thought, sign
from anykey.protocols.gemini_generate.texts_encoding import drop_mark, write_text
from anykey.protocols.names import sent_name

SENTINEL = "skip_thought_signature_validator"
"""Google's documented word for a call whose signature is not to be had; answers are worse for it, but there are any."""


class SaidWriter:
    """Writes the parts of assistants' messages. ``names``: the tools of all calls written so far, as sent, by id."""

    __slots__ = ("_call_path", "_dialect", "_log", "_media", "_waiting", "names")

    def __init__(self, dialect: Dialect, log: LossLog) -> None:
        self._dialect = dialect
        self._log = log
        self._media = MediaWriter(dialect, log)
        self._waiting: OpaqueState | None = None  # a signature whose part has not come
        self._call_path: str | None = None  # the first call of the content being written
        self.names: dict[str, str] = {}

    def write(self, target: list[Json], parts: tuple[Part, ...], path: str) -> None:
        """Append ``parts`` to a content; ``close`` ends it."""
        for index, part in enumerate(parts):
            self._write(target, part, f"{path}[{index}]")

    def close(self, target: list[Json]) -> None:
        """The content is complete: place the last signature, and the sentinel where one is demanded and missing."""
        self._release(target)
        path, self._call_path = self._call_path, None
        if path is None or self._dialect.thought_signatures != "required":
            return
        first = next(entry for entry in target if "functionCall" in entry)
        if "thoughtSignature" not in first:
            sign(first, SENTINEL)
            self._log.approximated(
                path, "its thought signature is not to be had, so it is sent with the word that stands for one"
            )

    def _write(self, target: list[Json], part: Part, path: str) -> None:
        match part:
            case TextPart():
                entry = write_text(part, path, self._log)
                self._append(target, entry, "text")
            case ToolCallPart():
                self._call(target, part, path)
            case ReasoningPart():
                self._reasoning(target, part, path)
            case MediaPart():
                self._append(target, self._media.write(part, path), "media")
            case RefusalPart():
                self._log.approximated(path, "a refusal stands as plain text here")
                drop_extras(part.extras, path, self._log)
                self._append(target, encode_text(part.text) if part.text else None, "text")
            case OpaquePart(origin=origin) if origin == NAME:
                target.append(part.value)
            case _:
                kind = part.kind if isinstance(part, OpaquePart) else "tool result"
                self._log.dropped(path, f"a {kind} block has no form here")

    def _append(self, target: list[Json], entry: Json | None, place: str) -> None:
        if entry is None:
            return
        waiting = self._waiting
        if waiting is not None and waiting.place in ("", place):
            sign(entry, waiting.data)
            self._waiting = None
        target.append(entry)

    def _call(self, target: list[Json], part: ToolCallPart, path: str) -> None:
        if part.kind == "hosted":
            self._log.dropped(path, f"the call of {part.name} was run by its own provider")
            return
        name = sent_name(part.name)
        if name != part.name:
            self._log.emulated(f"{path}.name", f"sent as {name}; the caller sees its own name")
        entry, exact = encode_call(part, name, with_id=self._dialect.call_ids)
        if not exact:
            self._log.approximated(f"{path}.arguments", 'no JSON object, so sent as {"_raw": text}')
        if part.id and not self._dialect.call_ids:
            self._log.emulated(f"{path}.id", "calls and results are matched by name and order here")
        self.names[part.id] = name
        self._call_path = self._call_path or path
        drop_mark(part.cache, path, self._log)
        if part.extras:
            write_extras(entry, part.extras, path, self._log)
        self._append(target, entry, "call")

    def _reasoning(self, target: list[Json], part: ReasoningPart, path: str) -> None:
        state = part.state
        if state is None or state.origin != NAME:
            why = "thoughts without a signature" if state is None else f"thoughts sealed by {state.origin}"
            self._log.dropped(path, f"{why} are not sent back to this protocol's models")
            return
        self._release(target)
        if part.redacted and part.text:
            self._log.dropped(f"{path}.text", "redacted thoughts have no text")
        elif not part.redacted:
            thought = encode_thought(part.text)
            write_extras(thought, part.extras, path, self._log)
            target.append(thought)
            if state.place == "thought":
                sign(thought, state.data)
                return
        if part.redacted:
            drop_extras(part.extras, path, self._log)
        self._waiting = state
        if state.place == "end":
            self._release(target)

    def _release(self, target: list[Json]) -> None:
        """A signature whose part does not come stands alone."""
        if self._waiting is not None:
            target.append(sign(encode_text(""), self._waiting.data))
            self._waiting = None
