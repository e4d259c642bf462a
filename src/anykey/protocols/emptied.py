"""A conversation of which nothing is left: everything said in it is of a kind that the upstream does not take."""

from __future__ import annotations

from collections.abc import Iterable

from anykey.conversation.failures import FailureError, invalid
from anykey.conversation.losses import Loss


def nothing_left(losses: Iterable[Loss]) -> FailureError:
    """The 400 for a request that was emptied, with the first thing lost on the way; or that had no messages at all."""
    lost = next((loss for loss in losses if loss.path.startswith("messages")), None)
    if lost is None:
        return invalid("at least one message is required", "messages")
    return invalid(f"nothing in them can be sent to this model: {lost.path}: {lost.reason}", "messages")
