"""From a call to the ordered upstream calls that may answer it, each with its reason.

The name is rewritten, looked at by the lists of who calls, perhaps replaced by what the call's scenario leads to, and understood
(`deciding.py`, `resolution.py`); a gateway config may then say who answers. What comes of it is a tree (`tree.py`), which is
walked lazily (`walking.py`). A plan that is the same for every call is kept, and is a lookup from then on; while somebody rests,
only one with a single step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from anykey.conversation.parts import ProtocolName
from anykey.routing.ask import Ask, View
from anykey.routing.configured import split_path
from anykey.routing.deciding import LONGEST_KEPT_NAME, Decided, decide, keep
from anykey.routing.groups import Scope, scope_of
from anykey.routing.leaves import Inside, Leaves
from anykey.routing.planned import Following, LazySteps, Plan, PlanStep, Unroutable
from anykey.routing.refusals import nowhere
from anykey.routing.resolution import Meaning
from anykey.routing.snapshot import Group, Snapshot
from anykey.routing.tree import Fallback, Node, Target
from anykey.routing.walking import Place, Walk

__all__ = ["Plan", "PlanStep", "Unroutable", "known_plan", "plan", "step_at"]

_MOST_FIXED = 16
"""A plan with more steps is worked out step by step for each call, since few of them are ever looked at."""


class _Kept(NamedTuple):
    """What is remembered of a name. `plan` None: it differs from call to call."""

    decided: Decided
    plan: Plan | None


def plan(snapshot: Snapshot, ask: Ask, view: View | None = None) -> Plan | Unroutable:
    """Return the plan of a call. `view` None: everybody is well, and nothing is known of load and latency."""
    scope = scope_of(ask.grant)
    # What the call itself says of its way is without end, so nothing of it is kept.
    free = ask.provider is None and ask.region is None and ask.config is None
    known: _Kept | None = snapshot.plans.get((ask.model, ask.protocol, scope)) if free else None
    if known is None:
        decided = decide(snapshot, ask, free=free)
        if isinstance(decided, Unroutable):
            return decided
        known = _Kept(decided, _fixed(decided, ask) if free else None)
        if free and decided.group.scenarios is None and len(ask.model) <= LONGEST_KEPT_NAME:
            keep(snapshot, (ask.model, ask.protocol, scope), known)
    if known.plan is not None and (known.plan.single or view is None or view.all_well):
        return known.plan
    return _walked(known.decided, ask, view)


def known_plan(snapshot: Snapshot, model: str, protocol: str, scope: Scope, view: View) -> Plan | None:
    """Return the plan of a name that is the same for every call and was made before: one look."""
    known: _Kept | None = snapshot.plans.get((model, protocol, scope))
    if known is None or known.plan is None or not (view.all_well or known.plan.single):
        return None
    return known.plan


def step_at(snapshot: Snapshot, deployment: str, protocol: ProtocolName) -> PlanStep | None:
    """Return the call of a deployment by its id, whatever names, groups and lists say; None: it is not configured any more."""
    provider, model = split_path(deployment)
    target = Target(provider, model)
    found = Leaves(snapshot, Meaning("provider_path", deployment, deployment, target), protocol, Group("")).find(target)
    return found if model and isinstance(found, PlanStep) else None


def _fixed(decided: Decided, ask: Ask) -> Plan | None:
    """The plan that is the same for every call: a few leaves in a fixed order, and no copies; None: there is none."""
    public = decided.leaves.meaning.public
    if (public is not None and public.shadow) or not 0 < _leaves_in_order(
        decided.node, decided.leaves, 0
    ) <= _MOST_FIXED:
        return None
    bare = Ask(model=ask.model, protocol=ask.protocol, grant=ask.grant)  # what is kept must not keep a call
    steps = _steps(decided, bare, None)
    return _plan(tuple(steps), decided, bare, None, steps) if steps else None


def _leaves_in_order(node: Node, leaves: Leaves, depth: int) -> int:
    """How many leaves a tree has, where its order depends on nothing; more than _MOST_FIXED where it does."""
    if isinstance(node, Target):
        found = leaves.find(node) if depth < _MOST_FIXED else None
        return _leaves_in_order(found.node, found.leaves, depth + 1) if isinstance(found, Inside) else 1
    if not isinstance(node, Fallback) or depth > _MOST_FIXED or len(node.nodes) > _MOST_FIXED:
        return _MOST_FIXED + 1
    return sum(_leaves_in_order(child, leaves, depth + 1) for child in node.nodes)


def _walked(decided: Decided, ask: Ask, view: View | None) -> Plan | Unroutable:
    """The plan whose steps are worked out when they are looked at; the first one is, to know that there is one."""
    steps = _steps(decided, ask, view)
    return _plan(steps, decided, ask, view, steps) if steps else nowhere(steps.left_out)


def _steps(decided: Decided, ask: Ask, view: View | None) -> LazySteps:
    walk, start = Walk(ask, view), Place("", ask.roll, guarded=decided.guarded)
    return LazySteps(lambda steps: walk.well(steps, decided.node, decided.leaves, start))


def _plan(steps: Sequence[PlanStep], decided: Decided, ask: Ask, view: View | None, source: LazySteps) -> Plan:
    meaning, node = decided.leaves.meaning, decided.node
    return Plan(
        steps=steps,
        model_asked=ask.model,
        resolved_by=meaning.rule,
        model=meaning.model,
        group=decided.group.name,
        scenario=decided.scenario,
        config=decided.config,
        reasons=decided.reasons,
        shadow=_shadow(decided.leaves, ask.roll),
        sticky=isinstance(node, Fallback) and node.sticky,
        left_out=source.left_out,
        following=_following(steps, decided.leaves, ask, view),
    )


def _shadow(leaves: Leaves, roll: float) -> tuple[PlanStep, ...]:
    """The copy of the call that its public model wants for so many calls in a hundred."""
    public = leaves.meaning.public
    if public is None or public.shadow is None:
        return ()
    target, percent = public.shadow
    # Another digit of the roll than the one that chose the deployment, so that a copy is made of calls to all of them.
    if (roll * 1_000_003) % 1.0 * 100 >= percent:
        return ()
    found = leaves.find(target)
    return (msgspec.structs.replace(found, why=f"shadow of {percent:g} %"),) if isinstance(found, PlanStep) else ()


def _following(steps: Sequence[PlanStep], leaves: Leaves, ask: Ask, view: View | None) -> Following | None:
    """What else to try after a failure that only some deployments share; None where nothing could come."""
    public = leaves.meaning.public
    configured = {
        "context_too_long": public.larger if public else (),
        "content_blocked": public.on_content_policy if public else (),
    }
    if not isinstance(steps, LazySteps) and len(steps) == 1 and not any(configured.values()):
        return None

    def follow(kind: str, failed: PlanStep | None, seen: View | None) -> Iterable[PlanStep]:
        targets = configured.get(kind, ())
        if not targets:
            return _larger(steps, leaves, failed) if kind == "context_too_long" else ()
        why = "its window is larger" if kind == "context_too_long" else "the provider's content filter refused"
        walk = Walk(ask, seen or view)
        return LazySteps(lambda made: walk.well(made, Fallback(targets), leaves, Place(why, ask.roll)))

    return follow


def _larger(steps: Sequence[PlanStep], leaves: Leaves, failed: PlanStep | None) -> Iterator[PlanStep]:
    """The plan's other steps whose models are known to take more than the one that failed."""
    failed = failed or steps[0]
    limit = leaves.context_tokens(failed)
    for step in steps if limit is not None else ():
        tokens = leaves.context_tokens(step)
        if tokens is not None and limit is not None and tokens > limit and step.identity != failed.identity:
            yield msgspec.structs.replace(step, why=f"its window is larger: {tokens:,} tokens")
