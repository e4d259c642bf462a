"""Listens to a verbatim relay of Chat chunks without slowing it: until there is content every event is parsed, afterwards
only those that hold a finish reason, usage or an error, found by a search of bytes.

JSON escapes quotes inside strings, so none of the searched words can stand in an answer's text.
"""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.failures import Failure
from anykey.conversation.parts import Json
from anykey.protocols.codec import TapReport
from anykey.protocols.openai_chat.dialect import Dialect
from anykey.protocols.openai_chat.errors import failure_in_answer
from anykey.protocols.openai_chat.parsed import is_object, objects_of
from anykey.protocols.openai_chat.response import REASONS
from anykey.protocols.openai_chat.spoken import said_in
from anykey.protocols.openai_chat.stream_encoding import DONE
from anykey.protocols.openai_chat.usage import count_usage, find_usage
from anykey.protocols.sse import EVENT_LIMIT
from anykey.protocols.tiers import tier_word

_CONTENT = ("content", "reasoning_content", "reasoning", "tool_calls", "refusal", "function_call", "reasoning_details")
_RARE_CONTENT = ("audio", "images", "annotations")
_MARK_USAGE, _MARK_USAGE_SPACED = b'"usage":{', b'"usage": {'
_MARK_FINISH, _MARK_FINISH_SPACED = b'finish_reason":"', b'finish_reason": "'
_MARK_ERROR, _MARK_ERROR_EVENT, _MARK_DONE = b'"error"', b"event: error", b"[DONE]"
_decode = msgspec.json.Decoder().decode


class StreamTap:
    """Hears one stream. With ``hide_usage`` whole events only are relayed, without the chunk that holds nothing but usage."""

    __slots__ = ("_dialect", "_done", "_hide", "_tail", "report")

    def __init__(self, dialect: Dialect, *, hide_usage: bool) -> None:
        self._dialect = dialect
        self._hide = hide_usage
        self._tail = b""
        self._done = False
        self.report = TapReport()

    def at_boundary(self) -> bool:
        """No event is half relayed."""
        return self._hide or not self._tail

    def feed(self, chunk: bytes) -> bytes:
        """The bytes to relay for ``chunk``."""
        tail = self._tail
        if not tail and chunk.endswith(b"\n\n"):
            whole = chunk
        else:
            buffer = tail + chunk
            end = _last_boundary(buffer)
            whole, self._tail = buffer[:end], buffer[end:]
            if not whole:
                return self._overflow() if self._hide else chunk
        self.report.said_bytes += said_in(whole)
        if not self.report.content or _is_marked(whole):
            hidden = self._listen(whole)
            if hidden is not None:
                return hidden
        return whole if self._hide else chunk

    def close(self) -> bytes:
        """What is still held back, and ``[DONE]`` if only that was missing."""
        tail, self._tail = self._tail, b""
        if tail.strip():
            self.report.said_bytes += said_in(tail)
            self._listen(tail)
        held = tail if self._hide else b""
        if not self.report.complete or self._done or self.report.failure is not None:
            return held
        return held + (b"\n\n" if tail else b"") + DONE

    def _overflow(self) -> bytes:
        """Give up listening to an event that grows without end rather than fill the memory."""
        if len(self._tail) <= EVENT_LIMIT:
            return b""
        held, self._tail, self._hide = self._tail, b"", False
        return held

    def _listen(self, whole: bytes) -> bytes | None:
        """Hear every event of ``whole``; its bytes without hidden events if there were any, else None."""
        kept: list[bytes] = []
        hidden = False
        for block in _blocks(whole):
            if self._hear(block):
                hidden = True
            else:
                kept.append(block)
        return b"".join(kept) if hidden else None

    def _hear(self, block: bytes) -> bool:
        """Note what one event says. True if it is to be hidden."""
        data = _data_of(block)
        if not data:
            return False
        if data == _MARK_DONE:
            self._done = True
            self.report.complete = self.report.content or self.report.finish is not None
            return False
        try:
            value = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        report = self.report
        failure = failure_in_answer(value)
        if failure is None and _MARK_ERROR_EVENT in block:
            failure = Failure("upstream_error", "The upstream reported an error in the stream.")
        if failure is not None:
            report.failure = failure
            return False
        return is_object(value) and self._note(value)

    def _note(self, value: Json) -> bool:
        report = self.report
        model: Any = value.get("model")
        if report.model is None and model and isinstance(model, str):
            report.model = model
        if "service_tier" in value:
            report.tier = tier_word(value["service_tier"]) or report.tier
        usage = count_usage(find_usage(value), self._dialect)
        if usage is not None:
            report.usage = usage
        entries = objects_of(value.get("choices"))
        for entry in entries:
            self._note_choice(entry)
        return self._hide and usage is not None and not entries and "choices" in value

    def _note_choice(self, choice: Json) -> None:
        report = self.report
        delta: Any = choice.get("delta")
        if not report.content and is_object(delta):
            report.content = any(delta.get(key) for key in (*_CONTENT, *_RARE_CONTENT))
        note_finish(report, choice.get("finish_reason"))


class WholeTap:
    """Hears one answer that comes whole: it is read at its end."""

    __slots__ = ("_dialect", "_pieces", "report")

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._pieces: list[bytes] = []
        self.report = TapReport()

    def at_boundary(self) -> bool:
        """A body has no place for a keep-alive."""
        return False

    def feed(self, chunk: bytes) -> bytes:
        """Relays ``chunk`` as it is."""
        self._pieces.append(chunk)
        return chunk

    def close(self) -> bytes:
        """Reads usage, finish, model or the error of the whole body."""
        pieces, self._pieces = self._pieces, []
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        report = self.report
        try:
            whole = _WHOLE.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return b""
        if whole.choices is None or whole.error is not None:
            report.failure = failure_in_answer(_decode(body))
            if whole.choices is None:
                return b""
        report.model = whole.model if isinstance(whole.model, str) else None
        report.usage = count_usage(whole.usage or _groq_usage(whole), self._dialect)
        report.tier = tier_word(whole.service_tier) if whole.service_tier else None
        report.content = report.complete = bool(whole.choices)
        for choice in whole.choices:
            note_finish(report, choice.finish_reason)
        return b""


class _WholeChoice(msgspec.Struct):
    finish_reason: Any = None


class _Whole(msgspec.Struct):
    """The few fields of a body that are read; the rest is skipped."""

    model: Any = None
    choices: list[_WholeChoice] | None = None
    usage: Any = None
    x_groq: Any = None
    service_tier: Any = None
    error: Any = None


_WHOLE = msgspec.json.Decoder(_Whole)


def _groq_usage(whole: _Whole) -> Any:
    return find_usage({"x_groq": whole.x_groq}) if whole.x_groq else None


def note_finish(report: TapReport, word: Any) -> None:
    """A finish reason was heard, in the neutral words."""
    if word and isinstance(word, str):
        report.complete = True
        report.finish = REASONS.get(word.lower(), "other")


def _is_marked(whole: bytes) -> bool:
    return (
        _MARK_FINISH in whole
        or _MARK_USAGE in whole
        or _MARK_ERROR in whole
        or _MARK_ERROR_EVENT in whole
        or _MARK_DONE in whole
        or _MARK_FINISH_SPACED in whole
        or _MARK_USAGE_SPACED in whole
    )


def _last_boundary(buffer: bytes) -> int:
    """Where the last whole event ends; 0 if none does."""
    end = buffer.rfind(b"\n\n") + 2
    if b"\r" in buffer:
        end = max(end, buffer.rfind(b"\r\n\r\n") + 4 if b"\r\n\r\n" in buffer else 0)
        end = max(end, buffer.rfind(b"\r\r") + 2 if b"\r\r" in buffer else 0)
    return end if end > 1 else 0


def _blocks(whole: bytes) -> list[bytes]:
    """Events with their blank lines, so that joined they are ``whole`` again."""
    separator = b"\n\n" if b"\n\n" in whole else b"\r\n\r\n" if b"\r\n\r\n" in whole else b"\r\r"
    blocks = [block + separator for block in whole.split(separator)]
    last = blocks.pop()[: -len(separator)]
    return [*blocks, last] if last else blocks


def _data_of(block: bytes) -> bytes:
    """The joined ``data`` lines of one event."""
    if block.startswith(b"data: ") and block.find(b"\n") >= len(block.rstrip()):
        return block[6:].strip()
    lines = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return b"\n".join(line[5:].strip() for line in lines if line.startswith(b"data:")).strip()
