"""What a legal request and a legal event sequence are: one table that decoders, encoders and tests share.

States of a stream: NEW → OPEN (after ``Started``) → DONE (after ``Ended`` or ``Broke``). In OPEN each (choice, index) part is
opened once, takes only deltas of its own kind, and is closed once; a choice finishes once, with all its parts closed; the
answer ends when every choice that began has finished.
"""

from __future__ import annotations

from anykey.conversation import events as ev
from anykey.conversation.message import Message
from anykey.conversation.parts import (
    MediaPart,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from anykey.conversation.request import GenerateRequest

DELTA_OF: dict[type[ev.StreamEvent], type[Part]] = {
    ev.TextDelta: TextPart,
    ev.CitationAdded: TextPart,
    ev.ReasoningDelta: ReasoningPart,
    ev.StateDelta: ReasoningPart,
    ev.ArgumentsDelta: ToolCallPart,
    ev.RefusalDelta: RefusalPart,
}
"""Which part each delta may stand in."""

ALLOWED_PARTS: dict[str, tuple[type[Part], ...]] = {
    "system": (TextPart, MediaPart, OpaquePart),
    "developer": (TextPart, MediaPart, OpaquePart),
    "user": (TextPart, MediaPart, ToolResultPart, OpaquePart),
    "assistant": (TextPart, ReasoningPart, ToolCallPart, RefusalPart, MediaPart, OpaquePart),
    "tool": (ToolResultPart,),
}


class IllegalStream(Exception):
    """An event came where the table does not allow it."""


class IllegalRequest(Exception):
    """A request breaks a rule that every protocol shares."""


class StreamChecker:
    """Feed it every event in order; it raises ``IllegalStream`` on the first one that may not stand there."""

    __slots__ = ("_began", "_done", "_finished", "_open", "_seen", "_started")

    def __init__(self) -> None:
        self._started = False
        self._done = False
        self._open: dict[tuple[int, int], type[Part]] = {}
        self._seen: set[tuple[int, int]] = set()
        self._began: set[int] = set()
        self._finished: set[int] = set()

    @property
    def done(self) -> bool:
        return self._done

    def check(self, event: ev.StreamEvent) -> None:
        kind = type(event)
        if self._done:
            raise IllegalStream(f"{kind.__name__} after the end")
        wanted = DELTA_OF.get(kind)
        if wanted is not None:
            self._check_delta(event, wanted)  # pyright: ignore[reportArgumentType] - a delta, by DELTA_OF
        elif kind is ev.Broke:
            self._done = True
        elif kind is ev.Started:
            if self._started:
                raise IllegalStream("Started twice")
            self._started = True
        elif kind is not ev.Heartbeat:
            self._check_structure(event)

    def _check_delta(
        self,
        event: ev.TextDelta
        | ev.CitationAdded
        | ev.ReasoningDelta
        | ev.StateDelta
        | ev.ArgumentsDelta
        | ev.RefusalDelta,
        wanted: type[Part],
    ) -> None:
        opened = self._open.get((event.choice, event.index))
        if opened is not wanted:
            found = "no open part" if opened is None else opened.__name__
            raise IllegalStream(f"{type(event).__name__} in {found} at {event.choice}/{event.index}")

    def _check_structure(self, event: ev.StreamEvent) -> None:
        if not self._started:
            raise IllegalStream(f"{type(event).__name__} before Started")
        match event:
            case ev.PartStarted():
                self._check_opening(event)
            case ev.PartFinished():
                if self._open.pop((event.choice, event.index), None) is None:
                    raise IllegalStream(f"PartFinished without an open part at {event.choice}/{event.index}")
            case ev.ChoiceFinished():
                if event.choice in self._finished:
                    raise IllegalStream(f"choice {event.choice} finished twice")
                if any(choice == event.choice for choice, _ in self._open):
                    raise IllegalStream(f"choice {event.choice} finished with an open part")
                self._began.add(event.choice)
                self._finished.add(event.choice)
            case ev.Ended():
                if self._began - self._finished or not self._finished:
                    raise IllegalStream("Ended before every choice finished")
                self._done = True
            case _:
                pass

    def _check_opening(self, event: ev.PartStarted) -> None:
        key = (event.choice, event.index)
        if key in self._seen:
            raise IllegalStream(f"part {event.choice}/{event.index} opened twice")
        if event.choice in self._finished:
            raise IllegalStream(f"a part opened in choice {event.choice} after it finished")
        self._seen.add(key)
        self._began.add(event.choice)
        self._open[key] = type(event.part)


def check_stream(events: list[ev.StreamEvent]) -> None:
    """Raise ``IllegalStream`` unless ``events`` is one whole legal stream."""
    checker = StreamChecker()
    for event in events:
        checker.check(event)
    if not checker.done:
        raise IllegalStream("the stream does not end")


def check_request(request: GenerateRequest) -> None:
    """Raise ``IllegalRequest`` where a request could be read by no protocol: a part in a role that cannot say it, a medium
    with no source or with two."""
    for position, message in enumerate(request.messages):
        for part in message.parts:
            if not isinstance(part, ALLOWED_PARTS[message.role]):
                raise IllegalRequest(f"messages[{position}]: {type(part).__name__} in a {message.role} message")
            if isinstance(part, MediaPart):
                _check_medium(part, position)


def _check_medium(part: MediaPart, position: int) -> None:
    sources = sum(value is not None for value in (part.data, part.url, part.file_id, part.text))
    if sources != 1:
        raise IllegalRequest(f"messages[{position}]: a medium has {sources} sources")


def open_tool_calls(messages: tuple[Message, ...]) -> dict[str, str]:
    """Tool calls that no later message answers: id → tool name, in order."""
    waiting: dict[str, str] = {}
    for message in messages:
        for part in message.parts:
            if isinstance(part, ToolCallPart):
                waiting[part.id] = part.name
            elif isinstance(part, ToolResultPart):
                waiting.pop(part.call_id, None)
    return waiting
