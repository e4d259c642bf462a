"""The cost of one plan over a thousand deployments: no load and no sockets, only the decision, in this process."""

import statistics
import time
from dataclasses import dataclass

from anykey.providers.configured import ProviderSettings
from anykey.providers.load import catalogue
from anykey.routing.ask import Ask
from anykey.routing.building import build_snapshot
from anykey.routing.configured import STRATEGIES, ModelSettings, RoutingSettings, Strategy
from anykey.routing.plan import Plan, PlanStep, plan
from anykey.routing.tree import Target
from anykey.settings.doors import moved

PLAN_BAR_US = 60.0
DEPLOYMENTS = 1000
ROUNDS = 2000


@dataclass(frozen=True, slots=True)
class _Configuration:
    providers: tuple[ProviderSettings, ...]
    models: tuple[ModelSettings, ...]
    routing: RoutingSettings


class _Loaded:
    """A view in which one deployment rests, so that no plan is simply looked up, and all have some load."""

    all_well = False

    def resting(self, deployment: str) -> str | None:
        """Only one rests."""
        return "its circuit is open" if deployment == "lab/m500" else None

    def busy(self, deployment: str) -> int:
        """Calls under way."""
        return len(deployment)

    def latency_ms(self, deployment: str) -> float:
        """Milliseconds."""
        return float(len(deployment))


class Planning:
    """A public model on a thousand deployments by `strategy`."""

    def __init__(self, strategy: Strategy) -> None:
        kind = catalogue()["custom"]
        lab = ProviderSettings("lab", kind, moved(kind.endpoints, "http://127.0.0.1:9"))
        targets = tuple(Target("lab", f"m{number}", 1 + number % 7) for number in range(DEPLOYMENTS))
        self._snapshot = build_snapshot(
            _Configuration((lab,), (ModelSettings("m", targets, strategy=strategy),), RoutingSettings())
        )
        self._view = _Loaded()
        self.first(0.0)  # what is computed once is not what is measured

    def first(self, roll: float) -> PlanStep:
        """Plan a call and look at whom it would ask first."""
        made = plan(self._snapshot, Ask(model="m", protocol="openai_chat", roll=roll), self._view)
        if not isinstance(made, Plan):
            raise TypeError(made.message)
        return made.first


def plan_us() -> float:
    """Microseconds of the median plan of the slowest strategy."""
    return max(_median_us(Planning(strategy)) for strategy in STRATEGIES)


def _median_us(planning: Planning) -> float:
    taken: list[int] = []
    for number in range(ROUNDS):
        start = time.perf_counter_ns()
        planning.first(number / ROUNDS)
        taken.append(time.perf_counter_ns() - start)
    return statistics.median(taken) / 1000
