"""Several answers to one request told as one with several choices, for upstreams that give one at a time.

Source ``k`` of ``n`` becomes choice ``k``. Usage is the sum of all. The answer's id, model and date are those of the first
source that began; what stands at the top of the others (their ids, tiers, extras) is not told.
"""

from __future__ import annotations

import msgspec

from anykey.conversation import events as ev
from anykey.conversation.response import Choice, GenerateResponse
from anykey.conversation.usage import Usage

_COUNTS = tuple(name for name in Usage.__struct_fields__ if name != "extras")


def merge_answers(answers: list[GenerateResponse]) -> GenerateResponse:
    """``answers`` (at least one) as one; the first choice of each."""
    choices: list[Choice] = []
    for answer in answers:
        choices += [msgspec.structs.replace(choice, index=len(choices)) for choice in answer.choices[:1]]
    usage = sum_usage([answer.usage for answer in answers])
    return msgspec.structs.replace(answers[0], choices=tuple(choices), usage=usage)


def sum_usage(usages: list[Usage | None]) -> Usage | None:
    """All buckets added; extras are the first's. None if nobody reported any."""
    known = [usage for usage in usages if usage is not None]
    if not known:
        return None
    return Usage(
        **{name: sum(getattr(usage, name) for usage in known) for name in _COUNTS},
        extras=known[0].extras,
    )


class StreamMerger:
    """Legal streams in, in any interleaving, one legal stream out. A source that breaks breaks the whole."""

    __slots__ = ("_ended", "_first", "_usages")

    def __init__(self, sources: int) -> None:
        self._first: int | None = None
        self._usages: list[Usage | None] = [None] * sources
        self._ended = [False] * sources

    def feed(self, source: int, events: list[ev.StreamEvent]) -> list[ev.StreamEvent]:
        """What ``events`` of ``source`` (from 0) are in the whole."""
        told: list[ev.StreamEvent] = []
        for event in events:
            match event:
                case ev.Started():
                    told += self._start(source, event)
                case ev.UsageReported():
                    self._usages[source] = event.usage
                case ev.Ended():
                    self._ended[source] = True
                    told += self._end(event)
                case ev.OpaqueEvent():
                    told += [event] if source == self._first else []
                case ev.Heartbeat() | ev.Broke():
                    told.append(event)
                case _:
                    told.append(msgspec.structs.replace(event, choice=source))
        return told

    def _start(self, source: int, event: ev.Started) -> list[ev.StreamEvent]:
        self._usages[source] = event.usage
        if self._first is not None:
            return []
        self._first = source
        return [event]

    def _end(self, event: ev.Ended) -> list[ev.StreamEvent]:
        """The last source's end is everybody's, and the sum is told before it."""
        if not all(self._ended):
            return []
        usage = sum_usage(self._usages)
        return [event] if usage is None else [ev.UsageReported(usage), event]
