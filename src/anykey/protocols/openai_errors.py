"""Errors in OpenAI's shape, both ways: what servers of Chat and Responses say when they refuse, and what their clients are told.

Servers answer an error as an object, a string, ``{"detail": …}``, an array, a page of HTML or nothing; the content type says
nothing about which. Clients repair their requests by the wording, so an upstream's words about a request are kept as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeGuard

import msgspec

from anykey.conversation.failures import Failure, FailureKind
from anykey.conversation.parts import Json
from anykey.protocols.codec import Headers, HttpReply, header
from anykey.protocols.http_errors import account_fault, refusal_headers, retry_after
from anykey.protocols.known_codes import is_of_model, kind_of_code

_OVERFLOW = re.compile(
    r"context_length_exceeded|exceed_context_size|too_many_prompt_tokens|maximum context|context (length|window|size|limit)"
    r"|prompt is too long|input is too long|too many tokens|tokens? exceeds?|reduce the length of the messages"
)
_RATE = re.compile(r"rate.?limit|per minute|tokens per|requests per|tpm|rpm")
_BLOCKED = re.compile(r"content_filter|content_policy|responsibleai|sensitive.?content|data_inspection_failed|flagged")
_QUOTA = re.compile(r"insufficient_quota|exceeded your current quota|billing|insufficient.?balance|credit|overdue")
_BAD_KEY = re.compile(r"(invalid|incorrect|not valid).{0,40}api.?key|api.?key.{0,40}(invalid|incorrect|not valid)")
_NO_MODEL = re.compile(r"model_not_found|modelnotopen|model.{0,80}(not exist|not found|not supported)|no such model")
_OVERLOAD = re.compile(r"overloaded|over.?capacity|at capacity")
_DELAY = re.compile(r"^(\d+(?:\.\d+)?)s$")
_LONGEST_TEXT = 2_000


class _Said(NamedTuple):
    """What an error body says, whatever its shape."""

    message: str | None
    words: str  # code, type, status and message, lower-case: what the kind is told by
    code: str | None
    param: str | None
    status: int | None
    detail: Json | None


def decode_failure(status: int, headers: Headers, body: bytes) -> Failure:
    """The Failure that an upstream's HTTP error tells of."""
    said = _read(_parse(body))
    kind = _kind(status, said)
    retry_after_s = retry_after(headers, said.detail)
    wish = header(headers, b"x-should-retry")
    return _failure(kind, status, said, retry_after_s, {b"true": True, b"false": False}.get(wish or b""))


def failure_in_answer(value: Any) -> Failure | None:
    """The Failure in a body or an event that came under HTTP 200; None if it is no error."""
    said = read_error(value)
    if said is None:
        return None
    status = said.status or 200
    return _failure(_kind(status, said), status if status >= 400 else None, said, retry_after((), said.detail), None)


def read_error(value: Any) -> _Said | None:
    """The error in ``value``; None for an answer. An error object counts only where there are no choices beside it or it
    says something."""
    if not _is_object(value):
        return _read(value) if isinstance(value, str) or _objects_of(value) else None
    if value.get("error"):
        return _read(value)
    bare = value.get("object") == "error" or value.get("type") == "error" or "detail" in value
    return _read(value) if bare and "choices" not in value else None


def _failure(
    kind: FailureKind, status: int | None, said: _Said, retry_after_s: float | None, should_retry: bool | None
) -> Failure:
    hidden = account_fault(kind, status)
    if hidden is not None:
        return Failure(
            kind,
            hidden,
            retry_after_s=retry_after_s,
            upstream_status=status,
            should_retry=False,
            detail=said.detail,
            of_model=is_of_model(said.code),
        )
    silent = f"The provider answered HTTP {status}" if status else "The provider answered with an error"
    message = said.message or f"{silent} without saying why."
    return Failure(kind, message, said.param, said.code, retry_after_s, status, should_retry, said.detail)


def _parse(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = body.decode("utf-8", "replace").strip()
        if text[:1] == "<":
            return None  # a proxy's page says nothing to a client
        return text[:_LONGEST_TEXT] or None


def _read(value: Any) -> _Said:
    if isinstance(value, list):
        value = next(iter(_objects_of(value)), None)
    if isinstance(value, str):
        return _Said(value, value.lower(), None, None, None, {"message": value})
    if not _is_object(value):
        return _Said(None, "", None, None, None, None)
    inner: Any = value.get("error")
    error = inner if _is_object(inner) else value
    message = _message(inner, error)
    code, kind = error.get("code"), error.get("type")
    status = next((n for n in (code, error.get("status_code"), error.get("raw_status_code")) if _is_status(n)), None)
    words = " ".join(str(word) for word in (code, kind, error.get("status"), _reasons(error), message) if word)
    text = code if isinstance(code, str) and code else kind if isinstance(kind, str) and not message else None
    param = error.get("param")
    return _Said(message, words.lower(), text, param if isinstance(param, str) else None, status, error)


def _message(inner: Any, error: Json) -> str | None:
    """The words for a reader; an aggregator's provider may have put the real ones into ``metadata.raw``."""
    if isinstance(inner, str):
        return inner
    found = next((error[key] for key in ("message", "detail", "msg", "error_msg") if error.get(key)), None)
    if found is None:
        return None
    message = found if isinstance(found, str) else msgspec.json.encode(found).decode()
    metadata: Any = error.get("metadata")
    raw: Any = metadata.get("raw") if _is_object(metadata) else None
    return f"{message}: {raw}" if isinstance(raw, str) and raw else message


def _reasons(error: Json) -> str:
    """The machine words inside ``details`` entries."""
    return " ".join(str(entry["reason"]) for entry in _objects_of(error.get("details")) if entry.get("reason"))


def _is_status(value: Any) -> bool:
    return type(value) is int and 400 <= value <= 599


_BY_STATUS: dict[int, FailureKind] = {
    401: "upstream_refused_credential",
    402: "upstream_refused_credential",
    403: "upstream_refused_credential",
    404: "not_found",
    408: "upstream_timeout",
    409: "conflict",
    410: "model_not_found",
    413: "too_large",
    429: "rate_limited",
    503: "unavailable",
    504: "upstream_timeout",
    529: "overloaded",
}


def _kind(status: int, said: _Said) -> FailureKind:
    """What went wrong, by the code or the words first where a status says too little."""
    words = said.words
    exact = kind_of_code(said.code)
    if exact is not None:
        return exact
    if status in (400, 413, 422) or status < 300:
        found = _kind_of_words(words, http=status >= 400)
        if found is not None:
            return found
    if status == 429 and _QUOTA.search(words) and not _RATE.search(words):
        return "quota_exhausted"
    if status in (401, 403) and _BLOCKED.search(words):
        return "content_blocked"
    if status in (400, 403, 404) and _NO_MODEL.search(words):
        return "model_not_found"
    if status == 503 and _OVERLOAD.search(words):
        return "overloaded"
    known = _BY_STATUS.get(status)
    if known is not None:
        return known
    return "invalid_request" if 400 <= status < 500 else "upstream_error"


def _kind_of_words(words: str, *, http: bool) -> FailureKind | None:
    """Kinds that only the words tell. Under an HTTP error they speak of the request; under 200 of the provider's trouble too."""
    is_rate = _RATE.search(words) is not None
    if is_rate and not http:
        return "rate_limited"
    for pattern, kind in _OF_REQUEST if http else (*_OF_REQUEST, *_OF_PROVIDER):
        if pattern.search(words) and not (is_rate and pattern is _OVERFLOW):
            return kind
    return None


_OF_REQUEST: tuple[tuple[re.Pattern[str], FailureKind], ...] = (
    (_OVERFLOW, "context_too_long"),
    (_BLOCKED, "content_blocked"),
    (_BAD_KEY, "upstream_refused_credential"),
)
_OF_PROVIDER: tuple[tuple[re.Pattern[str], FailureKind], ...] = (
    (_OVERLOAD, "overloaded"),
    (re.compile(r"insufficient_quota"), "quota_exhausted"),
    (re.compile(r"service.?unavailable"), "unavailable"),
    (re.compile(r"timeout|timed out"), "upstream_timeout"),
)


class Spelling(NamedTuple):
    """How a kind is told: HTTP status, ``error.type`` and ``error.code``."""

    status: int
    type: str
    code: str | None
    final: bool = False  # the same request can never succeed: clients should not repeat it


SPELLINGS: dict[FailureKind, Spelling] = {
    "invalid_request": Spelling(400, "invalid_request_error", None, final=True),
    "context_too_long": Spelling(400, "invalid_request_error", "context_length_exceeded", final=True),
    "content_blocked": Spelling(400, "invalid_request_error", "content_policy_violation", final=True),
    "authentication": Spelling(401, "invalid_request_error", "invalid_api_key", final=True),
    "payment_required": Spelling(402, "insufficient_quota", "insufficient_quota", final=True),
    "permission": Spelling(403, "invalid_request_error", "permission_denied", final=True),
    "not_found": Spelling(404, "invalid_request_error", None, final=True),
    "model_not_found": Spelling(404, "invalid_request_error", "model_not_found", final=True),
    "method_not_allowed": Spelling(405, "invalid_request_error", "method_not_supported", final=True),
    "request_timeout": Spelling(408, "invalid_request_error", "request_timeout"),
    "conflict": Spelling(409, "invalid_request_error", "conflict"),
    "too_large": Spelling(413, "invalid_request_error", "request_too_large", final=True),
    "unprocessable": Spelling(422, "invalid_request_error", "unprocessable", final=True),
    "rate_limited": Spelling(429, "rate_limit_error", "rate_limit_exceeded"),
    "quota_exhausted": Spelling(429, "insufficient_quota", "insufficient_quota", final=True),
    "client_gone": Spelling(499, "invalid_request_error", "client_closed_request"),
    "internal": Spelling(500, "server_error", "internal_error"),
    "upstream_error": Spelling(502, "server_error", "upstream_error"),
    "upstream_refused_credential": Spelling(502, "server_error", "upstream_refused_credential", final=True),
    "upstream_timeout": Spelling(504, "server_error", "upstream_timeout"),
    "unavailable": Spelling(503, "server_error", "service_unavailable"),
    "overloaded": Spelling(503, "server_error", "overloaded"),
}


def encode_failure(
    failure: Failure, request_id: str, spellings: Mapping[FailureKind, Spelling] = SPELLINGS
) -> HttpReply:
    """The HTTP reply an OpenAI client reads."""
    spelling = spellings[failure.kind]
    body = {"error": error_object(failure, spelling), "request_id": request_id}
    headers = refusal_headers(failure, b"x-request-id", request_id, permanent=spelling.final)
    return HttpReply(spelling.status, headers, msgspec.json.encode(body))


def error_object(failure: Failure, spelling: Spelling | None = None) -> Json:
    """The ``error`` object with its four keys."""
    spelling = spelling or SPELLINGS[failure.kind]
    message, code = failure.message, failure.code or spelling.code
    if failure.kind == "context_too_long":
        code = "context_length_exceeded"
        if "maximum context length" not in message:
            message = f"{message} (The prompt is too long for this model's maximum context length.)"
    return {"message": message, "type": spelling.type, "param": failure.param, "code": code}


def _is_object(value: Any) -> TypeGuard[Json]:
    return type(value) is dict


def _objects_of(value: Any) -> list[Json]:
    """The objects of an array; none of anything else."""
    entries: list[Any] = value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType] - parsed JSON
    return [entry for entry in entries if _is_object(entry)]
