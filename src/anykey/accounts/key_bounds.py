"""What of a key its member may set without an administrator: only what makes it narrower. Nobody grants wider than himself.

Law: a key that is made or changed under a bound may do nothing that the key which is the bound may not.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from anykey.accounts.keys import ApiKey
from anykey.accounts.networks import Network, networks_of

OWNERS_FIELDS = frozenset(("name", "strict", "metadata", "allowed_models", "expires_at", "ip_allow", "ip_deny"))
"""The fields that a member may set on his own keys; the last four within the bound."""

INHERITED = (
    "group_name",
    "team",
    "allowed_models",
    "config",
    "ip_allow",
    "ip_deny",
    "logging",
    "logging_days",
    "expires_at",
    "strict",
)
"""What a key that is made with another one takes over from it, where nothing else is said."""


_COUNTED = ("requests_per_minute", "tokens_per_minute", "concurrency")


def counted_field(giver: ApiKey) -> str | None:
    """The first limit that counts what this key alone uses: another key would have it anew. None: it has none."""
    if giver.purse is not None and any(budget.owner_kind == "key" for budget in giver.purse.budgets):
        return "budgets"
    return next((name for name in _COUNTED if getattr(giver, name) is not None), None)


def inherited(giver: ApiKey) -> dict[str, Any]:
    """The fields of a new key that the key it is made with decides."""
    return {name: getattr(giver, name) for name in INHERITED}


def wider_field(bound: ApiKey, wanted: ApiKey) -> str | None:
    """The first field in which `wanted` may more than `bound`; None: it may not."""
    checks = {
        "allowed_models": names_within(wanted.allowed_models, bound.allowed_models),
        "expires_at": _ends_within(wanted.expires_at, bound.expires_at),
        "ip_allow": networks_within(wanted.ip_allow, bound.ip_allow),
        "ip_deny": networks_within(bound.ip_deny or (), wanted.ip_deny or ()),
        "strict": wanted.strict or not bound.strict,
    }
    return next((name for name, holds in checks.items() if not holds), None)


def names_within(wanted: Iterable[str] | None, bound: Iterable[str] | None) -> bool:
    """Whether every name that fits a glob of `wanted` surely fits one of `bound`. None: every name does."""
    if bound is None:
        return True
    givers = tuple(bound)
    return wanted is not None and all(any(_covers(giver, glob) for giver in givers) for glob in wanted)


def networks_within(wanted: tuple[str, ...] | None, bound: tuple[str, ...] | None) -> bool:
    """Whether each network of `wanted` is inside one of `bound`. None: every address is."""
    if bound is None:
        return True
    inside = networks_of(bound)
    return wanted is not None and all(any(_holds(giver, one) for giver in inside) for one in networks_of(wanted))


def _covers(giver: str, glob: str) -> bool:
    """A star takes up whatever stands for it in the other glob, wildcards too, so the other can be tried as if it were a name.
    That is not so for `?` and `[…]`, which take one letter: with these in play only the same text is surely covered."""
    if giver == glob:
        return True
    return not set("?[") & set(giver) and "[" not in glob and fnmatchcase(glob, giver)


def _ends_within(wanted: int | None, bound: int | None) -> bool:
    return bound is None or (wanted is not None and wanted <= bound)


def _holds(giver: Network, one: Network) -> bool:
    if giver.version == 4 and one.version == 4:
        return one.subnet_of(giver)
    return giver.version == 6 and one.version == 6 and one.subnet_of(giver)
