"""How far the estimate of tokens is off for each deployment, learnt from the usage that its upstream reports.

For some requests that are decoded anyway the estimate is made too, and compared with the input tokens of the answer; a
deployment's factor is the moving average of that ratio. An estimate of a 76 KB request costs a tenth of a millisecond, so the
first answers of a deployment are all compared and then one in ``ONE_IN``. Kept in memory only: it is learnt anew in a minute.
"""

from __future__ import annotations

FIRST_SAMPLES = 8
MOST_TRIES = 32
"""Calls after which a deployment that reports nothing to compare with is no longer asked each time."""
ONE_IN = 16
WEIGHT = 1 / 16
"""Of a new ratio, once there are more than 1 / ``WEIGHT`` of them; before, all count the same."""

LEAST, MOST = 0.25, 4.0
"""A ratio outside says that the two did not count the same thing."""

SMALLEST = 32
"""Tokens below which the fixed cost of a chat template hides the ratio."""

MOST_DEPLOYMENTS = 4096


class _Learnt:
    __slots__ = ("calls", "factor", "samples")

    def __init__(self) -> None:
        self.calls = 0
        self.samples = 0
        self.factor = 1.0


class Calibration:
    """Factors by deployment id (``provider/model``)."""

    __slots__ = ("_learnt",)

    def __init__(self) -> None:
        self._learnt: dict[str, _Learnt] = {}

    def wants(self, deployment: str) -> bool:
        """Whether the call that is about to be made should be estimated. Counts the call."""
        learnt = self._learnt.get(deployment)
        if learnt is None:
            if len(self._learnt) >= MOST_DEPLOYMENTS:  # model names come from callers
                self._learnt.clear()
            learnt = self._learnt[deployment] = _Learnt()
        learnt.calls += 1
        is_new = learnt.samples < FIRST_SAMPLES and learnt.calls <= MOST_TRIES
        return is_new or learnt.calls % ONE_IN == 0

    def learn(self, deployment: str, estimated: int, counted: int) -> None:
        """The request estimated at ``estimated`` tokens had ``counted`` by the upstream."""
        if min(estimated, counted) < SMALLEST or not LEAST <= counted / estimated <= MOST:
            return
        learnt = self._learnt.setdefault(deployment, _Learnt())
        learnt.samples += 1
        weight = max(1 / learnt.samples, WEIGHT)
        learnt.factor += weight * (counted / estimated - learnt.factor)

    def factor(self, deployment: str) -> float | None:
        """What an estimate must be multiplied by; None while nothing is known."""
        learnt = self._learnt.get(deployment)
        return learnt.factor if learnt is not None and learnt.samples else None
