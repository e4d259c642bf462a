"""``finishReason`` and ``finishMessage``, both ways. There is no word for calls: an answer that holds one ends with ``STOP``."""

from __future__ import annotations

from typing import Any

from anykey.conversation.failures import Failure
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.response import Finish, FinishReason

REASONS: dict[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "CONTINUATION": "pause",
    "LANGUAGE": "other",
    "OTHER": "other",
    "MALFORMED_FUNCTION_CALL": "other",
    "UNEXPECTED_TOOL_CALL": "other",
    "TOO_MANY_TOOL_CALLS": "other",
    "MISSING_THOUGHT_SIGNATURE": "other",
    "MALFORMED_RESPONSE": "other",
    "IMAGE_OTHER": "other",
    "NO_IMAGE": "other",
    "ESCALATION": "other",
    "PUP_LIMITED_DISABLED": "other",
}
"""The provider's words and what they mean."""

_NUMBERED = (
    "FINISH_REASON_UNSPECIFIED",
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "RECITATION",
    "OTHER",
    "LANGUAGE",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MALFORMED_FUNCTION_CALL",
    "IMAGE_SAFETY",
    "UNEXPECTED_TOOL_CALL",
)
"""Words by number, for answers asked for with ``enum-encoding=int``: google.ai.generativelanguage.v1beta, Candidate."""

_FAULTS = {
    "MALFORMED_FUNCTION_CALL": "The model wrote a function call that cannot be read",
    "UNEXPECTED_TOOL_CALL": "The model called a function that it was not given",
    "TOO_MANY_TOOL_CALLS": "The model called too many tools in a row",
    "MALFORMED_RESPONSE": "The model wrote an answer that cannot be read",
    "MISSING_THOUGHT_SIGNATURE": "The conversation lacks a thought signature that the model demands",
}
"""Ends that are a failure where nothing was said before them."""

_WORDS: dict[FinishReason, str] = {
    "stop": "STOP",
    "stop_sequence": "STOP",
    "tool_calls": "STOP",
    "length": "MAX_TOKENS",
    "context_window": "MAX_TOKENS",
    "content_filter": "SAFETY",
    "refusal": "SAFETY",
    "pause": "STOP",
    "other": "OTHER",
}
_SAYS_NOTHING = "Model generated function call(s)."
"""What the provider writes beside ``STOP`` whenever there are calls."""


def finish_word(value: Any) -> str | None:
    """The word of a ``finishReason``, which may come as a number; None where there is none."""
    if type(value) is int:
        return _NUMBERED[value] if 0 <= value < len(_NUMBERED) else str(value)
    return value if isinstance(value, str) and value else None


def decode_finish(word: str | None, message: Any, *, called: bool) -> Finish:
    """The neutral finish. ``raw`` is the provider's word where the neutral one does not say it; ``message`` becomes the
    explanation. A whole answer without a reason is done."""
    reason: FinishReason = REASONS.get(word, "other") if word else "stop"
    if reason == "stop" and called:
        reason = "tool_calls"
    explained = isinstance(message, str) and message and not (word == "STOP" and message == _SAYS_NOTHING)
    detail: Json | None = {"explanation": message} if explained else None
    return Finish(reason, word if reason in ("content_filter", "pause", "other") else None, detail=detail)


def empty_failure(word: str | None, message: Any) -> Failure | None:
    """The failure that an end without any content is, None where it is an answer. The first four may go well next time."""
    fault = _FAULTS.get(word or "")
    if fault is None:
        return None
    told = f"{fault}: {message}" if isinstance(message, str) and message else f"{fault}."
    kind = "invalid_request" if word == "MISSING_THOUGHT_SIGNATURE" else "upstream_error"
    return Failure(kind, told, code=word)


def encode_finish(finish: Finish | None, path: str, log: LossLog) -> Json:
    """``finishReason`` and, where the provider explained itself, ``finishMessage``."""
    if finish is None:
        return {"finishReason": "STOP"}
    own = finish.raw if finish.raw in REASONS else None
    word = own or _WORDS[finish.reason]
    if own is None and finish.reason in ("context_window", "pause", "other"):
        log.approximated(f"{path}.finish_reason", f"{finish.raw or finish.reason} is told as {word}")
    if finish.stop_sequence is not None:
        log.dropped(f"{path}.stop_sequence", "generateContent does not say which stop sequence was hit")
    out: Json = {"finishReason": word}
    for key, value in (finish.detail or {}).items():
        if key == "explanation" and isinstance(value, str):
            out["finishMessage"] = value
        elif key != "type" and value is not None:
            log.dropped(f"{path}.stop_details.{key}", "generateContent has no such field")
    return out
