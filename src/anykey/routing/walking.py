"""Walks a tree and yields the calls it stands for, one by one, each with why it stands there. Lazily: a plan whose first call
answers costs one leaf, however large the tree.

Law: a deployment comes once; one that the call may not use is left out with the reason; one that rests is left out too, unless
every one of them rests: then they come in order all the same. Every walk ends: a leaf that names a model leads into the tree
of that model, and `_DEEPEST` bounds such chains.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from anykey.routing.ask import Ask, Facts, View
from anykey.routing.groups import refusing_cap
from anykey.routing.leaves import Inside, Leaves
from anykey.routing.planned import LazySteps, LeftOut, PlanStep
from anykey.routing.strategies import ranked, weighted
from anykey.routing.tree import Balance, Conditional, Fallback, Node, Target

_DEEPEST = 16
_FIRST = {
    "weighted": "weighted",
    "least_busy": "least busy:",
    "lowest_latency": "quickest:",
    "lowest_cost": "cheapest:",
}
_EVERY_FAILURE: frozenset[int] = frozenset()


class Place(NamedTuple):
    """Where in the tree the walk is: why it came here, what is left of the roll, after which statuses it may go on."""

    why: str
    roll: float
    on_status: frozenset[int] = _EVERY_FAILURE
    depth: int = 0
    guarded: bool = False
    """The caller chose the tree, so each leaf of it must be a name that its key may ask for."""

    def inside(self, why: str, roll: float | None = None, on_status: frozenset[int] | None = None) -> Place:
        """One level further down."""
        return self._replace(
            why=f"{self.why}; {why}" if self.why and why else self.why or why,
            roll=self.roll if roll is None else roll,
            on_status=self.on_status if on_status is None else on_status,
            depth=self.depth + 1,
        )


class Walk:
    """One call on its way through trees."""

    __slots__ = ("_ask", "_facts", "_left_out", "_sticky_roll", "_view")

    def __init__(self, ask: Ask, view: View | None) -> None:
        self._ask = ask
        self._view = view
        self._left_out: list[LeftOut] = []
        self._facts: Facts | None = None
        self._sticky_roll: float | None = None

    def facts(self) -> Facts:
        """What the call says of itself, looked up once."""
        if self._facts is None:
            ask = self._ask
            known = ask.facts() if ask.facts is not None else None
            self._facts = known or Facts(
                model=ask.model, protocol=ask.protocol, key=ask.grant.key, group=ask.grant.group
            )
        return self._facts

    def well(self, steps: LazySteps, node: Node, leaves: Leaves, place: Place) -> Iterator[PlanStep]:
        """Yield the calls of a tree, those that rest left out; into `steps` goes what becomes known meanwhile."""
        self._left_out = steps.left_out
        seen: set[object] = set()
        resting: list[PlanStep] = []
        found = False
        for step in self._walk(node, leaves, place):
            identity = step.identity
            if identity in seen:
                continue
            seen.add(identity)
            reason = self._view.resting(step.deployment.id) if self._view is not None and step.custom is None else None
            if reason is None:
                found = True
                yield step
            else:
                self._left_out.append(LeftOut(step.deployment.id, reason))
                resting.append(msgspec.structs.replace(step, why=f"{step.why}; all rest: {reason}"))
        if not found:
            steps.all_resting = bool(resting)
            yield from resting

    def _walk(self, node: Node, leaves: Leaves, place: Place) -> Iterator[PlanStep]:
        if place.depth > _DEEPEST:
            self._left_out.append(LeftOut(leaves.meaning.name, "the names lead too deep"))
        elif isinstance(node, Target):
            yield from self._leaf(node, leaves, place)
        elif isinstance(node, Fallback):
            yield from self._fallback(node, leaves, place)
        elif isinstance(node, Balance):
            yield from self._balance(node, leaves, place)
        else:
            yield from self._conditional(node, leaves, place)

    def _leaf(self, target: Target, leaves: Leaves, place: Place) -> Iterator[PlanStep]:
        ask = self._ask
        refused = None
        if place.guarded or (ask.provider is not None and target.provider is None):
            refused = self._refused(target, leaves)
        if refused is not None:
            self._left_out.append(refused)
            return
        found = leaves.find(target, ask.provider, ask.region)
        if isinstance(found, LeftOut):
            self._left_out.append(found)
        elif isinstance(found, Inside):
            name = found.leaves.meaning.name
            # The caller may use the name, and whatever the operator put behind it.
            inner = place.inside(f"model {name}" if target.model is not None else "")._replace(guarded=False)
            for step in self._walk(found.node, found.leaves, inner):
                yield _with_wishes(step, target)
        else:
            step = msgspec.structs.replace(found, why=place.why or "the only one", on_status=place.on_status)
            yield _with_wishes(step, target)

    def _fallback(self, node: Fallback, leaves: Leaves, place: Place) -> Iterator[PlanStep]:
        last = len(node.nodes) - 1
        for position, child in enumerate(node.nodes):
            why = (
                "" if last == 0 else "first by priority" if position == 0 else f"fallback {position + 1} of {last + 1}"
            )
            on_status = None if position == last else node.on_status
            yield from self._walk(child, leaves, place.inside(_named(child, why), on_status=on_status))

    def _balance(self, node: Balance, leaves: Leaves, place: Place) -> Iterator[PlanStep]:
        count = len(node.nodes)
        for turn, (position, why, roll) in enumerate(self._order(node, leaves, place.roll)):
            child = node.nodes[position]
            told = f"{_FIRST[node.by]} {why}" if turn == 0 else f"next: {why}"
            on_status = None if turn == count - 1 or not node.falls_back else _EVERY_FAILURE
            yield from self._walk(child, leaves, place.inside(_named(child, told), roll, on_status))
            if not node.falls_back:
                return

    def _order(self, node: Balance, leaves: Leaves, roll: float) -> Iterator[tuple[int, str, float]]:
        """Yield (place, why, roll) of the nodes in the order of the strategy. A sticky one draws by the conversation; least busy
        and quickest are then given up for it, since they change from turn to turn."""
        if node.by == "lowest_cost":
            for price, position in leaves.by_cost(node):
                yield position, _cost(price), roll
            return
        sticky = self._sticky() if node.sticky else None
        view = self._view
        if sticky is not None or node.by == "weighted" or view is None:
            sums = leaves.sums(node)
            for choice in weighted(sums, roll if sticky is None else sticky):
                share = f"{node.nodes[choice.place].weight} of {sums[-1]}"
                yield choice.place, share if sticky is None else f"{share}, sticky", choice.roll
            return

        def metric(position: int) -> float:
            child = node.nodes[position]
            deployment = leaves.deployment(child)
            if node.by == "lowest_latency":
                return view.latency_ms(deployment)
            return (view.busy(deployment) + 1) / child.weight if child.weight > 0 else float("inf")

        for choice in ranked(len(node.nodes), metric, roll):
            deployment = leaves.deployment(node.nodes[choice.place])
            known = (
                f"{view.busy(deployment)} under way"
                if node.by == "least_busy"
                else _latency(view.latency_ms(deployment))
            )
            yield choice.place, known, choice.roll

    def _conditional(self, node: Conditional, leaves: Leaves, place: Place) -> Iterator[PlanStep]:
        for branch in node.branches:
            if branch.holds(self.facts()):
                yield from self._walk(
                    branch.node, leaves, place.inside(_named(branch.node, f"because {branch.source}"))
                )
                return
        if node.otherwise is None:
            self._left_out.append(LeftOut(node.name or "conditional", "none of its conditions holds", "no_branch"))
        else:
            yield from self._walk(node.otherwise, leaves, place.inside(_named(node.otherwise, "no condition holds")))

    def _sticky(self) -> float | None:
        """A number in [0, 1) that is the same for every turn of a conversation, on every machine; None: it has no mark."""
        if self._sticky_roll is None and self._ask.mark is not None:
            mark = self._ask.mark()
            if mark is not None:
                text = f"{self._ask.grant.key}\n{mark}".encode(errors="replace")
                self._sticky_roll = (int.from_bytes(hashlib.blake2b(text, digest_size=8).digest()) >> 11) / 2**53
        return self._sticky_roll

    def _refused(self, target: Target, leaves: Leaves) -> LeftOut | None:
        """What a caller's own tree, or the provider that his header names, makes of a leaf, and his key may not ask for. It is
        looked at by the text it would be asked with."""
        provider = target.provider or self._ask.provider
        if target.model is None and provider is None:
            return None  # the name that was asked for was looked at already
        model = leaves.model_of(target, provider)
        name = model if provider is None or target.custom_host is not None else f"{provider.removeprefix('@')}/{model}"
        cap = refusing_cap(self._ask.grant, (name,))
        return None if cap is None else LeftOut(name, f"{cap} does not allow it", "model_not_allowed")


def _with_wishes(step: PlanStep, target: Target) -> PlanStep:
    """What a leaf says of its call, on top of what the leaves inside it say."""
    if not target.overrides and target.timeout_s is None and target.retry is None:
        return step
    return msgspec.structs.replace(
        step,
        overrides=tuple({**dict(target.overrides), **dict(step.overrides)}.items()),
        timeout_s=step.timeout_s or target.timeout_s,
        retry=step.retry or target.retry,
    )


def _named(node: Node, why: str) -> str:
    """The reason, with the node's own name if it has one."""
    return f"{node.name}: {why}" if node.name and why else node.name or why


def _cost(price: float) -> str:
    return "price not known" if price == float("inf") else f"{price / 1_000_000:.4g} USD per million"


def _latency(latency_ms: float) -> str:
    return f"{latency_ms:.0f} ms" if latency_ms else "latency not known yet"
