"""Listens to a verbatim relay of chunks without slowing it.

Until there is content every chunk is parsed; afterwards those that hold a finish reason or an error, found by a search of bytes.
Every chunk repeats the usage so far: it is read now and then, and at the end of what came. JSON escapes quotes inside strings,
so none of the searched words can stand in an answer's text.
"""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.parts import Json
from anykey.protocols.codec import TapReport
from anykey.protocols.gemini_generate.answer_decoding import USAGE_EVERY
from anykey.protocols.gemini_generate.errors import failure_in_answer
from anykey.protocols.gemini_generate.finish import REASONS, finish_word
from anykey.protocols.gemini_generate.json_array import ObjectParser
from anykey.protocols.gemini_generate.spelling import is_array, is_object
from anykey.protocols.gemini_generate.spoken import said_in, said_in_chunk
from anykey.protocols.gemini_generate.usage import count_usage
from anykey.protocols.sse import EventTooLarge, SseParser
from anykey.protocols.tiers import tier_in

_FINISH, _ERROR = b'"finishReason"', b'"error"'
_ENDS = (b"\r\n\r\n", b"\n\n")
_decode = msgspec.json.Decoder().decode


class StreamTap:
    """Hears one stream, of server-sent events or of a JSON array; relays every byte as it comes."""

    __slots__ = ("_array", "_begun", "_kept", "_skipped", "_sse", "_whole", "report")

    def __init__(self) -> None:
        self.report = TapReport()
        self._sse = SseParser()
        self._array: ObjectParser | None = None
        self._begun = False
        self._whole = True  # what came so far ends with an event
        self._kept = b""  # the last event that was not parsed
        self._skipped = 0

    def at_boundary(self) -> bool:
        """No event is half relayed, and a keep-alive may stand here."""
        return self._whole and self._array is None

    def feed(self, chunk: bytes) -> bytes:
        """Relays ``chunk`` as it is."""
        if self._whole and self.report.content and self._array is None and chunk.endswith(_ENDS):
            self.report.said_bytes += said_in(chunk)
            if _FINISH in chunk or _ERROR in chunk:
                self._listen(chunk)
            else:
                self._kept = chunk
                self._skipped += 1
                if self._skipped % USAGE_EVERY == 0:
                    self._listen(chunk)
            return chunk
        self._listen(chunk, count=True)
        if chunk:
            self._whole = not (self._sse.pending() or chunk.endswith(b"\r"))  # its line feed has not come yet
        return chunk

    def close(self) -> bytes:
        """Hears the usage of the last chunks; nothing has to be added to them."""
        if self._kept:
            self._listen(b"")
        if self._sse.pending():
            self._listen(b"\n\n", count=True)
        return b""

    def _listen(self, data: bytes, *, count: bool = False) -> None:
        """Parse ``data``, and before it the event that was kept unless ``data`` is it. ``count``: nobody has counted it yet."""
        kept, self._kept = self._kept, b""
        if kept and kept is not data:
            self._split(kept, count=False)
        self._split(data, count=count)

    def _split(self, data: bytes, *, count: bool) -> None:
        if not self._begun and data.strip():
            self._begun = True
            if data.lstrip()[:1] in b"[{":
                self._array = ObjectParser()
        try:
            array, sse = self._array, self._sse
            payloads = [record.data for record in sse.feed(data)] if array is None else array.feed(data)
        except EventTooLarge:
            return
        for payload in payloads:
            if count:
                self.report.said_bytes += said_in_chunk(payload)
            note_chunk(self.report, payload)


class WholeTap:
    """Hears one answer that comes whole: it is read at its end."""

    __slots__ = ("_pieces", "report")

    def __init__(self) -> None:
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
        body, self._pieces = b"".join(self._pieces), []
        report = self.report
        note_chunk(report, body)
        if report.content and report.failure is None:
            report.complete = True  # a whole answer may leave its finish reason out
        return b""


class _Candidate(msgspec.Struct):
    content: Any = None
    finishReason: Any = None  # noqa: N815 - the wire's spelling


class _Chunk(msgspec.Struct):
    """The few fields that are read; the rest is skipped."""

    candidates: list[_Candidate] | None = None
    modelVersion: Any = None  # noqa: N815 - the wire's spelling
    usageMetadata: Any = None  # noqa: N815 - the wire's spelling
    promptFeedback: Any = None  # noqa: N815 - the wire's spelling
    error: Any = None


_CHUNK = msgspec.json.Decoder(_Chunk)


def note_chunk(report: TapReport, payload: bytes) -> None:
    """Hear one chunk."""
    try:
        chunk = _CHUNK.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    if chunk.error:
        report.failure = failure_in_answer(_decode(payload))
        return
    if report.model is None and chunk.modelVersion and isinstance(chunk.modelVersion, str):
        report.model = chunk.modelVersion
    counted: Any = chunk.usageMetadata
    usage = count_usage(counted)
    if usage is not None:
        report.usage = usage
        report.tier = tier_in(counted) or report.tier
    for candidate in chunk.candidates or ():
        _note_candidate(report, candidate)
    feedback: Any = chunk.promptFeedback
    if not chunk.candidates and is_object(feedback) and feedback.get("blockReason"):
        report.complete, report.finish = True, "content_filter"


def _note_candidate(report: TapReport, candidate: _Candidate) -> None:
    parts: Any = candidate.content.get("parts") if is_object(candidate.content) else None
    called = False
    for part in parts if is_array(parts) else ():
        if is_object(part):
            report.content = report.content or _says_something(part)
            called = called or "functionCall" in part
    word = finish_word(candidate.finishReason)
    if word is None:
        return
    report.complete = True
    report.finish = REASONS.get(word, "other")
    if called and report.finish == "stop":
        report.finish = "tool_calls"


def _says_something(part: Json) -> bool:
    return any(value and key != "thought" for key, value in part.items())
