"""What planning gives: the upstream calls that may answer, in order, each with its reason; or why there are none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, overload

import msgspec

from anykey.protocols.hosted import HostedRule
from anykey.routing.ask import View
from anykey.routing.configured import DEFAULT_GROUP
from anykey.routing.snapshot import Deployment, Endpoint
from anykey.routing.tree import Retry

UnroutableCode = Literal[
    "model_not_found",
    "provider_not_found",
    "no_endpoint",
    "region_not_found",
    "model_not_allowed",
    "group_not_found",
    "config_not_found",
    "no_branch",
]


class LeftOut(NamedTuple):
    """A deployment (or the name of one) that is not asked, and why. `code` is what a caller is told if nobody else is left."""

    deployment: str
    why: str
    code: UnroutableCode = "no_endpoint"


class PlanStep(msgspec.Struct, frozen=True):
    """One call that may answer. `verbatim`: the door speaks the caller's protocol; else it is translated. `hosted` says
    what becomes of the call if it has hosted tools that cannot be run there."""

    deployment: Deployment
    endpoint: Endpoint
    reason: Literal["verbatim", "translated"]
    hosted: HostedRule
    why: str = ""
    """Why it stands at its place, in a few words."""
    overrides: tuple[tuple[str, bytes], ...] = ()
    """Fields of the client's request to set to other JSON values."""
    timeout_s: float | None = None
    retry: Retry | None = None
    on_status: frozenset[int] = frozenset()
    """The HTTP statuses after which the next step may be tried; empty: after every failure it may not share."""
    custom: str | None = None
    """The base URL that the caller gave instead of the provider's; no credential of ours goes there."""

    @property
    def identity(self) -> tuple[str, str, tuple[tuple[str, bytes], ...]]:
        """Two steps with the same are the same call."""
        return self.deployment.id, self.endpoint.url, self.overrides


class Unroutable(msgspec.Struct, frozen=True):
    """Nothing here answers to that name. `message` is for the caller and says what there is."""

    code: UnroutableCode
    message: str


class LazySteps(Sequence[PlanStep]):
    """Steps that are worked out when somebody looks at them, once. `left_out` grows meanwhile. `all_resting`: every one of them
    rests, so they are given all the same; true only once the first was looked at."""

    __slots__ = ("_made", "_source", "all_resting", "left_out")

    def __init__(self, source: Callable[[LazySteps], Iterator[PlanStep]]) -> None:
        self.left_out: list[LeftOut] = []
        self.all_resting = False
        self._made: list[PlanStep] = []
        self._source: Iterator[PlanStep] | None = source(self)

    def __iter__(self) -> Iterator[PlanStep]:
        at = 0
        while at < len(self._made) or self._grow():
            yield self._made[at]
            at += 1

    @overload
    def __getitem__(self, index: int) -> PlanStep: ...
    @overload
    def __getitem__(self, index: slice) -> list[PlanStep]: ...
    def __getitem__(self, index: int | slice) -> PlanStep | list[PlanStep]:
        if isinstance(index, slice) or index < 0:
            len(self)
        else:
            while index >= len(self._made) and self._grow():
                pass
        return self._made[index]

    def __len__(self) -> int:
        """How many there are: all are worked out."""
        while self._grow():
            pass
        return len(self._made)

    def __bool__(self) -> bool:
        return bool(self._made) or self._grow()

    def _grow(self) -> bool:
        if self._source is None:
            return False
        step = next(self._source, None)
        if step is None:
            self._source = None
            return False
        self._made.append(step)
        return True


Following = Callable[[str, PlanStep | None, View | None], Iterable[PlanStep]]


class Plan(msgspec.Struct, frozen=True):
    """The steps to try in order, never none; all may be gone through more than once. `resolved_by` says which rule understood
    the name, `model` the public name that is served after rewriting and scenario."""

    steps: Sequence[PlanStep]
    model_asked: str
    resolved_by: str
    model: str = ""
    group: str = DEFAULT_GROUP
    scenario: str | None = None
    config: str | None = None
    reasons: tuple[str, ...] = ()
    """What was decided on the way from the name to the steps, and why."""
    shadow: tuple[PlanStep, ...] = ()
    """Copies of the call to send beside it; their answers are thrown away."""
    sticky: bool = False
    """A conversation goes back to whoever answered it last."""
    left_out: Sequence[LeftOut] = ()
    """Who is not asked, as far as the steps were worked out."""
    following: Following | None = None

    @property
    def first(self) -> PlanStep:
        """The step to begin with."""
        return self.steps[0]

    @property
    def single(self) -> bool:
        """There is exactly one step, whatever the state of the world."""
        return not isinstance(self.steps, LazySteps) and len(self.steps) == 1

    @property
    def all_resting(self) -> bool:
        """Every deployment rests; the steps are there in order all the same."""
        return isinstance(self.steps, LazySteps) and bool(self.steps) and self.steps.all_resting

    def after(self, failure_kind: str, failed: PlanStep | None = None, view: View | None = None) -> Iterable[PlanStep]:
        """Return further steps, worked out as they are looked at, for a call that failed with `context_too_long` or
        `content_blocked` at `failed` (None: at the first step); none for other failures or where nothing is configured. `view`
        None: the one the plan was made with."""
        return () if self.following is None else self.following(failure_kind, failed, view)
