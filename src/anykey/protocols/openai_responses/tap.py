"""Listens to a relayed answer: usage, finish, model and the first content, at the least cost per chunk.

Until content was heard every event is read; after that only what holds one of a few marks. In a text such a mark has escaped
quotes, so it cannot be mistaken.
"""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.failures import Failure
from anykey.conversation.parts import Json
from anykey.protocols.codec import TapReport
from anykey.protocols.openai_responses.dialect import Dialect
from anykey.protocols.openai_responses.errors import encode_stream_failure, failure_in_answer, failure_of_event
from anykey.protocols.openai_responses.output_items import is_client_call
from anykey.protocols.openai_responses.response import finish_of
from anykey.protocols.openai_responses.shapes import is_object, list_of
from anykey.protocols.openai_responses.spoken import said_in
from anykey.protocols.openai_responses.usage import count_usage
from anykey.protocols.sse import EVENT_LIMIT, EventTooLarge, SseEvent, SseParser
from anykey.protocols.tiers import tier_word

_COMPLETED, _INCOMPLETE, _FAILED = b'"response.completed"', b'"response.incomplete"', b'"response.failed"'
_ERROR, _ERROR_SPACED = b'"type":"error"', b'"type": "error"'
_ERROR_EVENT = b"event: error"
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, EventTooLarge)
_decode = msgspec.json.Decoder().decode


class StreamTap:
    """Hears one stream. What cannot be read is relayed all the same."""

    __slots__ = ("_id", "_is_bare", "_pieces", "report")

    def __init__(self, _: Dialect) -> None:
        self.report = TapReport()
        self._pieces: list[bytes] = []  # an event that is not complete
        self._id = ""
        self._is_bare = False

    def feed(self, chunk: bytes) -> bytes:
        """Relays ``chunk`` as it is; behind a bare ``error``, which Codex overlooks, the failed response that it stands for."""
        self._take(chunk)
        return chunk if self.report.failure is None else chunk + self._failed()

    def _take(self, chunk: bytes) -> None:
        if not self._pieces and chunk.endswith(b"\n\n"):
            self.report.said_bytes += said_in(chunk)
            if not self.report.content or _is_marked(chunk):
                self._listen(chunk)
            return
        self._pieces.append(chunk)
        data = b"".join(self._pieces)
        end = _last_boundary(data)
        if end:
            tail = data[end:]
            self._pieces = [tail] if tail else []
            self.report.said_bytes += said_in(data[:end])
            if not self.report.content or _is_marked(data):
                self._listen(data[:end])
        elif len(data) > EVENT_LIMIT:
            self._pieces.clear()
        else:
            self._pieces = [data]

    def at_boundary(self) -> bool:
        """No event is half relayed."""
        return not any(piece.strip(b"\r\n") for piece in self._pieces)

    def close(self) -> bytes:
        """The blank line that the last event lacks, if it was the terminal one or an error."""
        held = b"".join(self._pieces)
        whole = self.at_boundary()
        self._pieces.clear()
        if whole:
            return b""
        self.report.said_bytes += said_in(held)
        self._listen(held.rstrip(b"\r\n") + b"\n\n")
        if self.report.failure is not None:
            return b"\n\n" + self._failed()
        return b"\n\n" if self.report.complete else b""

    def _failed(self) -> bytes:
        """Told once, and not where the upstream tells it itself in the same breath."""
        failure = self.report.failure
        if failure is None or not self._is_bare:
            return b""
        self._is_bare = False
        return encode_stream_failure(failure, "", self._id)

    def _listen(self, data: bytes) -> None:
        try:
            for event in SseParser().feed(data):
                if not self.report.content or _is_marked(event.data) or event.name == b"error":
                    self._hear(event)
        except _UNREADABLE:
            pass

    def _hear(self, event: SseEvent) -> None:
        report = self.report
        try:
            value: Any = _decode(event.data)
        except _UNREADABLE:
            return
        if not is_object(value):
            return
        kind: Any = value.get("type") or event.name.decode("latin-1")
        response: Any = value.get("response")
        if is_object(response):
            self._note_head(response)
        if kind in ("response.completed", "response.incomplete"):
            if is_object(response):
                note_answer(report, response)
            report.complete = True
        elif kind in ("response.failed", "error"):
            report.failure = failure_of_event(response if is_object(response) else value)
            self._is_bare = kind == "error"
        elif not report.content:
            report.content = _is_content(str(kind), value)

    def _note_head(self, response: Json) -> None:
        model, identity = response.get("model"), response.get("id")
        self.report.model = model if isinstance(model, str) and model else self.report.model
        self._id = identity if isinstance(identity, str) else self._id
        self.report.tier = tier_word(response.get("service_tier")) or self.report.tier


class WholeTap:
    """Hears one answer that comes whole: it is read at its end."""

    __slots__ = ("_pieces", "report")

    def __init__(self, _: Dialect) -> None:
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
        try:
            value: Any = _decode(body)
        except _UNREADABLE:
            return b""
        failure: Failure | None = failure_in_answer(value)
        if failure is not None:
            self.report.failure = failure
        if is_object(value) and "output" in value:
            model = value.get("model")
            self.report.model = model if isinstance(model, str) else None
            note_answer(self.report, value)
            self.report.complete = failure is None
        return b""


def note_answer(report: TapReport, response: Json) -> None:
    """What a finished response says of itself, in the neutral words."""
    output = [item for item in list_of(response.get("output")) if is_object(item)]
    report.content = report.content or bool(output)
    report.usage = count_usage(response.get("usage"))
    report.tier = tier_word(response.get("service_tier")) or report.tier
    calls = any(is_client_call(item) for item in output)
    refused = any(
        is_object(part) and part.get("type") == "refusal"
        for item in output
        if item.get("type") == "message"
        for part in list_of(item.get("content"))
    )
    report.finish = finish_of(response, calls=calls, refused=refused).reason


def _is_content(kind: str, value: Json) -> bool:
    """Something that an answer is made of: text, arguments, an item that is no empty shell."""
    if kind.endswith(".delta"):
        return bool(value.get("delta"))
    if kind == "response.output_item.done":
        return True
    item: Any = value.get("item")
    shell = not is_object(item) or item.get("type") in ("message", "reasoning")
    return kind == "response.output_item.added" and not shell


def _is_marked(data: bytes) -> bool:
    return (
        _COMPLETED in data
        or _ERROR in data
        or _FAILED in data
        or _INCOMPLETE in data
        or _ERROR_EVENT in data
        or _ERROR_SPACED in data
    )


def _last_boundary(data: bytes) -> int:
    """Where the last whole event ends; 0 if none does."""
    end = data.rfind(b"\n\n") + 2
    if b"\r" in data:
        end = max(end, data.rfind(b"\r\n\r\n") + 4 if b"\r\n\r\n" in data else 0)
        end = max(end, data.rfind(b"\r\r") + 2 if b"\r\r" in data else 0)
    return end if end > 1 else 0
