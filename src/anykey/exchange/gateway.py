"""Everything the journey reads, in one place: the snapshot to route by, the keys, the way out, the recorder."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import msgspec

from anykey.exchange.affinity import Affinity
from anykey.exchange.calibration import Calibration
from anykey.exchange.carry import Carry
from anykey.exchange.ports import Headers, Keys, Monotonic, Recorder, WallClock
from anykey.exchange.reasoning_memory import ReasoningMemory
from anykey.exchange.responses.memory import ResponseMemory
from anykey.exchange.verified import VerifiedKeys
from anykey.protocols.catalog import CODECS
from anykey.protocols.envelope import derive_secret
from anykey.providers.configured import Timeouts
from anykey.routing.plan import PlanStep
from anykey.routing.snapshot import Snapshot
from anykey.upstream.client import UpstreamClient
from anykey.version import VERSION

WAYS_KEPT = 4096
LARGEST_ANSWER = 64 * 1024 * 1024
COMMON_HEADERS: Headers = (
    (b"content-type", b"application/json"),
    (b"user-agent", f"anykey/{VERSION}".encode()),
)


class WayOut(msgspec.Struct, frozen=True):
    """What every call to one deployment has in common, made once. ``headers`` hold the credential."""

    dialect: Any
    headers: Headers
    timeouts: Timeouts
    url: str
    stream_url: str
    name: bytes
    """The deployment's id, for the answer's header."""

    def __repr__(self) -> str:
        return f"WayOut({self.name!r})"


@dataclass(slots=True)
class Gateway:
    """One per process. ``keepalive_s``: how long an upstream may be silent before the client hears a keep-alive."""

    snapshot: Snapshot
    keys: Keys
    pepper: bytes = field(repr=False)
    upstream: UpstreamClient
    recorder: Recorder
    keepalive_s: float
    monotonic: Monotonic = time.monotonic
    wall_clock: WallClock = time.time
    memory: ResponseMemory | None = None
    """What is kept for Responses clients; None: nothing."""
    verified: VerifiedKeys = field(default_factory=VerifiedKeys, repr=False)
    calibration: Calibration = field(default_factory=Calibration, repr=False)
    carry: Carry = field(init=False, repr=False)
    affinity: Affinity = field(init=False, repr=False)
    _ways: dict[tuple[str, str], WayOut] = field(default_factory=dict[tuple[str, str], WayOut], repr=False)

    def __post_init__(self) -> None:
        secret = derive_secret(self.pepper)
        self.carry = Carry(secret, ReasoningMemory(self.monotonic))
        self.affinity = Affinity(secret)

    def way_out(self, step: PlanStep) -> WayOut:
        """The fixed part of a call to the step's endpoint."""
        key = (step.deployment.id, step.endpoint.protocol)
        way = self._ways.get(key)
        if way is None:
            if len(self._ways) >= WAYS_KEPT:  # model names come from callers, so there may be any number of them
                self._ways.clear()
            way = self._ways[key] = _way_out(step)
        return way


def _way_out(step: PlanStep) -> WayOut:
    endpoint = step.endpoint
    codec, model = CODECS[endpoint.protocol], step.deployment.model
    own = endpoint.auth_headers + endpoint.headers
    taken = {name for name, _ in own}
    return WayOut(
        dialect=codec.dialect(dict(endpoint.dialect)),
        headers=own + tuple(pair for pair in COMMON_HEADERS if pair[0] not in taken),
        timeouts=endpoint.timeouts,
        url=codec.call_url(endpoint.url, model, stream=False),
        stream_url=codec.call_url(endpoint.url, model, stream=True),
        name=step.deployment.id.encode("ascii", "replace"),
    )
