"""Errors, both ways. A stream ends badly with ``response.failed`` and never with a bare ``error``: Codex overlooks that one and
asks five times more, and the SDK's helper tells nothing of it (facts: clients, 1.7; protocols, Part 8).

By the code of a failed response Codex decides whether it asks again: it gives up at once on those that say that the request can
never succeed, and repeats on the others.
"""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.failures import Failure, FailureKind
from anykey.conversation.parts import Json
from anykey.protocols import openai_errors
from anykey.protocols.codec import HttpReply
from anykey.protocols.http_errors import account_fault
from anykey.protocols.openai_errors import SPELLINGS, Spelling, decode_failure
from anykey.protocols.openai_responses.echo import echo
from anykey.protocols.openai_responses.ids import response_id
from anykey.protocols.openai_responses.shapes import is_object

__all__ = [
    "SILENT",
    "decode_failure",
    "encode_failure",
    "encode_stream_failure",
    "failed_response",
    "failure_in_answer",
    "failure_of_event",
]

SILENT = Failure("upstream_error", "The upstream reported an error in the stream.")
DEFAULT_WAIT_S = 5
"""What a 429 says where the upstream did not: without ``retry-after`` Codex gives up and hides the message."""

LAST_SEQUENCE = 1_000_000_000
"""Of an event written behind a relayed stream whose own numbers nobody counted."""

_SPELLINGS: dict[FailureKind, Spelling] = {
    **SPELLINGS,
    # Nothing a client can repeat helps, and Codex repeats a 5xx thirty times.
    "upstream_refused_credential": Spelling(424, "server_error", "upstream_refused_credential", final=True),
}

_KINDS: dict[str, FailureKind] = {
    "invalid_prompt": "invalid_request",
    "data_residency_mismatch": "invalid_request",
    "context_length_exceeded": "context_too_long",
    "bio_policy": "content_blocked",
    "cyber_policy": "content_blocked",
    "content_policy_violation": "content_blocked",
    "image_content_policy_violation": "content_blocked",
    "misalignment_policy_violation": "content_blocked",
    "model_not_found": "model_not_found",
    "rate_limit_exceeded": "rate_limited",
    "slow_down": "rate_limited",
    "insufficient_quota": "quota_exhausted",
    "usage_limit_reached": "quota_exhausted",
    "usage_not_included": "quota_exhausted",
    "server_is_overloaded": "overloaded",
    "server_overloaded": "overloaded",
    "server_error": "upstream_error",
    "vector_store_timeout": "upstream_timeout",
}
"""Codes of a failed response (facts: protocols §2, clients 1.7) and what they mean."""

_OF_IMAGES = (
    "invalid_image",
    "image_",
    "invalid_base64_image",
    "unsupported_image",
    "empty_image",
    "failed_to_download_image",
)

_CODES: dict[FailureKind, str] = {
    "context_too_long": "context_length_exceeded",
    "content_blocked": "content_policy_violation",
    "payment_required": "insufficient_quota",
    "quota_exhausted": "insufficient_quota",
    "model_not_found": "model_not_found",
    "rate_limited": "rate_limit_exceeded",
}
_FINAL_CODE, _OTHER_CODE = "invalid_prompt", "server_error"


def failure_in_answer(value: Any) -> Failure | None:
    """The Failure in a body that came under HTTP 200: an error in the place of an answer, or a failed response."""
    if not is_object(value):
        return openai_errors.failure_in_answer(value)
    if value.get("status") == "failed":
        return failure_of_event(value)
    if "output" in value and not value.get("error"):
        return None
    return failure_of_event(value) if value.get("error") or value.get("type") == "error" else _other(value)


def _other(value: Json) -> Failure | None:
    return openai_errors.failure_in_answer(value) if "output" not in value else None


def failure_of_event(value: Json) -> Failure:
    """The Failure of a failed response, or of an ``error`` event whose error is nested or flat."""
    inner: Any = value.get("error")
    error = inner if is_object(inner) else value
    code: Any = error.get("code")
    found = openai_errors.failure_in_answer({"error": inner if inner else {**value, "type": None}}) or SILENT
    kind = _kind(code) if isinstance(code, str) else None
    if kind is None or kind == found.kind:
        return found
    hidden = account_fault(kind, None)
    if hidden is not None:
        return Failure(kind, hidden, should_retry=False, detail=error)
    return msgspec.structs.replace(found, kind=kind)


def _kind(code: str) -> FailureKind | None:
    known = _KINDS.get(code)
    return "invalid_request" if known is None and code.startswith(_OF_IMAGES) else known


def encode_failure(failure: Failure, request_id: str) -> HttpReply:
    """The HTTP reply a Responses client reads; a 429 always says when to come back."""
    if failure.retry_after_s is None and _SPELLINGS[failure.kind].status == 429:
        failure = msgspec.structs.replace(failure, retry_after_s=DEFAULT_WAIT_S)
    return openai_errors.encode_failure(failure, request_id, _SPELLINGS)


def encode_stream_failure(failure: Failure, request_id: str, identity: str = "") -> bytes:
    """The event that ends a relayed stream whose upstream broke; ``identity`` is the response's id, where it was heard."""
    head: Json = {
        "id": response_id(identity, request_id),
        "object": "response",
        "created_at": 0,
        "status": "failed",
        "error": failed_response(failure),
        "incomplete_details": None,
        "model": "",
        "output": [],
        "usage": None,
    }
    response = msgspec.json.encode(head)[:-1] + b"," + echo(b"") + b"}"
    start = b'event: response.failed\ndata: {"type":"response.failed","sequence_number":%d,"response":' % LAST_SEQUENCE
    return start + response + b"}\n\n"


def failed_response(failure: Failure) -> Json:
    """The ``error`` of a failed response. Codex waits for as long as the message says."""
    message = failure.message
    if failure.kind == "rate_limited" and failure.retry_after_s is not None and "try again in" not in message:
        message = f"{message.rstrip('.')}. Please try again in {failure.retry_after_s:g}s."
    return {"code": _code(failure), "message": message}


def _code(failure: Failure) -> str:
    if failure.code is not None and _kind(failure.code) == failure.kind:
        return failure.code
    return _CODES.get(failure.kind) or (_FINAL_CODE if _SPELLINGS[failure.kind].final else _OTHER_CODE)
