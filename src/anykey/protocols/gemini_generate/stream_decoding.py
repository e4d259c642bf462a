"""A streamed answer, wire to neutral: server-sent chunks in, legal events out, whatever the cut.

A stream that begins like JSON is read as the array that ``streamGenerateContent`` answers with when nobody asked for events.
"""

from __future__ import annotations

import msgspec

from anykey.conversation import events as ev
from anykey.conversation.failures import Failure
from anykey.conversation.losses import Loss, LossLog
from anykey.protocols.gemini_generate.answer_decoding import AnswerDecoder
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.json_array import ObjectParser
from anykey.protocols.sse import BOM, EventTooLarge, SseParser

CUT_SHORT = "The upstream ended the stream before the answer was complete."
_DONE = b"[DONE]"
"""Google never writes it; some servers that imitate it do."""
_decode = msgspec.json.Decoder().decode


class StreamDecoder:
    """One answer's decoder: ``feed`` what comes, ``close`` when the upstream closed. It never raises. ``losses``: what had no
    place in the neutral stream."""

    def __init__(self, dialect: Dialect) -> None:
        del dialect  # answers are spelled alike everywhere
        log = LossLog("response")
        self.losses: list[Loss] = log.losses
        self._answer = AnswerDecoder(log)
        self._sse = SseParser()
        self._array: ObjectParser | None = None
        self._head: bytes | None = b""  # what came before it was known which of the two it is

    def feed(self, data: bytes) -> list[ev.StreamEvent]:
        """The events that ``data`` completes."""
        if not self._answer.over:
            try:
                for payload in self._split(data):
                    self._read(payload)
            except EventTooLarge as error:
                self._answer.break_off(Failure("upstream_error", f"The upstream's stream cannot be read: {error}."))
        return self._answer.take()

    def close(self) -> list[ev.StreamEvent]:
        """``Ended`` if the answer was complete, else ``Broke``; the last event may lack its blank line."""
        answer = self._answer
        if answer.over:
            return []
        tail = self._sse.feed(b"\n\n") if self._sse.pending() else []
        for record in tail:
            if not (answer.complete() and _is_cut(record.data)):
                self._read(record.data)
        if answer.complete():
            answer.end()
        else:
            answer.break_off(Failure("upstream_error", CUT_SHORT))
        return answer.take()

    def _split(self, data: bytes) -> list[bytes]:
        if self._head is not None:
            data = self._head + data
            first = data.removeprefix(BOM).lstrip()
            if not first or BOM.startswith(data):
                self._head = data
                return []
            self._head = None
            if first[:1] in b"[{":
                self._array = ObjectParser()
        if self._array is not None:
            return self._array.feed(data)
        return [record.data for record in self._sse.feed(data)]

    def _read(self, payload: bytes) -> None:
        if self._answer.over or payload == _DONE:
            return
        try:
            chunk = _decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            failure = Failure("upstream_error", "The upstream's stream holds an event that is not JSON.")
            self._answer.break_off(failure)
            return
        self._answer.read(chunk)


def _is_cut(payload: bytes) -> bool:
    """The last event before the end is not whole."""
    try:
        _decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return True
    return False
