"""A key made or changed under a bound may no more than the bound."""

from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.accounts.key_bounds import INHERITED, counted_field, inherited, names_within, networks_within, wider_field
from anykey.accounts.keys import ApiKey
from anykey.accounts.purse import Budget, OwnerKind, Purse

KEY = ApiKey(id="abcdefghij", name="n", digest=bytes(32), last4="WxYz", created_at=1)
BOUND = msgspec.structs.replace(
    KEY,
    strict=True,
    allowed_models=("claude-*", "gpt-5"),
    expires_at=1_000,
    ip_allow=("192.0.2.0/24",),
    ip_deny=("192.0.2.7/32",),
    group_name="g",
)

letters = st.text("ab", max_size=4)
globs = st.text("ab*?[]!", min_size=1, max_size=5)


@given(st.lists(globs, min_size=1, max_size=3), st.lists(globs, min_size=1, max_size=3), letters)
def test_a_name_that_fits_what_is_within_fits_the_bound(wanted: list[str], bound: list[str], name: str) -> None:
    if names_within(wanted, bound) and any(fnmatchcase(name, glob) for glob in wanted):
        assert any(fnmatchcase(name, glob) for glob in bound)


@pytest.mark.parametrize(
    ("wanted", "bound", "within"),
    [
        (None, None, True),
        (("x",), None, True),
        (None, ("*",), False),
        (("claude-opus", "claude-*"), ("claude-*",), True),
        (("claude-opus", "gpt-5"), ("claude-*",), False),
        (("c*",), ("claude-*",), False),
        (("a?",), ("a?",), True),
        (("a*",), ("a?",), False),
        (("[ab]",), ("*a*",), False),
    ],
)
def test_names(wanted: tuple[str, ...] | None, bound: tuple[str, ...] | None, within: bool) -> None:
    assert names_within(wanted, bound) is within


def network(low: int, bits: int) -> str:
    return str(ip_network(f"192.0.2.{low}/{bits}", strict=False))


networks = st.builds(network, st.integers(0, 255), st.integers(24, 32))


@given(st.lists(networks, min_size=1, max_size=3), st.lists(networks, min_size=1, max_size=3), st.integers(0, 255))
def test_an_address_that_is_within_is_in_the_bound(wanted: list[str], bound: list[str], low: int) -> None:
    address = ip_address(f"192.0.2.{low}")
    if networks_within(tuple(wanted), tuple(bound)) and any(address in ip_network(one) for one in wanted):
        assert any(address in ip_network(one) for one in bound)


def test_networks_of_two_kinds_are_never_within_each_other() -> None:
    assert not networks_within(("2001:db8::/32",), ("0.0.0.0/0",))
    assert not networks_within(("192.0.2.0/24",), ("::/0",))
    assert networks_within(("2001:db8::1",), ("2001:db8::/32",))
    assert networks_within(None, None)
    assert not networks_within(None, ("::/0",))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, None),
        ({"allowed_models": ("claude-opus",), "expires_at": 999, "ip_allow": ("192.0.2.128/25",)}, None),
        ({"ip_deny": ("192.0.2.0/28",)}, None),
        ({"allowed_models": None}, "allowed_models"),
        ({"allowed_models": ("gpt-*",)}, "allowed_models"),
        ({"expires_at": None}, "expires_at"),
        ({"expires_at": 1_001}, "expires_at"),
        ({"ip_allow": None}, "ip_allow"),
        ({"ip_allow": ("192.0.0.0/16",)}, "ip_allow"),
        ({"ip_deny": None}, "ip_deny"),
        ({"ip_deny": ("192.0.2.8/32",)}, "ip_deny"),
        ({"strict": False}, "strict"),
    ],
)
def test_the_first_field_that_is_wider_is_named(changes: dict[str, object], field: str | None) -> None:
    assert wider_field(BOUND, msgspec.structs.replace(BOUND, **changes)) == field


def test_nothing_bounds_where_nothing_is_said() -> None:
    assert wider_field(KEY, BOUND) is None
    assert wider_field(KEY, KEY) is None


def test_a_key_takes_over_what_bounds_its_giver() -> None:
    own = msgspec.structs.replace(KEY, **inherited(BOUND))
    assert wider_field(BOUND, own) is None
    assert {name for name in INHERITED if getattr(own, name) != getattr(BOUND, name)} == set()
    assert (own.group_name, own.id) == ("g", KEY.id)


def test_limits_that_count_what_one_key_uses_are_found() -> None:
    purse = Purse("o", None, None, "postpaid:o", prepaid=False, budgets=(), rates=(), metered=True)
    kinds: tuple[OwnerKind, OwnerKind] = ("organisation", "key")
    shared, own = (Budget(f"{kind}:x:1d", kind, "x", "1d", 5) for kind in kinds)
    assert counted_field(BOUND) is None
    assert counted_field(msgspec.structs.replace(KEY, purse=msgspec.structs.replace(purse, budgets=(shared,)))) is None
    counted = msgspec.structs.replace(purse, budgets=(shared, own))
    assert counted_field(msgspec.structs.replace(KEY, purse=counted)) == "budgets"
    assert counted_field(msgspec.structs.replace(KEY, tokens_per_minute=1)) == "tokens_per_minute"
