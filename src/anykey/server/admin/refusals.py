"""How the admin and user API say no: one shape for everything, wherever it failed.

    {"error": {"type": "not_found_error", "code": "keys.not_found", "message": "…", "field": "…"}, "request_id": "…"}

`type` follows the status, `code` is what a program compares, `field` names the input at fault where there is one.
"""

from __future__ import annotations

import msgspec

from anykey.language import SpokenError
from anykey.language.say import catalogue

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "payment_error",
    403: "permission_error",
    404: "not_found_error",
    405: "method_not_allowed_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "too_large_error",
    415: "unsupported_media_type_error",
    422: "invalid_request_error",
    500: "internal_error",
    501: "not_implemented_error",
    503: "unavailable_error",
}
MISSING = frozenset(
    {"not_found", "no_model", "no_request", "no_provider", "nothing", "unknown_kind", "no_batch", "none_in_force"}
)
"""Last words of a message's code that say that what was named is not there."""
CONFLICTS = frozenset(
    {"already_revoked", "name_taken", "label_taken", "ambiguous", "closed", "removed", "revoked", "withdrawn", "over"}
    | {"used_up", "used_before", "not_enough", "other_transfer"}
)
"""… and those that say that it is not as it would have to be."""


class Refusal(Exception):
    """Ends a call of these APIs with this answer."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.field = status, code, message, field


def missing(code: str, message: str) -> Refusal:
    """There is nothing of that id, or nothing that this caller may know of: both are told with the same words."""
    return Refusal(404, code, message)


def refusal_of(error: SpokenError, language: str) -> Refusal:
    """What a verb refused, in this language of the catalogues."""
    last = error.code.rpartition(".")[2]
    status = 404 if last in MISSING else 409 if last in CONFLICTS else 422
    pattern = catalogue(language).get(error.code)
    return Refusal(status, error.code, str(error) if pattern is None else pattern.format_map(error.values))


def told(refusal: Refusal, request_id: str) -> bytes:
    """The body of the answer."""
    error = {"type": TYPES[refusal.status], "code": refusal.code, "message": refusal.message}
    if refusal.field is not None:
        error["field"] = refusal.field
    return msgspec.json.encode({"error": error, "request_id": request_id})
