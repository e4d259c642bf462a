"""Errors, both ways: whatever an upstream answers becomes a Failure; a Failure becomes this protocol's error object."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from anykey.conversation.failures import Failure, FailureKind
from anykey.conversation.parts import Json
from anykey.protocols.anthropic_messages.shapes import is_array, is_object
from anykey.protocols.codec import Headers, HttpReply, header
from anykey.protocols.http_errors import ACCOUNT_FAULTS, account_fault, refusal_headers, retry_after

_BY_STATUS: dict[int, FailureKind] = {
    400: "invalid_request",
    401: "upstream_refused_credential",
    402: "upstream_refused_credential",
    403: "upstream_refused_credential",
    404: "not_found",
    405: "invalid_request",
    408: "upstream_timeout",
    409: "conflict",
    413: "too_large",
    422: "invalid_request",
    429: "rate_limited",
    503: "unavailable",
    504: "upstream_timeout",
    529: "overloaded",
}
_BY_TYPE: dict[str, FailureKind] = {
    "invalid_request_error": "invalid_request",
    "authentication_error": "upstream_refused_credential",
    "billing_error": "upstream_refused_credential",
    "permission_error": "upstream_refused_credential",
    "not_found_error": "not_found",
    "model_not_found": "model_not_found",
    "conflict_error": "conflict",
    "request_too_large": "too_large",
    "rate_limit_error": "rate_limited",
    "rate_limit_exceeded": "rate_limited",
    "insufficient_quota": "quota_exhausted",
    "api_error": "upstream_error",
    "timeout_error": "upstream_timeout",
    "overloaded_error": "overloaded",
}
_OVERFLOW = (
    "prompt is too long",
    "context_length_exceeded",
    "maximum context length",
    "exceed context limit",
    "context window",
    "exceed_context_size",
    "too_many_prompt_tokens",
    "input is too long",
)
_BLOCKED = ("content_filter", "content_policy", "content management policy", "data_inspection_failed")
_QUOTA = ("insufficient_quota", "exceeded your current quota", "credit balance is too low")

_REPLIES: dict[FailureKind, tuple[int, str]] = {
    "invalid_request": (400, "invalid_request_error"),
    "context_too_long": (400, "invalid_request_error"),
    "content_blocked": (400, "invalid_request_error"),
    "authentication": (401, "authentication_error"),
    "payment_required": (402, "billing_error"),
    "permission": (403, "permission_error"),
    "not_found": (404, "not_found_error"),
    "model_not_found": (404, "not_found_error"),
    "method_not_allowed": (405, "invalid_request_error"),
    "request_timeout": (408, "timeout_error"),
    "conflict": (409, "conflict_error"),
    "too_large": (413, "request_too_large"),
    "unprocessable": (422, "invalid_request_error"),
    "rate_limited": (429, "rate_limit_error"),
    "quota_exhausted": (429, "rate_limit_error"),
    "client_gone": (499, "api_error"),
    "internal": (500, "api_error"),
    "upstream_error": (502, "api_error"),
    "upstream_refused_credential": (502, "api_error"),
    "unavailable": (503, "api_error"),
    "upstream_timeout": (504, "timeout_error"),
    "overloaded": (529, "overloaded_error"),
}
_PERMANENT: frozenset[FailureKind] = frozenset(
    {
        "authentication",
        "payment_required",
        "permission",
        "not_found",
        "model_not_found",
        "method_not_allowed",
        "unprocessable",
        "quota_exhausted",
        "upstream_refused_credential",
    }
)
"""What a client would only repeat in vain; Claude Code repeats a 401 for three minutes unless it is told."""


class _Said(NamedTuple):
    """What an error body says, whatever its shape."""

    message: str = ""
    type: str = ""
    code: str = ""
    param: str | None = None
    detail: Json | None = None


def decode_failure(status: int, headers: Headers, body: bytes) -> Failure:
    """An upstream's error: the object of any provider, a text, a page or nothing. The content type is not believed."""
    said = _read(body)
    kind = _kind(status, said)
    hidden = account_fault(kind, status)
    message = hidden or said.message or f"The provider answered HTTP {status} without saying why."
    wish = header(headers, b"x-should-retry")
    return Failure(
        kind,
        message,
        param=None if hidden else said.param,
        code=None if hidden else said.code or None,
        retry_after_s=retry_after(headers, said.detail) if status >= 400 or status == 200 else None,
        upstream_status=status,
        should_retry={b"true": True, b"false": False}.get(wish or b""),
        detail=said.detail,
    )


def failure_of_event(value: Json) -> Failure:
    """The error event of a stream, whose HTTP status was a success."""
    said = _said(value)
    kind = _kind(200, said)
    wait_s = retry_after((), said.detail)
    hidden = account_fault(kind, None)
    if hidden is not None:
        return Failure(kind, hidden, retry_after_s=wait_s, upstream_status=200, detail=said.detail)
    message = said.message or "The provider broke off the answer without saying why."
    return Failure(kind, message, said.param, said.code or None, wait_s, 200, detail=said.detail)


def _read(body: bytes) -> _Said:
    try:
        value: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = body[:2000].decode(errors="replace").strip()
        if text.startswith("<"):
            return _Said("The provider answered with a web page instead of an answer.")
        return _Said(text)
    return _said(value)


def _said(value: Any) -> _Said:
    if is_array(value) and value:
        return _said(value[0])
    if isinstance(value, str):
        return _Said(value)
    if not is_object(value):
        return _Said()
    outer: Json = value
    error = outer.get("error", outer.get("detail"))
    if is_object(error):
        return _said_by_object(error)
    if isinstance(error, str):
        return _Said(error, "", _word(outer.get("code")), None, outer)
    if is_array(error):  # a validation server's list of faults
        return _Said(msgspec.json.encode(error).decode(), detail=outer)
    return _said_by_object(outer)


def _said_by_object(error: Json) -> _Said:
    message = error.get("message")
    if not isinstance(message, str):
        message = "" if message is None else msgspec.json.encode(message).decode()
    param = error.get("param")
    kind = _word(error.get("type")) or _word(error.get("status"))
    return _Said(message, kind, _word(error.get("code")), param if isinstance(param, str) else None, error)


def _word(value: Any) -> str:
    """A code, which some providers write as a number that repeats the HTTP status: that says nothing."""
    return value if isinstance(value, str) else ""


def _kind(status: int, said: _Said) -> FailureKind:
    text = f"{said.code} {said.type} {said.message}".lower()
    if status in (200, 400, 413, 422) and any(mark in text for mark in _OVERFLOW):
        return "context_too_long"
    if status in (200, 400, 429) and any(mark in text for mark in _QUOTA):
        return "quota_exhausted"
    if status in (200, 400, 422) and any(mark in text for mark in _BLOCKED):
        return "content_blocked"
    if status == 200:
        return _BY_TYPE.get(said.code) or _BY_TYPE.get(said.type) or "upstream_error"
    if status == 400 and said.type == "authentication_error":
        return "upstream_refused_credential"
    kind = _BY_STATUS.get(status)
    if kind == "not_found" and "model" in text:
        return "model_not_found"
    if kind == "unavailable" and "overloaded" in text:
        return "overloaded"
    if kind is not None:
        return kind
    return "invalid_request" if 400 < status < 500 else "upstream_error"


def encode_failure(failure: Failure, request_id: str) -> HttpReply:
    """Status, headers and body for a client of this protocol."""
    status, _ = _REPLIES[failure.kind]
    headers = refusal_headers(failure, b"request-id", request_id, permanent=failure.kind in _PERMANENT)
    return HttpReply(status, headers, _error_body(failure, request_id))


def encode_stream_failure(failure: Failure, request_id: str | None) -> bytes:
    """The event that ends a broken stream; nothing follows it."""
    return b"event: error\ndata: " + _error_body(failure, request_id) + b"\n\n"


def _error_body(failure: Failure, request_id: str | None) -> bytes:
    error: Json = {"type": _REPLIES[failure.kind][1], "message": _message(failure)}
    details = (failure.detail or {}).get("details")
    if is_object(details) and failure.kind not in ACCOUNT_FAULTS:
        error["details"] = details
    return msgspec.json.encode({"type": "error", "error": error, "request_id": request_id})


def _message(failure: Failure) -> str:
    """The message, in the words by which clients know an overflow."""
    if failure.kind == "context_too_long" and "prompt is too long" not in failure.message:
        return f"{failure.message} (prompt is too long)"
    return failure.message
