"""Budgets of organisations, teams, members and keys."""

import pytest

from anykey.accounts.permissions import Forbidden, MemberRole
from anykey.accounts.purse import Budget, OwnerKind
from anykey.administration.audit import list_entries
from anykey.administration.budgets import list_budgets, set_budgets
from anykey.administration.errors import AdministrationError
from anykey.administration.keys import create_key, find_key
from anykey.administration.teams import create_team
from tests.unit.administration.tenancy import Tenancy


def test_budgets_are_set_by_operators_and_administrators_and_kept_in_purses(tenancy: Tenancy) -> None:
    home, admin = tenancy.home, tenancy.actor("admin")
    create_team(home, "red", actor=admin)
    set_budgets(home, "organisation", "ours", {"1d": 100, "lifetime": 1000})
    set_budgets(home, "team", "red", {"1d": 50}, actor=admin)
    set_budgets(home, "member", "the member", {"5h": 10**12}, actor=admin)
    (own,) = set_budgets(home, "key", tenancy.key_id("member"), {"1d": 100}, actor=admin)
    assert own == Budget(f"key:{tenancy.key_id('member')}:1d", "key", tenancy.key_id("member"), "1d", 100)
    purse = find_key(home, tenancy.key_id("member")).purse
    assert purse is not None
    assert [(one.owner_kind, one.period) for one in purse.budgets] == [
        ("organisation", "lifetime"),
        ("organisation", "1d"),
        ("member", "5h"),
        ("key", "1d"),
    ]
    assert set_budgets(home, "key", tenancy.key_id("member"), {"1d": None}, actor=admin) == ()
    entry = list_entries(home, limit=1)[0]
    assert (entry.action, entry.before, entry.after) == ("budgets.set", '{"1d":100}', "{}")


def test_nobody_limits_above_the_organisation_but_an_operator(tenancy: Tenancy) -> None:
    set_budgets(tenancy.home, "organisation", "ours", {"1d": 100})
    owners: tuple[tuple[OwnerKind, str], ...] = (("member", "the member"), ("key", tenancy.key_id("member")))
    for kind, owner in owners:
        with pytest.raises(AdministrationError) as refused:
            set_budgets(tenancy.home, kind, owner, {"1d": 101}, actor=tenancy.actor("owner"))
        assert refused.value.code == "budgets.above_organisation"
    set_budgets(tenancy.home, "key", tenancy.key_id("member"), {"1d": 101})


@pytest.mark.parametrize("role", ["owner", "admin", "billing", "member", "viewer"])
def test_an_organisations_own_are_an_operators(tenancy: Tenancy, role: MemberRole) -> None:
    with pytest.raises(Forbidden):
        set_budgets(tenancy.home, "organisation", "ours", {"1d": 1}, actor=tenancy.actor(role))


@pytest.mark.parametrize("role", ["billing", "member", "viewer"])
def test_who_may_not_limit(tenancy: Tenancy, role: MemberRole) -> None:
    with pytest.raises(Forbidden):
        set_budgets(tenancy.home, "key", tenancy.key_id(role), {"1d": None}, actor=tenancy.actor(role))
    assert list_budgets(tenancy.home) == []


def test_an_administrator_does_not_limit_an_owner(tenancy: Tenancy) -> None:
    owners: tuple[tuple[OwnerKind, str], ...] = (("member", "the owner"), ("key", tenancy.key_id("owner")))
    for kind, owner in owners:
        with pytest.raises(Forbidden):
            set_budgets(tenancy.home, kind, owner, {"1d": 1}, actor=tenancy.actor("admin"))


@pytest.mark.parametrize("limits", [{"1d": -1}, {"1d": 10**18 + 1}, {"1y": 5}])
def test_limits_that_are_none(tenancy: Tenancy, limits: dict[str, int]) -> None:
    with pytest.raises(AdministrationError) as refused:
        set_budgets(tenancy.home, "organisation", "ours", limits)  # pyright: ignore[reportArgumentType]
    assert refused.value.code in {"budgets.bad_limit", "budgets.bad_period"}
    assert list_budgets(tenancy.home) == []


def test_each_sees_what_is_his(tenancy: Tenancy) -> None:
    home = tenancy.home
    operators = create_key(home, "operators").key
    create_team(home, "red", organisation="theirs")
    set_budgets(home, "organisation", "ours", {"1d": 9})
    set_budgets(home, "organisation", "theirs", {"1d": 9})
    set_budgets(home, "team", "red", {"1d": 9}, organisation="theirs")
    set_budgets(home, "member", "the member", {"1d": 9}, organisation="ours")
    set_budgets(home, "key", tenancy.key_id("viewer"), {"1d": 9})
    set_budgets(home, "key", operators.id, {"1d": 9})
    assert len(list_budgets(home)) == 6
    ours = {(one.owner_kind, one.owner) for one in list_budgets(home, actor=tenancy.actor("viewer"))}
    own = {("member", tenancy.member("member").id)}
    assert ours == {("organisation", tenancy.ours), ("key", tenancy.key_id("viewer"))} | own
    assert {(one.owner_kind, one.owner) for one in list_budgets(home, actor=tenancy.actor("member"))} == own
    with pytest.raises(AdministrationError) as refused:
        set_budgets(home, "team", "red", {"1d": 1}, organisation="theirs", actor=tenancy.actor("owner"))
    assert refused.value.code == "organisations.not_found"
