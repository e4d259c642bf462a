"""Teams, from making one to its end."""

import pytest

from anykey.accounts.permissions import Forbidden, MemberRole
from anykey.administration.audit import list_entries
from anykey.administration.errors import AdministrationError
from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import create_key, find_key
from anykey.administration.members import MemberFields, update_member
from anykey.administration.teams import TeamFields, close_team, create_team, find_team, list_teams, update_team
from tests.unit.administration.tenancy import Tenancy


def test_a_team_is_made_changed_and_closed(tenancy: Tenancy) -> None:
    home, admin = tenancy.home, tenancy.actor("admin")
    made = create_team(home, "red", fields=TeamFields(allowed_models=("a*",)), actor=admin)
    assert (made.organisation, made.name, made.allowed_models) == (tenancy.ours, "red", ("a*",))
    assert find_team(home, "red", organisation="ours") == made
    assert update_team(home, "red", TeamFields(allowed_models=()), actor=admin).allowed_models is None
    assert update_team(home, "red", TeamFields(), actor=admin).allowed_models is None
    assert close_team(home, "red", actor=admin).closed_at is not None
    for code, ask in (
        ("teams.closed", lambda: close_team(home, "red", actor=admin)),
        ("teams.closed", lambda: update_team(home, "red", TeamFields(), actor=admin)),
        ("teams.name_taken", lambda: create_team(home, "red", actor=admin)),
        ("teams.not_found", lambda: find_team(home, "blue", actor=admin)),
    ):
        with pytest.raises(AdministrationError) as refused:
            ask()
        assert refused.value.code == code
    entry = list_entries(home, limit=1)[0]
    assert (entry.actor, entry.action, entry.target) == (admin.name, "teams.close", f"{tenancy.ours}/red")


def test_the_same_name_in_two_organisations_is_two_teams(tenancy: Tenancy) -> None:
    for organisation in ("ours", "theirs"):
        create_team(tenancy.home, "red", organisation=organisation)
    assert len(list_teams(tenancy.home)) == 2
    assert [row.organisation for row in list_teams(tenancy.home, organisation="theirs")] == [tenancy.theirs]
    assert [row.organisation for row in list_teams(tenancy.home, actor=tenancy.actor("viewer"))] == [tenancy.ours]


def test_closing_ends_the_keys_of_the_team_and_of_its_members(tenancy: Tenancy) -> None:
    home, admin = tenancy.home, tenancy.actor("admin")
    create_team(home, "red", actor=admin)
    own = create_key(home, "own", fields=KeyFields(team="red"), actor=admin).key
    update_member(home, "the member", MemberFields(team="red"), actor=admin)
    assert find_key(home, tenancy.key_id("member")).team == "red"
    closed = close_team(home, "red", actor=admin)
    for key_id in (own.id, tenancy.key_id("member")):
        assert find_key(home, key_id).revoked_at == closed.closed_at
    assert find_key(home, tenancy.key_id("admin")).revoked_at is None


@pytest.mark.parametrize("role", ["billing", "member", "viewer"])
def test_who_may_not(tenancy: Tenancy, role: MemberRole) -> None:
    create_team(tenancy.home, "red", organisation="ours")
    with pytest.raises(Forbidden):
        create_team(tenancy.home, "blue", actor=tenancy.actor(role))
    if role != "member":
        with pytest.raises(Forbidden):
            close_team(tenancy.home, "red", actor=tenancy.actor(role))


def test_another_tenants_team_is_not_there(tenancy: Tenancy) -> None:
    create_team(tenancy.home, "green", organisation="theirs")
    owner = tenancy.actor("owner")
    with pytest.raises(AdministrationError) as refused:
        find_team(tenancy.home, "green", actor=owner)
    assert refused.value.code == "teams.not_found"
    with pytest.raises(AdministrationError) as refused:
        find_team(tenancy.home, "green", organisation="theirs", actor=owner)
    assert refused.value.code == "organisations.not_found"
