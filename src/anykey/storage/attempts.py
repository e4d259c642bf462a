"""What each try of a call came to, as JSON in its usage row. A call that its first try answered at once has none."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from anykey.conversation.failures import Failure

Outcome = Literal["answered", "failed", "skipped"]
MOST_RECORDS = 32
"""Of a call; a plan may skip any number of deployments."""
LONGEST_REASON = 300


class AttemptRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """One try. `number` counts the calls that were made, 0 for one that was skipped; `status` is the upstream's HTTP status,
    `failure` a Failure's kind; `began_ms` is the time since the client's call began. `reconnected`: the call was first written to
    a kept-alive connection that turned out to be dead, and then to a new one."""

    number: int
    deployment: str
    outcome: Outcome
    began_ms: int
    took_ms: int = 0
    credential: str | None = None
    protocol: str | None = None
    status: int | None = None
    failure: str | None = None
    reason: str | None = None
    retry_after_s: float | None = None
    reconnected: bool = False


class Place(NamedTuple):
    """Whom a record is about, and whether it took a new connection to ask it."""

    deployment: str
    credential: str | None = None
    protocol: str | None = None
    reconnected: bool = False


def skipped(
    place: Place, began_ms: int, why: str, failure: Failure | None = None, wait_s: float | None = None
) -> AttemptRecord:
    """Nothing was asked of it, and `why`; `wait_s`: for how much longer."""
    return AttemptRecord(
        0,
        place.deployment,
        "skipped",
        began_ms,
        credential=place.credential,
        protocol=place.protocol,
        failure=failure.kind if failure is not None else None,
        reason=why[:LONGEST_REASON],
        retry_after_s=None if wait_s is None else round(wait_s, 3),
    )


def failed(place: Place, number: int, began_ms: int, took_ms: int, failure: Failure) -> AttemptRecord:
    """It was asked, and failed before any content."""
    return AttemptRecord(
        number,
        place.deployment,
        "failed",
        began_ms,
        took_ms,
        place.credential,
        place.protocol,
        failure.upstream_status,
        failure.kind,
        failure.message[:LONGEST_REASON],
        failure.retry_after_s,
        place.reconnected,
    )


def answered(place: Place, number: int, began_ms: int, took_ms: int, status: int) -> AttemptRecord:
    """Its answer went to the client."""
    return AttemptRecord(
        number,
        place.deployment,
        "answered",
        began_ms,
        took_ms,
        place.credential,
        place.protocol,
        status,
        reconnected=place.reconnected,
    )


def as_text(records: Sequence[AttemptRecord]) -> str | None:
    """JSON text for the usage row; None: the first try answered."""
    return msgspec.json.encode(records[:MOST_RECORDS]).decode() if records else None


def read_text(text: str | None) -> list[AttemptRecord]:
    """The records of a row."""
    return msgspec.json.decode(text, type=list[AttemptRecord]) if text else []
