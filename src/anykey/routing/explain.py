"""A plan told in full: how the name was understood, every call in its order with why it stands there, who is left out and why,
what would follow a call that was too long or refused. Nothing is sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import msgspec

from anykey.routing.planned import Plan, PlanStep

MOST_STEPS = 100


class ExplainedStep(msgspec.Struct, frozen=True):
    """One upstream call. `carriage` is `verbatim` or `translated`; `overrides` are the names of the fields that are set."""

    deployment: str
    provider: str
    model: str
    protocol: str
    region: str
    url: str
    carriage: str
    why: str
    overrides: tuple[str, ...] = ()
    timeout_s: float | None = None
    attempts: int = 1
    """How often it is asked before the next one is."""
    on_status: tuple[int, ...] = ()
    """The statuses after which the next one is asked; empty: after every failure it may not share."""


class Left(msgspec.Struct, frozen=True):
    """Who is not asked, and why."""

    deployment: str
    why: str


class Explanation(msgspec.Struct, frozen=True):
    """The plan of a call, worked out to its end (at most MOST_STEPS steps)."""

    model_asked: str
    model: str
    rule: str
    group: str
    scenario: str | None
    config: str | None
    reasons: tuple[str, ...]
    steps: tuple[ExplainedStep, ...]
    all_resting: bool
    left_out: tuple[Left, ...]
    if_too_long: tuple[ExplainedStep, ...]
    if_refused: tuple[ExplainedStep, ...]
    shadow: tuple[ExplainedStep, ...]
    sticky: bool


def explain(plan: Plan) -> Explanation:
    """Return everything that was decided for `plan`, and what would be."""
    steps = _explained(plan.steps)
    return Explanation(
        model_asked=plan.model_asked,
        model=plan.model,
        rule=plan.resolved_by,
        group=plan.group,
        scenario=plan.scenario,
        config=plan.config,
        reasons=plan.reasons,
        steps=steps,
        all_resting=plan.all_resting,
        left_out=tuple(Left(out.deployment, out.why) for out in islice(plan.left_out, MOST_STEPS)),
        if_too_long=_explained(plan.after("context_too_long")),
        if_refused=_explained(plan.after("content_blocked")),
        shadow=_explained(plan.shadow),
        sticky=plan.sticky,
    )


def _explained(steps: Iterable[PlanStep]) -> tuple[ExplainedStep, ...]:
    return tuple(
        ExplainedStep(
            deployment=step.deployment.id,
            provider=step.deployment.provider,
            model=step.deployment.model,
            protocol=step.endpoint.protocol,
            region=step.endpoint.region,
            url=step.endpoint.url,
            carriage=step.reason,
            why=step.why,
            overrides=tuple(name for name, _ in step.overrides),
            timeout_s=step.timeout_s,
            attempts=1 + (step.retry.attempts if step.retry else 0),
            on_status=tuple(sorted(step.on_status)),
        )
        for step in islice(steps, MOST_STEPS)
    )
