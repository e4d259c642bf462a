"""Everything the journey reads, in one place: the snapshot to route by, the keys, the way out, the recorder."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from anykey.accounts.networks import Network
from anykey.exchange.affinity import Affinity
from anykey.exchange.calibration import Calibration
from anykey.exchange.carry import Carry
from anykey.exchange.limiting import Limiter, MemoryLimiter
from anykey.exchange.named_calls import NamedCalls
from anykey.exchange.ports import Bodies, Keys, Monotonic, Recorder, SharedHealth, Till, WallClock
from anykey.exchange.prices import Prices
from anykey.exchange.reasoning_memory import ReasoningMemory
from anykey.exchange.responses.memory import ResponseMemory
from anykey.exchange.verified import VerifiedKeys
from anykey.exchange.ways import WayOut, Ways, authorise
from anykey.exchange.wellbeing import Wellbeing
from anykey.protocols.envelope import derive_secret
from anykey.providers.configured import StoredCredential
from anykey.routing.plan import PlanStep
from anykey.routing.pool import mark_of
from anykey.routing.snapshot import Snapshot
from anykey.upstream.client import UpstreamClient
from anykey.upstream.records import Call
from anykey.upstream.tokens import TokenSource

LARGEST_ANSWER = 64 * 1024 * 1024


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
    ways: Ways = field(default_factory=Ways, repr=False)
    prices: Prices = field(default_factory=Prices, repr=False)
    health: SharedHealth | None = None
    """What is not well, for all processes; None: each finds out for itself."""
    limiter: Limiter = field(default_factory=MemoryLimiter, repr=False)
    """Counts how fast keys call."""
    trusted_proxies: tuple[Network, ...] = ()
    """Whose word counts for where a call comes from."""
    named_calls: NamedCalls | None = None
    """The calls that have names; None: no name counts."""
    till: Till | None = None
    """Holds and settles the money of calls; None: nothing is held."""
    bodies: Bodies | None = None
    """Keeps what is said in the calls of keys that are logged in full; None: nothing is."""
    every_call: bool = False
    """The calls of keys without limits go through the till too."""
    assumed_output_tokens: int = 16_384
    """The longest answer of a model whose limit nobody knows."""
    unpriced: set[str] = field(default_factory=set[str], repr=False)
    """Deployments that were seen to have no price."""
    wellbeing: Wellbeing = field(init=False, repr=False)
    tokens: TokenSource = field(init=False, repr=False)
    shadows: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]], repr=False)
    """Copies of calls that are under way (``shadow``)."""

    def __post_init__(self) -> None:
        secret = derive_secret(self.pepper)
        self.carry = Carry(secret, ReasoningMemory(self.monotonic))
        self.affinity = Affinity(secret)
        self.wellbeing = Wellbeing(self.monotonic, self.wall_clock, self._marks_of, self.health)
        self.tokens = TokenSource(self.upstream, self.wall_clock)

    def adopt(self, snapshot: Snapshot) -> None:
        """Route by ``snapshot`` from now on. What is under way ends on the one it began with."""
        self.snapshot = snapshot
        self.ways.clear()
        self.prices.clear()

    def way_out(self, step: PlanStep, credential: StoredCredential | None = None) -> WayOut:
        """The fixed part of a call to the step's endpoint, with this credential of its, or with its first."""
        return self.ways.first(step) if credential is None else self.ways.of(step, credential)

    async def authorised(self, call: Call, way: WayOut) -> Call:
        """``call`` as it may go out on ``way``. UpstreamError or TokenRefused: there is no access token for it."""
        return call if way.authorised else await authorise(call, way, self.tokens, self.wall_clock())

    def _marks_of(self, provider: str) -> Iterator[str]:
        """The marks of the provider's credentials."""
        found = self.snapshot.by_name.get(provider)
        door = next(iter(found.endpoints.values()), None) if found is not None else None
        for credential in (door.credentials or (None,)) if door is not None else ():
            yield mark_of(credential, provider)
