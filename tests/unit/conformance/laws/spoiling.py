"""Answers to spoil: one change at a time, so that each law is seen to hold for its own reason."""

import copy
import json
from typing import Any

from anykey.protocols.sse import SseEvent

GONE = object()
"""As a new value: the key is taken out."""


def changed(value: Any, path: str, new: Any) -> Any:
    """A copy of ``value`` with what stands at ``path`` (``choices.0.index``) replaced."""
    spoiled = copy.deepcopy(value)
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place = spoiled
    for step in way:
        place = place[step]
    if new is GONE:
        del place[last]
    else:
        place[last] = new
    return spoiled


def body(value: Any) -> bytes:
    return json.dumps(value).encode()


def records(events: list[Any], *, named: bool = False) -> list[SseEvent]:
    """Events on the wire; ``named``: each says its type as its name. Text stands for itself."""
    return [
        SseEvent(
            event["type"].encode() if named else b"",
            event.encode() if isinstance(event, str) else json.dumps(event).encode(),
        )
        for event in events
    ]
