"""Roles, and what each may."""

import itertools

import pytest

from anykey.accounts.permissions import (
    LOCAL,
    MEMBER_ROLES,
    OWN,
    PERMISSIONS,
    WITHIN,
    Actor,
    Forbidden,
    Permission,
    Role,
    may,
    may_give,
    require,
)

PLATFORM: tuple[Permission, ...] = (
    "organisations:create",
    "organisations:price",
    "providers:read",
    "providers:write",
    "credentials:read",
    "credentials:write",
    "models:write",
    "catalogue:write",
    "configs:write",
    "rate_cards:write",
    "wallets:write",
    "codes:write",
    "ledger:write",
    "settings:write",
)


def actor(role: Role, organisation: str | None = "o", member_id: str | None = "m") -> Actor:
    return Actor("a", role, organisation, member_id)


def test_every_role_has_both_its_rows() -> None:
    assert set(WITHIN) == set(OWN) == {"operator", *MEMBER_ROLES}


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_an_operator_may_everything_everywhere(permission: Permission) -> None:
    for organisation, owner in ((None, None), ("o", None), ("o", "m")):
        assert may(LOCAL, permission, organisation, owner)


@pytest.mark.parametrize("role", MEMBER_ROLES)
@pytest.mark.parametrize("permission", PERMISSIONS)
def test_nobody_of_an_organisation_reaches_beyond_it(role: Role, permission: Permission) -> None:
    for organisation, owner in ((None, None), (None, "m"), ("other", None), ("other", "m")):
        assert not may(actor(role), permission, organisation, owner)
        assert not may(actor(role, None), permission, organisation, owner)


@pytest.mark.parametrize("role", MEMBER_ROLES)
@pytest.mark.parametrize("permission", PLATFORM)
def test_what_is_the_gateways_is_no_members(role: Role, permission: Permission) -> None:
    assert not may(actor(role), permission, "o", "m")


def test_an_operator_of_one_organisation_does_not_exist() -> None:
    pretender = actor("operator")
    assert not any(may(pretender, permission, "o", "m") for permission in PERMISSIONS)
    assert not any(may_give(pretender, role) for role in ("operator",))


def test_what_is_ones_own() -> None:
    assert may(actor("member"), "keys:write", "o", "m")
    assert not may(actor("member"), "keys:write", "o", "another")
    assert not may(actor("member"), "keys:write", "o")
    assert not may(actor("member", member_id=None), "keys:write", "o", None)
    assert not may(actor("viewer"), "keys:write", "o", "m")
    assert may(actor("viewer"), "keys:read", "o", "another")


def test_a_stronger_role_may_all_that_a_weaker_one_may() -> None:
    for strong, weak in itertools.pairwise(("operator", "owner", "admin", "billing", "viewer")):
        assert WITHIN[strong] > WITHIN[weak]


def test_nobody_gives_a_role_that_may_more_than_his_own() -> None:
    given = {role: {weak for weak in WITHIN if may_give(actor(role), weak)} for role in MEMBER_ROLES}
    assert given == {
        "owner": {"owner", "admin", "billing", "member", "viewer"},
        "admin": {"admin", "billing", "member", "viewer"},
        "billing": {"billing", "member", "viewer"},
        "member": {"member"},
        "viewer": {"viewer"},
    }
    assert all(may_give(LOCAL, role) for role in WITHIN)


def test_a_refusal_says_who_may_not_do_what() -> None:
    require(LOCAL, "keys:write", None)
    with pytest.raises(Forbidden, match=r"a \(viewer\) may not keys:write") as refused:
        require(actor("viewer"), "keys:write", "o", "m")
    assert (refused.value.actor, refused.value.permission) == (actor("viewer"), "keys:write")
