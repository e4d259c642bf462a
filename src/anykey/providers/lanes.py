"""Keeps the lanes of a vendor apart: which addresses a kind may be called at, and that no credential serves two lanes.

Law: what a lane costs follows from its address, and whose quota is spent from its key. So a kind with a lane rule is called
only where that rule allows, and a credential belongs to one lane of a vendor.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import combinations
from typing import NamedTuple
from urllib.parse import urlsplit

from anykey.providers.configured import ProviderSettings
from anykey.providers.load import catalogue
from anykey.providers.records import LaneRule, ProviderKind
from anykey.providers.secret import Secret


class SharedCredential(NamedTuple):
    """Two providers of one vendor, of different lanes, that would use one credential."""

    first: ProviderSettings
    second: ProviderSettings


def allows(rule: LaneRule, url: str) -> bool:
    """Say whether a kind of this rule may be called at `url`. What must be in an address is asked at the vendor's hosts only: a
    proxy in front of them may have paths of its own."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/") + "/"
    if any(f"{mark}/" in path for mark in rule.url_must_not_contain):
        return False
    host = parts.hostname or ""
    if not rule.url_must_contain or not any(host == end or host.endswith(f".{end}") for end in rule.hosts):
        return True
    return any(f"{mark}/" in path for mark in rule.url_must_contain)


def kind_for(rule: LaneRule, url: str) -> ProviderKind | None:
    """Return the lane of the rule's vendor that `url` belongs to: one that asks for what it holds, else one that allows it."""
    lanes = [kind for kind in catalogue().values() if kind.lane_rule and kind.lane_rule.vendor == rule.vendor]
    fitting = [kind for kind in lanes if kind.lane_rule and allows(kind.lane_rule, url)]
    fitting.sort(key=lambda kind: not (kind.lane_rule and kind.lane_rule.url_must_contain))
    return fitting[0] if fitting else None


def shared_credentials(providers: Iterable[ProviderSettings]) -> Iterator[SharedCredential]:
    """Yield each pair of providers that are different lanes of one vendor with a credential in common."""
    with_rule = [provider for provider in providers if provider.kind.lane_rule is not None]
    for first, second in combinations(with_rule, 2):
        if _vendor(first) == _vendor(second) and first.kind.id != second.kind.id and _secrets(first) & _secrets(second):
            yield SharedCredential(first, second)


def owners_of(base_url: str) -> tuple[str, ...]:
    """Return the ids of the kinds whose own address `base_url` is. Servers of one's own have no fixed address."""
    return _owners().get(base_url.rstrip("/"), ())


@cache
def _owners() -> dict[str, tuple[str, ...]]:
    owners: dict[str, dict[str, None]] = {}
    for kind in catalogue().values():
        for door in kind.endpoints:
            if door.base_url and kind.group != "local":
                owners.setdefault(door.base_url, {})[kind.id] = None
    return {base_url: tuple(ids) for base_url, ids in owners.items()}


def _vendor(provider: ProviderSettings) -> str:
    return provider.kind.lane_rule.vendor if provider.kind.lane_rule else ""


def _secrets(provider: ProviderSettings) -> frozenset[Secret]:
    own = (provider.credential,) if provider.credential is not None else ()
    return frozenset((*own, *(stored.secret for stored in provider.credentials)))
