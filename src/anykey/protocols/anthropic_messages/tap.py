"""Listens to a relayed answer: usage, finish, model and the first content, at the least cost per chunk.

Until content was heard every event is read. After that only what can hold the end of the answer is: a chunk without one of a
few marks is put aside unread. In text such a mark has escaped quotes, so it cannot be mistaken.
"""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.failures import Failure
from anykey.conversation.parts import Json
from anykey.protocols.anthropic_messages.errors import decode_failure, failure_of_event
from anykey.protocols.anthropic_messages.finish import decode_finish
from anykey.protocols.anthropic_messages.shapes import is_object
from anykey.protocols.anthropic_messages.spoken import said_in
from anykey.protocols.anthropic_messages.stream_encoding import STOP
from anykey.protocols.anthropic_messages.usage import decode_usage
from anykey.protocols.codec import TapReport
from anykey.protocols.sse import EVENT_LIMIT, EventTooLarge, SseEvent, SseParser
from anykey.protocols.tiers import tier_in

_MARKS = (b'"usage"', b'"stop_reason"', b'"error"', b'"message_stop"', b"event: error")
_FILLED = ("text", "thinking", "partial_json", "signature", "citation", "content")
_LIFECYCLE = frozenset({"text", "thinking"})
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, EventTooLarge)


class StreamTap:
    """Implements ``protocols.codec.Tap`` for a stream. What cannot be read is relayed all the same."""

    __slots__ = ("_called", "_pieces", "_stopped", "_usage", "report")

    def __init__(self) -> None:
        self.report = TapReport()
        self._pieces: list[bytes] = []  # an event that is not complete
        self._usage: Json = {}
        self._called = False
        self._stopped = False

    def feed(self, chunk: bytes) -> bytes:
        if b"\n" not in chunk and b"\r" not in chunk:
            self._pieces.append(chunk)
            return chunk
        data = chunk
        if self._pieces:
            data = b"".join(self._pieces) + chunk
            self._pieces.clear()
        carry = b""
        if b"\r" in data:
            if data.endswith(b"\r"):  # half of a line end, perhaps
                data, carry = data[:-1], b"\r"
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        end = data.rfind(b"\n\n")
        tail = data[end + 2 :] + carry if end >= 0 else data + carry
        if tail and len(tail) <= EVENT_LIMIT:
            self._pieces.append(tail)
        if end >= 0:
            whole = data[: end + 2]
            self.report.said_bytes += said_in(whole)
            if not self.report.content or any(mark in whole for mark in _MARKS):
                self._listen(whole)
        return chunk

    def at_boundary(self) -> bool:
        return not any(piece.strip(b"\r\n") for piece in self._pieces)

    def close(self) -> bytes:
        held = b"".join(self._pieces).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        whole = self.at_boundary()
        self._pieces.clear()
        if not whole:
            self.report.said_bytes += said_in(held)
            self._listen(held.rstrip(b"\n") + b"\n\n")
        if not self.report.complete or self.report.failure is not None:
            return b""
        ending = b"" if whole else b"\n\n"
        return ending if self._stopped else ending + STOP

    def _listen(self, data: bytes) -> None:
        try:
            for event in SseParser().feed(data):
                self._hear(event)
        except _UNREADABLE:
            pass

    def _hear(self, event: SseEvent) -> None:
        report = self.report
        data = event.data
        if report.content and not any(mark in data for mark in _MARKS) and event.name != b"error":
            return
        value: Any = msgspec.json.decode(data)
        if not is_object(value):
            return
        record: Json = value
        match record.get("type"):
            case "message_start":
                self._hear_start(record.get("message"))
            case "content_block_start" | "content_block_delta":
                self._hear_content(record)
            case "message_delta":
                self._hear_end(record)
            case "message_stop":
                report.complete = self._stopped = True
            case "ping" | "content_block_stop":
                pass
            case _ if event.name == b"error" or record.get("error"):
                report.failure = failure_of_event(record)
            case _:
                pass

    def _hear_start(self, message: Any) -> None:
        if is_object(message):
            model = message.get("model")
            self.report.model = model if isinstance(model, str) else None
            self._note_usage(message.get("usage"))
            self.report.early_usage = True
            self.report.content = bool(message.get("content"))

    def _hear_content(self, record: Json) -> None:
        block = record.get("content_block") or record.get("delta")
        if not is_object(block):
            return
        found: Json = block
        if "content_block" in record and found.get("type") not in _LIFECYCLE:
            self._called |= found.get("type") == "tool_use"
            self.report.content = True
        elif any(found.get(key) for key in _FILLED):
            self.report.content = True

    def _hear_end(self, record: Json) -> None:
        delta = record.get("delta")
        ending: Json = delta if is_object(delta) else {}
        told = record.get("usage")
        self._note_usage(told)
        if is_object(told) and told.get("output_tokens") is not None:
            self.report.early_usage = False
        if ending.get("stop_reason") is not None:
            finish, _ = decode_finish(ending["stop_reason"], None, None, called=self._called)
            self.report.finish = finish.reason
            self.report.complete = True

    def _note_usage(self, value: Any) -> None:
        if is_object(value):
            self._usage |= {key: item for key, item in value.items() if item is not None}
            self.report.usage = decode_usage(self._usage)
            self.report.tier = tier_in(self._usage)


class _Answer(msgspec.Struct):
    """What a whole answer tells; the content itself is not parsed."""

    type: str | None = None
    model: str | None = None
    content: list[msgspec.Raw] | None = None
    stop_reason: str | None = None
    usage: dict[str, Any] | None = None
    error: Any = None


_answer_decoder = msgspec.json.Decoder(_Answer)


class WholeTap:
    """Implements ``protocols.codec.Tap`` for an answer that is not a stream: everything is known at ``close``."""

    __slots__ = ("_pieces", "report")

    def __init__(self) -> None:
        self.report = TapReport()
        self._pieces: list[bytes] = []

    def feed(self, chunk: bytes) -> bytes:
        self._pieces.append(chunk)
        return chunk

    def at_boundary(self) -> bool:
        return False

    def close(self) -> bytes:
        body = b"".join(self._pieces)
        self._pieces.clear()
        report = self.report
        try:
            answer = _answer_decoder.decode(body)
        except _UNREADABLE:
            report.failure = Failure("upstream_error", "The provider sent an answer that cannot be read.")
            return b""
        if answer.type == "error" or answer.error is not None:
            report.failure = decode_failure(200, (), body)
            return b""
        if answer.content is None:  # a document, but no message
            return b""
        report.model = answer.model
        report.usage = decode_usage(answer.usage)
        report.tier = tier_in(answer.usage) if answer.usage else None
        report.content = bool(answer.content)
        report.complete = True
        if answer.stop_reason is not None:
            called = any(b'"tool_use"' in bytes(block) for block in answer.content or ())
            report.finish = decode_finish(answer.stop_reason, None, None, called=called)[0].reason
        return b""
