"""What an operator wants tried, as one tree, whoever wrote it: a public model, a group's route, a scenario or a gateway config.

Law: a tree only says who may answer and in what order; whether a model is known, allowed and well is the planner's question.
Every way to configure routing becomes these four nodes, so there is one planner (`plan.py`) and one explanation (`explain.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from anykey.routing.ask import Facts

Spread = Literal["weighted", "least_busy", "lowest_latency", "lowest_cost"]


class Retry(msgspec.Struct, frozen=True):
    """How often one deployment is asked again before the next one is, and after which HTTP statuses of it. No statuses: after
    every failure that may pass by itself."""

    attempts: int = 0
    on_status: frozenset[int] = frozenset()


class Target(msgspec.Struct, frozen=True):
    """A leaf: a model at a provider.

    `provider` is a configured name, None: whoever serves the model. `model` is None for the model that was asked for; a `*` in
    it stands for what the wildcard of the asked name matched. `region` is a door's region. `overrides` are fields of the
    client's request that are set to another JSON value, as raw JSON by top-level name; `timeout_s` bounds the whole attempt.
    """

    provider: str | None = None
    model: str | None = None
    weight: int = 1
    name: str = ""
    """What conditions call this node."""
    region: str | None = None
    overrides: tuple[tuple[str, bytes], ...] = ()
    timeout_s: float | None = None
    retry: Retry | None = None
    custom_host: str | None = None
    """A base URL of the caller's own; the credential comes from the caller too. Only admin keys may say it."""


class Fallback(msgspec.Struct, frozen=True):
    """The nodes one after the other, until one answers. `on_status`: only after these HTTP statuses; empty: after every
    failure that another deployment may not share."""

    nodes: tuple[Node, ...]
    on_status: frozenset[int] = frozenset()
    weight: int = 1
    name: str = ""
    sticky: bool = False
    """A conversation goes back to whoever answered it last."""


class Balance(msgspec.Struct, frozen=True):
    """One of the nodes first, the others after it. `sticky`: a conversation always falls on the same one."""

    nodes: tuple[Node, ...]
    by: Spread = "weighted"
    sticky: bool = False
    falls_back: bool = True
    """Whether the others are tried at all."""
    weight: int = 1
    name: str = ""


class Branch(msgspec.Struct, frozen=True):
    """`holds` is asked of a call's facts; `source` is the condition as it was written, for explanations."""

    source: str
    holds: Callable[[Facts], bool]
    node: Node


class Conditional(msgspec.Struct, frozen=True):
    """The node of the first branch that holds, else `otherwise`; None there: the call is refused."""

    branches: tuple[Branch, ...]
    otherwise: Node | None
    weight: int = 1
    name: str = ""


Node = Target | Fallback | Balance | Conditional


def leaves_of(node: Node) -> Iterator[Target]:
    """Yield the leaves of a tree, in the order they are written."""
    if isinstance(node, Target):
        yield node
        return
    if isinstance(node, Conditional):
        inside = [branch.node for branch in node.branches] + ([node.otherwise] if node.otherwise is not None else [])
    else:
        inside = list(node.nodes)
    for child in inside:
        yield from leaves_of(child)
