"""Members, from joining to leaving."""

import pytest

from anykey.accounts.permissions import LOCAL, MEMBER_ROLES, Forbidden, MemberRole
from anykey.administration.audit import list_entries
from anykey.administration.errors import AdministrationError
from anykey.administration.keys import find_key
from anykey.administration.members import (
    MemberFields,
    create_member,
    find_member,
    list_members,
    remove_member,
    require_giving,
    update_member,
)
from anykey.administration.teams import close_team, create_team
from tests.unit.administration.tenancy import Tenancy

RANK: dict[MemberRole, int] = {"owner": 3, "admin": 2, "billing": 1, "member": 0, "viewer": 0}


def test_a_member_joins_changes_and_leaves(tenancy: Tenancy) -> None:
    home, owner = tenancy.home, tenancy.actor("owner")
    create_team(home, "red", actor=owner)
    fields = MemberFields(role="admin", email=" ada@example.com ", team="red")
    made = create_member(home, " Ada ", fields=fields, actor=owner)
    assert (made.organisation, made.name, made.role) == (tenancy.ours, "Ada", "admin")
    assert (made.email, made.team) == ("ada@example.com", "red")
    assert find_member(home, "Ada", organisation="ours") == find_member(home, made.id) == made
    changed = update_member(home, "Ada", MemberFields(name="Bo", email="", team="", role="viewer"), actor=owner)
    assert (changed.name, changed.email, changed.team, changed.role) == ("Bo", None, None, "viewer")
    left = remove_member(home, made.id, actor=owner)
    assert left.removed_at is not None
    with pytest.raises(AdministrationError) as refused:
        update_member(home, made.id, MemberFields(name="C"), actor=owner)
    assert refused.value.code == "members.removed"
    actions = [entry.action for entry in list_entries(home, limit=3)]
    assert actions == ["members.remove", "members.update", "members.create"]


def test_leaving_and_another_role_are_in_force_at_once(tenancy: Tenancy) -> None:
    key_id = tenancy.key_id("admin")
    update_member(tenancy.home, "the admin", MemberFields(role="viewer"), organisation="ours")
    assert find_key(tenancy.home, key_id).role == "viewer"
    left = remove_member(tenancy.home, "the admin", organisation="ours")
    assert find_key(tenancy.home, key_id).revoked_at == left.removed_at


@pytest.mark.parametrize("role", MEMBER_ROLES)
@pytest.mark.parametrize("given", MEMBER_ROLES)
def test_nobody_gives_changes_or_removes_a_role_above_his_own(
    tenancy: Tenancy, role: MemberRole, given: MemberRole
) -> None:
    home, actor = tenancy.home, tenancy.actor(role)
    allowed = RANK[role] >= 2 and RANK[given] <= RANK[role]
    asks = (
        lambda: create_member(home, "new", fields=MemberFields(role=given), actor=actor),
        lambda: update_member(home, tenancy.member("viewer").id, MemberFields(role=given), actor=actor),
        lambda: remove_member(home, tenancy.member(given).id, actor=actor),
    )
    for ask in asks:
        if allowed:
            ask()
        else:
            with pytest.raises((Forbidden, AdministrationError)):
                ask()


def test_nobody_makes_himself_more(tenancy: Tenancy) -> None:
    for role in MEMBER_ROLES[1:]:
        with pytest.raises(Forbidden):
            update_member(tenancy.home, tenancy.member(role).id, MemberFields(role="owner"), actor=tenancy.actor(role))
    with pytest.raises(AdministrationError) as refused:
        create_member(tenancy.home, "x", fields=MemberFields(role="operator"))  # pyright: ignore[reportArgumentType]
    assert refused.value.code == "members.bad_role"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": "the owner"}, "members.name_taken"),
        ({"name": "a/b"}, "tenants.bad_name"),
        ({"email": "ada"}, "members.bad_email"),
        ({"email": "a@b@c"}, "members.bad_email"),
        ({"email": "a@" + "b" * 254}, "members.bad_email"),
        ({"team": "nowhere"}, "teams.not_found"),
        ({"team": "old"}, "teams.closed"),
    ],
)
def test_what_cannot_be_meant(tenancy: Tenancy, fields: dict[str, str], code: str) -> None:
    create_team(tenancy.home, "old", organisation="ours")
    close_team(tenancy.home, "old", organisation="ours")
    with pytest.raises(AdministrationError) as refused:
        update_member(tenancy.home, tenancy.member("viewer").id, MemberFields(**fields))  # pyright: ignore[reportArgumentType]
    assert refused.value.code == code


def test_the_same_name_in_two_organisations_needs_an_id_or_an_organisation(tenancy: Tenancy) -> None:
    with pytest.raises(AdministrationError) as refused:
        find_member(tenancy.home, "the owner")
    assert refused.value.code == "members.ambiguous"
    found = find_member(tenancy.home, "the owner", actor=tenancy.actor("viewer"))
    assert found == find_member(tenancy.home, "the owner", organisation="ours") == tenancy.member("owner")
    assert len(list_members(tenancy.home, organisation="theirs")) == len(MEMBER_ROLES)


def test_a_member_sees_himself_and_no_other(tenancy: Tenancy) -> None:
    actor = tenancy.actor("member")
    assert list_members(tenancy.home, actor=actor) == [tenancy.member("member")]
    with pytest.raises(AdministrationError) as refused:
        find_member(tenancy.home, tenancy.member("owner").id, actor=actor)
    assert refused.value.code == "members.not_found"


def test_a_role_is_given_by_whom_it_may() -> None:
    require_giving(LOCAL, "operator")
