"""Errors, both ways: what Google's servers say when they refuse, and what a Gemini client is told.

The shape is ``{"error": {code, message, status, details}}``, in an array where a stream was asked for without ``alt=sse``. A
wrong key comes as 400 and is told by the reason in its details; how long to wait stands in a ``RetryInfo``, which Gemini's
clients read instead of the header.
"""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import msgspec

from anykey.conversation.failures import Failure, FailureKind
from anykey.conversation.parts import Json
from anykey.protocols.codec import Headers, HttpReply, header
from anykey.protocols.gemini_generate.spelling import is_array, is_object
from anykey.protocols.http_errors import account_fault, refusal_headers, retry_after

_TYPE = "type.googleapis.com/google.rpc."
_LONGEST_TEXT = 2_000

_OVERFLOW = re.compile(
    r"exceeds the maximum (number of tokens|token)|token count.{0,40}exceeds|(input|prompt|context).{0,30}too long"
    r"|context (length|window)"
)
_BAD_KEY = re.compile(
    r"api_key_(invalid|expired|service_blocked|http_referrer_blocked)|api key (not valid|expired|not found)"
)
_ACCOUNT = re.compile(
    r"user location is not supported|enable billing|billing (account|is)|consumer_(suspended|invalid)"
)
_BLOCKED = re.compile(r"prohibited.?content|blocked by|responsible ai|safety (filter|polic)|violat\w+ .{0,40}polic")
_NO_MODEL = re.compile(r"models?[/ `].{0,160}(not found|not supported|no longer available)|publisher model")
_DAILY = re.compile(r"perday|per_day|prepa\w+ credits|limit: 0\b")


class _Said(NamedTuple):
    """What an error body says."""

    message: str | None
    words: str  # status, message and details, lower-case: what the kind is told by
    code: int | None
    detail: Json | None


def decode_failure(status: int, headers: Headers, body: bytes) -> Failure:
    """The Failure that an upstream's HTTP error tells of."""
    said = _read(_parse(body))
    wish = {b"true": True, b"false": False}.get(header(headers, b"x-should-retry") or b"")
    return _failure(status, said, retry_after(headers, said.detail), wish)


def failure_in_answer(value: Any) -> Failure | None:
    """The Failure in a body or an event that came under HTTP 200; None if it is no error."""
    if is_array(value):
        value = value[0] if value else None
    if not is_object(value) or not value.get("error"):
        return None
    said = _read(value)
    return _failure(said.code or 500, said, retry_after((), said.detail), None)


def _failure(status: int, said: _Said, retry_after_s: float | None, should_retry: bool | None) -> Failure:
    kind = _kind(status, said.words)
    hidden = account_fault(kind, status)
    if hidden is not None:
        return Failure(
            kind, hidden, retry_after_s=retry_after_s, upstream_status=status, should_retry=False, detail=said.detail
        )
    message = said.message or f"The provider answered HTTP {status} without saying why."
    return Failure(kind, message, _field(said.detail), None, retry_after_s, status, should_retry, said.detail)


def _parse(body: bytes) -> Any:
    text = body.strip().removeprefix(b"data:").strip()
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if text[:1] == b"<":
            return None  # a proxy's page says nothing to a client
        return text[:_LONGEST_TEXT].decode("utf-8", "replace") or None


def _read(value: Any) -> _Said:
    if is_array(value):
        value = value[0] if value else None
    if isinstance(value, str):
        return _Said(value, value.lower(), None, {"message": value})
    if not is_object(value):
        return _Said(None, "", None, None)
    inner: Any = value.get("error")
    if isinstance(inner, str):
        return _Said(inner, inner.lower(), None, value)
    error: Json = inner if is_object(inner) else value
    message, code = error.get("message"), error.get("code")
    details = msgspec.json.encode(error.get("details")).decode()
    words = f"{error.get('status') or ''} {message or ''} {details}".lower()
    return _Said(
        message if isinstance(message, str) and message else None,
        words,
        code if type(code) is int and 400 <= code <= 599 else None,
        error,
    )


def _field(detail: Json | None) -> str | None:
    """The field that a ``BadRequest`` among the details names."""
    for entry in _details(detail):
        violations: Any = entry.get("fieldViolations")
        for violation in violations if is_array(violations) else ():
            field: Any = violation.get("field") if is_object(violation) else None
            if isinstance(field, str) and field:
                return field
    return None


def _details(detail: Json | None) -> list[Json]:
    entries: Any = (detail or {}).get("details")
    return [entry for entry in entries if is_object(entry)] if is_array(entries) else []


_BY_STATUS: dict[int, FailureKind] = {
    401: "upstream_refused_credential",
    402: "upstream_refused_credential",
    403: "upstream_refused_credential",
    404: "not_found",
    408: "upstream_timeout",
    409: "conflict",
    413: "too_large",
    429: "rate_limited",
    503: "unavailable",
    504: "upstream_timeout",
    529: "overloaded",
}
_BY_WORDS: dict[int, tuple[tuple[re.Pattern[str], FailureKind], ...]] = {
    400: (
        (_BAD_KEY, "upstream_refused_credential"),
        (_OVERFLOW, "context_too_long"),
        (_ACCOUNT, "upstream_refused_credential"),
        (_BLOCKED, "content_blocked"),
    ),
    403: ((_BLOCKED, "content_blocked"),),
    404: ((_NO_MODEL, "model_not_found"),),
    413: ((_OVERFLOW, "context_too_long"),),
    429: ((_DAILY, "quota_exhausted"),),
    500: ((_OVERFLOW, "context_too_long"),),
    503: ((re.compile(r"overloaded|high demand"), "overloaded"),),
}
"""Where a status says too little. Google answers some prompts that are too long with 500."""


def _kind(status: int, words: str) -> FailureKind:
    for pattern, kind in _BY_WORDS.get(status, ()):
        if pattern.search(words):
            return kind
    known = _BY_STATUS.get(status)
    if known is not None:
        return known
    return "invalid_request" if 400 <= status < 500 and status != 499 else "upstream_error"


class _Spelling(NamedTuple):
    code: int
    status: str
    final: bool = False  # the same request can never succeed: clients should not repeat it


_SPELLINGS: dict[FailureKind, _Spelling] = {
    "invalid_request": _Spelling(400, "INVALID_ARGUMENT", final=True),
    "context_too_long": _Spelling(400, "INVALID_ARGUMENT", final=True),
    "content_blocked": _Spelling(400, "INVALID_ARGUMENT", final=True),
    "authentication": _Spelling(401, "UNAUTHENTICATED", final=True),
    "payment_required": _Spelling(402, "FAILED_PRECONDITION", final=True),
    "permission": _Spelling(403, "PERMISSION_DENIED", final=True),
    "not_found": _Spelling(404, "NOT_FOUND", final=True),
    "model_not_found": _Spelling(404, "NOT_FOUND", final=True),
    "method_not_allowed": _Spelling(405, "UNIMPLEMENTED", final=True),
    "request_timeout": _Spelling(408, "DEADLINE_EXCEEDED"),
    "conflict": _Spelling(409, "ABORTED"),
    "too_large": _Spelling(413, "INVALID_ARGUMENT", final=True),
    "unprocessable": _Spelling(422, "INVALID_ARGUMENT", final=True),
    "rate_limited": _Spelling(429, "RESOURCE_EXHAUSTED"),
    "quota_exhausted": _Spelling(429, "RESOURCE_EXHAUSTED", final=True),
    "client_gone": _Spelling(499, "CANCELLED"),
    "internal": _Spelling(500, "INTERNAL"),
    "upstream_error": _Spelling(502, "INTERNAL"),
    "upstream_refused_credential": _Spelling(502, "INTERNAL", final=True),
    "upstream_timeout": _Spelling(504, "DEADLINE_EXCEEDED"),
    "unavailable": _Spelling(503, "UNAVAILABLE"),
    "overloaded": _Spelling(503, "UNAVAILABLE"),
}


def encode_failure(failure: Failure, request_id: str) -> HttpReply:
    """The HTTP reply a Gemini client reads."""
    spelling = _SPELLINGS[failure.kind]
    headers = refusal_headers(failure, b"x-request-id", request_id, permanent=spelling.final)
    return HttpReply(spelling.code, headers, msgspec.json.encode({"error": error_object(failure, request_id)}))


def encode_stream_failure(failure: Failure, request_id: str) -> bytes:
    """The event that ends a broken stream; nothing may follow it."""
    return b"data: " + msgspec.json.encode({"error": error_object(failure, request_id)}) + b"\r\n\r\n"


def error_object(failure: Failure, request_id: str) -> Json:
    """The ``error`` object. The upstream's own details are repeated where the fault is the caller's."""
    spelling = _SPELLINGS[failure.kind]
    details: list[Json] = []
    if failure.retry_after_s is not None and spelling.code in (429, 503):
        details.append({"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{_seconds(failure.retry_after_s)}s"})
    if failure.kind == "authentication":
        details.append({"@type": f"{_TYPE}ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"})
    if failure.fault == "caller":
        details += [entry for entry in _details(failure.detail) if str(entry.get("@type")).startswith(_TYPE)]
    if failure.param is not None and not any("fieldViolations" in entry for entry in details):
        violation = {"field": failure.param, "description": failure.message}
        details.append({"@type": f"{_TYPE}BadRequest", "fieldViolations": [violation]})
    if request_id:
        details.append({"@type": f"{_TYPE}RequestInfo", "requestId": request_id})
    return {"code": spelling.code, "message": failure.message, "status": spelling.status, "details": details}


def _seconds(value: float) -> str:
    """A ``google.protobuf.Duration`` without its unit: as few digits as say it."""
    whole = math.ceil(value * 1000)
    return str(whole // 1000) if whole % 1000 == 0 else f"{whole / 1000:g}"
