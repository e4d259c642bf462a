"""What the planner is asked: who calls, for which model, and what the call says of itself.

The model and the protocol are always known. Everything in `Facts` costs a look into the body, so it is asked for only where a
scenario, a condition or a group needs it, once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec

from anykey.conversation.parts import ProtocolName

if TYPE_CHECKING:
    from anykey.routing.tree import Node

NO_TEXTS: Mapping[str, str] = {}


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What can be known of a call before it is sent. `tokens` is an estimate of its input; `headers` have lower-case names and
    hold no credential; `client` is the calling program's id."""

    model: str
    protocol: str
    client: str = ""
    key: str = ""
    group: str = ""
    stream: bool = False
    tokens: int = 0
    max_tokens: int | None = None
    tools: int = 0
    images: int = 0
    web_search: bool = False
    thinking: bool = False
    effort: str = ""
    background: str = ""
    """What small helper call of a client program it is: a title, a summary, a compaction; empty: it is none."""
    metadata: Mapping[str, str] = NO_TEXTS
    headers: Mapping[str, str] = NO_TEXTS


class Grant(msgspec.Struct, frozen=True):
    """What a key may be routed to. Each of `caps` is a list of globs of model names; a name must fit one glob of every cap."""

    key: str = ""
    group: str = "default"
    caps: tuple[tuple[str, ...], ...] = ()
    config: str | None = None
    admin: bool = False
    cap_sources: tuple[str, ...] = ()
    """Whose list each cap is, in words."""


class View(Protocol):
    """How the deployments are doing now, as the planner may ask it; `exchange` keeps it."""

    @property
    def all_well(self) -> bool:
        """Nobody rests."""
        ...

    def resting(self, deployment: str) -> str | None:
        """Why this deployment is not to be asked now; None: it is well."""
        ...

    def busy(self, deployment: str) -> int:
        """Calls under way."""
        ...

    def latency_ms(self, deployment: str) -> float:
        """A decaying mean of the time to its first token; 0 where nothing is known."""
        ...


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One call to be planned. `roll` is a number in [0, 1) that decides what is left to chance: the same ask with the same roll
    and the same view has the same plan. `mark` names the conversation ("": none); where a strategy is sticky it takes the
    place of the roll. `provider`, `region` and `config` are what the call itself says in its headers."""

    model: str
    protocol: ProtocolName
    grant: Grant = Grant()
    facts: Callable[[], Facts] | None = None
    mark: Callable[[], str | None] | None = None
    roll: float = 0.0
    provider: str | None = None
    region: str | None = None
    config: Node | None = None
