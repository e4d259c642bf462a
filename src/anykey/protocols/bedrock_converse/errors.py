"""Errors of the service: an HTTP status with the exception's name in a header or the body, or an exception inside a stream."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.failures import Failure, FailureKind
from anykey.conversation.parts import Json
from anykey.protocols.bedrock_converse.extras import is_object
from anykey.protocols.codec import Headers, header
from anykey.protocols.http_errors import account_fault, retry_after

_TYPE_HEADER = b"x-amzn-errortype"
_REFUSED: FailureKind = "upstream_refused_credential"
_BY_NAME: dict[str, FailureKind] = {
    "AccessDenied": _REFUSED,
    "ExpiredToken": _REFUSED,
    "IncompleteSignature": _REFUSED,
    "InternalServer": "upstream_error",
    "InvalidClientTokenId": _REFUSED,
    "InvalidSignature": _REFUSED,
    "MissingAuthenticationToken": _REFUSED,
    "ModelError": "upstream_error",
    "ModelNotReady": "unavailable",
    "ModelStreamError": "upstream_error",
    "ModelTimeout": "upstream_timeout",
    "NotAuthorized": _REFUSED,
    "OptInRequired": _REFUSED,
    "ResourceNotFound": "model_not_found",
    "ServiceQuotaExceeded": "quota_exhausted",
    "ServiceUnavailable": "unavailable",
    "SignatureDoesNotMatch": _REFUSED,
    "Throttling": "rate_limited",
    "TooManyRequests": "rate_limited",
    "UnrecognizedClient": _REFUSED,
    "Validation": "invalid_request",
}
"""Without the ``Exception`` that most of them end in: some say it in one place and not in another."""
_BY_STATUS: dict[int, FailureKind] = {
    401: _REFUSED,
    402: _REFUSED,
    403: _REFUSED,
    404: "model_not_found",
    408: "upstream_timeout",
    413: "too_large",
    424: "upstream_error",
    429: "rate_limited",
    503: "unavailable",
    504: "upstream_timeout",
}
_OVERFLOW = (
    "input is too long",
    "prompt is too long",
    "too many input tokens",
    "exceed context limit",
    "context window",
    "context length",
    "maximum context",
    "exceeds the maximum number of input tokens",
)
_NO_SUCH_MODEL = (
    "model identifier is invalid",
    "access to the model",
    "on-demand throughput",
    "could not resolve the foundation model",
    "end of its life",
    "doesn't support this operation",
)
"""What is said of a model that this account or region cannot call; another deployment may have it."""
_DAILY = ("tokens per day", "per day")
"""A throttle that ends tomorrow is an empty account for today."""


def decode_failure(status: int, headers: Headers, body: bytes) -> Failure:
    """An error reply: ``{"message": …}`` with its type in ``x-amzn-errortype``, or in ``__type`` of the body."""
    value = _object(body)
    told = header(headers, _TYPE_HEADER)
    name = plain_name(told.decode("latin-1") if told else str(value.get("__type") or value.get("code") or ""))
    message = _message(value) or ("" if value else body[:2000].decode(errors="replace").strip())
    if message.startswith("<"):
        message = "The provider answered with a web page instead of an answer."
    fallback = message or f"The provider answered HTTP {status} without saying why."
    return _failure(status, name, fallback, wait_s=retry_after(headers, None), detail=value or None)


def failure_of_exception(name: str, payload: bytes) -> Failure:
    """An exception inside a stream, whose HTTP status was a success. ``name``: ``throttlingException``, or any other."""
    value = _object(payload)
    message = _message(value) or "The provider broke off the answer without saying why."
    return _failure(200, plain_name(name), message, wait_s=None, detail=value or None)


def plain_name(told: str) -> str:
    """``ThrottlingException`` of ``com.example#ThrottlingException:http://…`` as ``Throttling``; a stream begins it small."""
    name = told.partition(":")[0].rpartition("#")[2].strip()
    name = name.removesuffix("Exception")
    return name[:1].upper() + name[1:]


def _failure(status: int, name: str, message: str, *, wait_s: float | None, detail: Json | None) -> Failure:
    kind = _kind(status, name, message.lower())
    hidden = account_fault(kind, status)
    code = None if hidden else name or None
    return Failure(kind, hidden or message, None, code, wait_s, status, detail=detail)


def _kind(status: int, name: str, text: str) -> FailureKind:
    kind = _BY_NAME.get(name) or _BY_STATUS.get(status)
    if kind is None:
        kind = "invalid_request" if 400 <= status < 500 else "upstream_error"
    if kind in ("invalid_request", "too_large") and any(mark in text for mark in _OVERFLOW):
        return "context_too_long"
    if kind in ("invalid_request", _REFUSED) and any(mark in text for mark in _NO_SUCH_MODEL):
        return "model_not_found"
    if kind == "rate_limited" and any(mark in text for mark in _DAILY):
        return "quota_exhausted"
    return kind


def _object(body: bytes) -> Json:
    try:
        value: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return value if is_object(value) else {}


def _message(value: Json) -> str:
    """``originalMessage`` is what the model itself said, where the service only says that it failed."""
    said = [value.get(key) for key in ("message", "Message", "originalMessage")]
    return " ".join(dict.fromkeys(text for text in said if isinstance(text, str) and text))
