"""``stop_reason``, both ways."""

from __future__ import annotations

from typing import Any

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Extras, Json
from anykey.conversation.response import Finish, FinishReason
from anykey.protocols.anthropic_messages.extras import NAME, keep
from anykey.protocols.anthropic_messages.shapes import is_object

_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop_sequence",
    "max_tokens": "length",
    "model_context_window_exceeded": "context_window",
    "tool_use": "tool_calls",
    "refusal": "refusal",
    "pause_turn": "pause",
}
_WORDS: dict[FinishReason, str] = {reason: word for word, reason in _REASONS.items()}


def decode_finish(word: Any, sequence: Any, detail: Any, *, called: bool) -> tuple[Finish, Extras]:
    """The finish, and extras that keep a word not in the table. ``called``: the answer holds a tool call, which decides over
    the word, because some compatible servers say ``end_turn`` then."""
    text = word if isinstance(word, str) else None
    reason = _REASONS.get(text or "", "other")
    sequence = sequence if isinstance(sequence, str) else None
    detail = detail if is_object(detail) else None
    if reason == "stop" and called:
        return Finish("tool_calls", text, sequence, detail), {}
    if reason == "other":
        return Finish("other", text, sequence, detail), keep({"stop_reason": text} if text else {})
    return Finish(reason, None, sequence, detail), {}


def encode_finish(finish: Finish | None, extras: Extras, log: LossLog, *, refused: bool = False) -> Json:
    """``stop_reason``, ``stop_sequence`` and, where there is one, ``stop_details``. ``refused``: the answer is a refusal in
    so many words, whatever its finish says."""
    if finish is None:
        return {"stop_reason": None, "stop_sequence": None}
    own = extras.get(NAME, {}) if extras else {}
    wire: Json = {"stop_reason": own.get("stop_reason") or _word(finish, log, refused=refused)}
    wire["stop_sequence"] = finish.stop_sequence
    if finish.detail is not None:
        if finish.detail.get("type") == "refusal":
            wire["stop_details"] = finish.detail
        else:
            log.dropped("finish.detail", "another protocol's explanation")
    return wire


def _word(finish: Finish, log: LossLog, *, refused: bool) -> str:
    if refused and finish.reason == "stop":
        return "refusal"
    if finish.reason == "tool_calls" and finish.raw == "end_turn":
        return "end_turn"
    word = _WORDS.get(finish.reason)
    if word is not None:
        return word
    if finish.reason == "content_filter":
        log.approximated("finish.reason", "sent as a refusal")
        return "refusal"
    log.approximated("finish.reason", f"{finish.raw or finish.reason!r} sent as end_turn")
    return "end_turn"
