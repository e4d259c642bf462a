"""A streamed answer as a sequence of events.

One part is opened, filled by deltas and closed; parts are told apart by (choice, index) and two of them may be open at the
same time (Chat interleaves parallel tool calls). ``verify.StreamChecker`` holds the table of what may follow what.
"""

from __future__ import annotations

import msgspec

from anykey.conversation.failures import Failure
from anykey.conversation.parts import Citation, Extras, Json, OpaqueState, Part, ProtocolName
from anykey.conversation.response import Finish
from anykey.conversation.usage import Usage


class Started(msgspec.Struct, frozen=True, gc=False):
    """The answer begins. ``created`` is unix seconds; ``usage`` what is known this early."""

    id: str
    model: str
    created: int | None = None
    usage: Usage | None = None
    service_tier: str | None = None
    extras: Extras = {}


class PartStarted(msgspec.Struct, frozen=True, gc=False):
    """``part`` is the empty part with what is known at its start (a tool call's id and name; a block that comes whole)."""

    index: int
    part: Part
    choice: int = 0


class TextDelta(msgspec.Struct, frozen=True, gc=False):
    index: int
    text: str
    choice: int = 0


class ReasoningDelta(msgspec.Struct, frozen=True, gc=False):
    index: int
    text: str
    choice: int = 0


class ArgumentsDelta(msgspec.Struct, frozen=True, gc=False):
    """A fragment of a tool call's argument text."""

    index: int
    fragment: str
    choice: int = 0


class RefusalDelta(msgspec.Struct, frozen=True, gc=False):
    index: int
    text: str
    choice: int = 0


class StateDelta(msgspec.Struct, frozen=True, gc=False):
    """The opaque state of an open reasoning part, whole."""

    index: int
    state: OpaqueState
    choice: int = 0


class CitationAdded(msgspec.Struct, frozen=True, gc=False):
    index: int
    citation: Citation
    choice: int = 0


class PartFinished(msgspec.Struct, frozen=True, gc=False):
    """``extras`` are keys of the part that came only at its end."""

    index: int
    choice: int = 0
    extras: Extras = {}


class LogprobsAdded(msgspec.Struct, frozen=True, gc=False):
    """Log probabilities of the last delta, as the upstream spelled them."""

    value: Json
    choice: int = 0


class UsageReported(msgspec.Struct, frozen=True, gc=False):
    """Cumulative; the last one counts."""

    usage: Usage


class ChoiceFinished(msgspec.Struct, frozen=True, gc=False):
    finish: Finish
    choice: int = 0
    extras: Extras = {}


class Heartbeat(msgspec.Struct, frozen=True, gc=False):
    """The upstream is alive and has nothing to say."""


class OpaqueEvent(msgspec.Struct, frozen=True, gc=False):
    """An event only ``origin`` knows, kept whole for the same protocol."""

    origin: ProtocolName
    kind: str
    value: Json


class Ended(msgspec.Struct, frozen=True, gc=False):
    """The upstream said that the answer is complete. ``extras`` are top-level keys that came after the start."""

    extras: Extras = {}


class Broke(msgspec.Struct, frozen=True, gc=False):
    """The answer is not complete and never will be. ``told``: the upstream itself says so; else it is what we make of it."""

    failure: Failure
    told: bool = False


StreamEvent = (
    Started
    | PartStarted
    | TextDelta
    | ReasoningDelta
    | ArgumentsDelta
    | RefusalDelta
    | StateDelta
    | CitationAdded
    | PartFinished
    | LogprobsAdded
    | UsageReported
    | ChoiceFinished
    | Heartbeat
    | OpaqueEvent
    | Ended
    | Broke
)
