"""What clients of Messages rely on.

A stream: each event's name is its ``type``; ``message_start``, then blocks one after another with a dense ``index``, each with
deltas of its own kind, then ``message_delta`` with the stop reason and the usage, then ``message_stop``; ``ping`` anywhere.
"""

from __future__ import annotations

from typing import Any

from anykey.conformance.laws.inspection import Inspection, parsed
from anykey.conversation.parts import Json
from anykey.protocols.sse import SseEvent

STOPS = (
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "refusal",
    "model_context_window_exceeded",
)
ERRORS = (
    "invalid_request_error",
    "authentication_error",
    "billing_error",
    "permission_error",
    "not_found_error",
    "conflict_error",
    "request_too_large",
    "rate_limit_error",
    "api_error",
    "timeout_error",
    "overloaded_error",
)
_DELTAS = {
    "text": ("text_delta", "citations_delta"),
    "thinking": ("thinking_delta", "signature_delta"),
    "tool_use": ("input_json_delta",),
    "server_tool_use": ("input_json_delta",),
}
"""Which deltas stand in a block; blocks of other types come whole."""


def check_answer(body: bytes) -> list[str]:
    """The breaches of a whole answer."""
    found = Inspection()
    value: Any = parsed(body)
    if not found.hold(isinstance(value, dict), "the answer is no JSON object"):
        return found.breaches
    _check_head(found, value, "")
    for place, block in found.objects(value, "content"):
        _check_block(found, block, place)
    _check_stop(found, value, "")
    usage = found.object(value, "usage")
    if usage:
        found.count(usage, "input_tokens", "usage.")
        found.count(usage, "output_tokens", "usage.")
    return found.breaches


def check_stream(records: list[SseEvent]) -> list[str]:
    """The breaches of a streamed answer."""
    found = Inspection()
    stream = _Stream(found)
    for place, record in enumerate(records):
        event = found.event(record, place)
        kind = event.get("type")
        found.hold(
            record.name.decode("latin-1") == kind, f"event {place} is named {record.name!r}, its type is {kind!r}"
        )
        if kind != "ping":
            stream.read(str(kind), event, f"event {place} ({kind}): ")
    found.hold(stream.stage == "over", "the stream has no message_stop at its end")
    return found.breaches


def check_failure(status: int, body: bytes) -> list[str]:
    """``{"type": "error", "error": {"type", "message"}}``."""
    found = Inspection()
    value: Any = parsed(body)
    if not found.hold(isinstance(value, dict), f"the body of HTTP {status} is no JSON object"):
        return found.breaches
    found.among(value, "type", ("error",))
    error = found.object(value, "error")
    if error:
        found.among(error, "type", ERRORS, "error.")
        found.text(error, "message", "error.")
    return found.breaches


def check_models(body: bytes) -> list[str]:
    """``{"data": [{"type": "model", "id", "display_name", "created_at"}], "has_more", "first_id", "last_id"}``."""
    found = Inspection()
    value: Any = parsed(body)
    if not found.hold(isinstance(value, dict), "the list is no JSON object"):
        return found.breaches
    found.hold(isinstance(value.get("has_more"), bool), "has_more is no boolean")
    for place, entry in found.objects(value, "data"):
        found.among(entry, "type", ("model",), place)
        for key in ("id", "display_name", "created_at"):
            found.text(entry, key, place)
    return found.breaches


class _Stream:
    """Where a stream stands: ``before`` message_start, ``in`` the message, ``after`` its message_delta, ``over``."""

    def __init__(self, found: Inspection) -> None:
        self.stage = "before"
        self._found = found
        self._blocks = 0
        self._open: Json | None = None
        self._arguments = ""

    def read(self, kind: str, event: Json, where: str) -> None:
        found = self._found
        match kind:
            case "message_start":
                found.hold(self.stage == "before", f"{where}there was one before")
                self.stage = "in"
                message = found.object(event, "message", where)
                _check_head(found, message, f"{where}message.")
                found.object(message, "usage", f"{where}message.")
            case "content_block_start" | "content_block_delta" | "content_block_stop":
                found.hold(self.stage == "in", f"{where}outside of the message")
                self._read_block(kind, event, where)
            case "message_delta":
                found.hold(self.stage == "in" and self._open is None, f"{where}a block is open, or no message")
                self.stage = "after"
                _check_stop(found, found.object(event, "delta", where), f"{where}delta.")
                found.count(found.object(event, "usage", where), "output_tokens", f"{where}usage.")
            case "message_stop":
                found.hold(self.stage == "after", f"{where}no message_delta came before it")
                self.stage = "over"
            case _:
                found.hold(False, f"{where}no such event is known")

    def _read_block(self, kind: str, event: Json, where: str) -> None:
        found = self._found
        index = found.count(event, "index", where)
        if kind == "content_block_start":
            found.hold(self._open is None, f"{where}the block before it is still open")
            found.hold(index == self._blocks, f"{where}index is {index}, not {self._blocks}")
            self._open = found.object(event, "content_block", where)
            self._arguments = ""
            _check_block(found, self._open, f"{where}content_block.")
            return
        if not found.hold(self._open is not None and index == self._blocks, f"{where}no block {index} is open"):
            return
        block = str((self._open or {}).get("type"))
        if kind == "content_block_delta":
            delta = found.object(event, "delta", where)
            found.among(delta, "type", _DELTAS.get(block, ()), f"{where}in a {block} block delta.")
            self._arguments += str(delta.get("partial_json") or "")
        else:
            if block in ("tool_use", "server_tool_use"):
                found.json_object(self._arguments or "{}", f"{where}the input of the call")
            self._open = None
            self._blocks += 1


def _check_head(found: Inspection, message: Json, where: str) -> None:
    found.text(message, "id", where)
    found.among(message, "type", ("message",), where)
    found.among(message, "role", ("assistant",), where)
    found.text(message, "model", where)


def _check_stop(found: Inspection, value: Json, where: str) -> None:
    found.among(value, "stop_reason", STOPS, where)
    found.hold("stop_sequence" in value, f"{where}stop_sequence is missing")


def _check_block(found: Inspection, block: Json, where: str) -> None:
    match found.text(block, "type", where):
        case "text":
            found.hold(isinstance(block.get("text"), str), f"{where}text is no text")
        case "thinking":
            found.hold(isinstance(block.get("thinking"), str), f"{where}thinking is no text")
            found.hold(isinstance(block.get("signature"), str), f"{where}signature is no text")
        case "redacted_thinking":
            found.text(block, "data", where)
        case "tool_use":
            found.text(block, "id", where)
            found.text(block, "name", where)
            found.object(block, "input", where)
        case _:
            pass
