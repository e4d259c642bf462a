"""``stopReason`` → why an answer ended."""

from __future__ import annotations

from typing import Any

from anykey.conversation.response import Finish, FinishReason

_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "stop_sequence": "stop_sequence",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
    "model_context_window_exceeded": "context_window",
    "refusal": "refusal",
}
_MORE_IS_SAID = frozenset({"guardrail_intervened"})


def decode_finish(word: Any, *, called: bool) -> Finish:
    """The finish. ``called``: the answer holds a tool call, which decides over ``end_turn``: some models say that then. A word
    not in the table (``malformed_tool_use`` …) is kept as it is."""
    text = word if isinstance(word, str) else ""
    reason = _REASONS.get(text, "other")
    if reason == "stop" and called:
        return Finish("tool_calls", text)
    return Finish(reason, text if reason == "other" or text in _MORE_IS_SAID else None)
