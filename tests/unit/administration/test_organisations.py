"""Organisations, from making one to its end."""

from functools import partial

import pytest

from anykey.accounts.permissions import Forbidden, MemberRole
from anykey.administration.audit import list_entries
from anykey.administration.errors import AdministrationError
from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import create_key, find_key
from anykey.administration.organisations import (
    OrganisationFields,
    close_organisation,
    create_organisation,
    find_organisation,
    list_organisations,
    update_organisation,
)
from anykey.storage.watch import KeyWatch
from tests.unit.administration.tenancy import Tenancy


def test_an_organisation_is_made_changed_and_closed(tenancy: Tenancy) -> None:
    home = tenancy.home
    made = create_organisation(home, " röd ", fields=OrganisationFields(prepaid=True, allowed_models=("a*",)))
    assert (made.name, made.prepaid, made.allowed_models, made.closed_at) == ("röd", True, ("a*",), None)
    assert find_organisation(home, made.id) == find_organisation(home, "röd") == made
    changed = update_organisation(
        home, "röd", OrganisationFields(name="blue", prepaid=False, allowed_models=(), low_balance_nano=5)
    )
    assert (changed.name, changed.prepaid, changed.allowed_models, changed.low_balance_nano) == ("blue", False, None, 5)
    assert update_organisation(home, "blue", OrganisationFields(low_balance_nano=-1)).low_balance_nano is None
    closed = close_organisation(home, "blue")
    assert closed.closed_at is not None
    for again in (
        lambda: close_organisation(home, "blue"),
        lambda: update_organisation(home, "blue", OrganisationFields(prepaid=True)),
    ):
        with pytest.raises(AdministrationError) as refused:
            again()
        assert refused.value.code == "organisations.closed"
    actions = [entry.action.partition(".")[2] for entry in list_entries(home, limit=4)]
    assert actions == ["close", "update", "update", "create"]
    assert list_entries(home, limit=2)[1].before == '{"low_balance_nano":5}'


def test_closing_ends_the_use_of_its_keys_at_once(tenancy: Tenancy) -> None:
    watch = KeyWatch(tenancy.home.database)
    assert watch.keys[tenancy.key_id("owner")].revoked_at is None
    closed = close_organisation(tenancy.home, "ours")
    watch.refresh_if_changed()
    ends = {key.revoked_at for key in watch.keys.values() if key.organisation == tenancy.ours}
    assert ends == {closed.closed_at}
    assert {key.revoked_at for key in watch.keys.values() if key.organisation == tenancy.theirs} == {None}
    watch.close()


@pytest.mark.parametrize("name", ["", " ", "a/b", "a:b", "a\nb", "x" * 65])
def test_names_that_are_none(tenancy: Tenancy, name: str) -> None:
    with pytest.raises(AdministrationError) as refused:
        create_organisation(tenancy.home, name)
    assert refused.value.code == "tenants.bad_name"


def test_a_name_is_taken_by_names_and_ids(tenancy: Tenancy) -> None:
    for name in ("ours", tenancy.theirs, "default"):
        with pytest.raises(AdministrationError) as refused:
            create_organisation(tenancy.home, name)
        assert refused.value.code == "organisations.name_taken"
    assert update_organisation(tenancy.home, "ours", OrganisationFields(name="ours")).name == "ours"


def test_an_alert_is_for_an_amount(tenancy: Tenancy) -> None:
    with pytest.raises(AdministrationError) as refused:
        update_organisation(tenancy.home, "ours", OrganisationFields(low_balance_nano=10**19))
    assert refused.value.code == "budgets.bad_limit"


@pytest.mark.parametrize("role", ["owner", "admin", "billing", "member", "viewer"])
def test_what_an_operator_grants_nobody_grants_himself(tenancy: Tenancy, role: MemberRole) -> None:
    actor, home = tenancy.actor(role), tenancy.home
    said: list[dict[str, object]] = [{"prepaid": False}, {"allowed_models": ()}, {"name": "x"}]
    for fields in said:
        with pytest.raises(Forbidden):
            update_organisation(home, "ours", OrganisationFields(**fields), actor=actor)  # pyright: ignore[reportArgumentType]
    with pytest.raises(Forbidden):
        create_organisation(home, "new", actor=actor)
    with pytest.raises(Forbidden):
        close_organisation(home, "ours", actor=actor)
    assert find_organisation(home, "ours").name == "ours"


def test_an_owner_says_when_the_balance_is_low(tenancy: Tenancy) -> None:
    fields = OrganisationFields(low_balance_nano=7)
    assert update_organisation(tenancy.home, "ours", fields, actor=tenancy.actor("owner")).low_balance_nano == 7
    with pytest.raises(Forbidden):
        update_organisation(tenancy.home, "ours", fields, actor=tenancy.actor("billing"))


def test_another_organisation_is_not_there(tenancy: Tenancy) -> None:
    owner = tenancy.actor("owner")
    assert [row.id for row in list_organisations(tenancy.home, actor=owner)] == [tenancy.ours]
    for reference in ("theirs", tenancy.theirs, "nobody", "default"):
        asks = (
            partial(find_organisation, tenancy.home, reference, actor=owner),
            partial(update_organisation, tenancy.home, reference, OrganisationFields(name="x"), actor=owner),
            partial(close_organisation, tenancy.home, reference, actor=owner),
        )
        for ask in asks:
            with pytest.raises(AdministrationError) as refused:
                ask()
            assert (refused.value.code, refused.value.values) == (
                "organisations.not_found",
                {"organisation": reference},
            )


def test_a_refused_change_leaves_no_trace(tenancy: Tenancy) -> None:
    before = list_entries(tenancy.home, limit=1)
    with pytest.raises(Forbidden):
        close_organisation(tenancy.home, "ours", actor=tenancy.actor("owner"))
    assert list_entries(tenancy.home, limit=1) == before
    assert find_key(tenancy.home, tenancy.key_id("owner")).revoked_at is None


def test_the_default_organisation_stays_open_for_the_keys_of_operators_are_of_it(tenancy: Tenancy) -> None:
    operator = create_key(tenancy.home, "op", fields=KeyFields(admin=True)).key
    with pytest.raises(AdministrationError) as refused:
        close_organisation(tenancy.home, "default")
    assert refused.value.code == "organisations.default_stays"
    assert find_key(tenancy.home, operator.id).revoked_at is None
