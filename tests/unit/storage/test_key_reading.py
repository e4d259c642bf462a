"""What an organisation, a team and a member make of a key."""

import msgspec
import pytest

from anykey.accounts.keys import ApiKey
from anykey.accounts.purse import Budget, OwnerKind, Purse, Rate
from anykey.storage.budget_limits import set_limits
from anykey.storage.database import Connection, Database
from anykey.storage.key_changes import changing_keys, reading
from anykey.storage.key_reading import read_keys
from anykey.storage.keys import insert_key
from anykey.storage.members import MemberRow, keep_member
from anykey.storage.organisations import OrganisationRow, keep_organisation
from anykey.storage.teams import TeamRow, keep_team

ORGANISATION = OrganisationRow("org_1", "one", created_at=1)
TEAM = TeamRow("org_1", "red", None, 1)
MEMBER = MemberRow("mem_1", "org_1", "red", "Ada", None, "admin", 1)
KEY = ApiKey(
    id="abcdefghij",
    name="ci",
    digest=bytes(32),
    last4="WxYz",
    created_at=100,
    organisation="org_1",
    member_id="mem_1",
)


class House:
    """An organisation with a team, a member and a key."""

    def __init__(self, database: Database) -> None:
        self.database = database

        def change(connection: Connection) -> None:
            keep_organisation(connection, ORGANISATION)
            keep_team(connection, TEAM)
            keep_member(connection, MEMBER)
            insert_key(connection, KEY)

        changing_keys(database, change)

    def organisation(self, **changes: object) -> None:
        row = msgspec.structs.replace(ORGANISATION, **changes)
        changing_keys(self.database, lambda connection: keep_organisation(connection, row))

    def team(self, **changes: object) -> None:
        row = msgspec.structs.replace(TEAM, **changes)
        changing_keys(self.database, lambda connection: keep_team(connection, row))

    def member(self, **changes: object) -> None:
        row = msgspec.structs.replace(MEMBER, **changes)
        changing_keys(self.database, lambda connection: keep_member(connection, row))

    def key(self) -> ApiKey:
        return reading(self.database, read_keys)[KEY.id]


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def test_a_key_that_nothing_limits_has_no_purse(house: House) -> None:
    assert house.key() == msgspec.structs.replace(KEY, team="red", role="admin")


def test_the_purse_has_every_owners_budgets_in_their_order_and_the_keys_rates(house: House) -> None:
    def change(connection: Connection) -> None:
        owners: tuple[tuple[OwnerKind, str], ...] = (
            ("key", KEY.id),
            ("member", "mem_1"),
            ("team", "org_1/red"),
            ("organisation", "org_1"),
        )
        for place, (kind, owner) in enumerate(owners):
            set_limits(connection, kind, owner, {"1d": place, "lifetime": 10 + place})
        set_limits(connection, "team", "org_2/red", {"1d": 99})
        set_limits(connection, "organisation", "default", {"1d": 99})
        connection.execute("UPDATE api_keys SET requests_per_minute = 1, tokens_per_minute = 2, concurrency = 3")

    changing_keys(house.database, change)
    house.organisation(prepaid=True)
    purse = house.key().purse
    assert isinstance(purse, Purse)
    assert (purse.organisation, purse.team, purse.member_id) == ("org_1", "red", "mem_1")
    assert (purse.account, purse.prepaid, purse.metered) == ("credit:org_1", True, True)
    assert purse.rates == (
        Rate(f"key:{KEY.id}:requests", "key", KEY.id, "requests", 1),
        Rate(f"key:{KEY.id}:tokens", "key", KEY.id, "tokens", 2),
        Rate(f"key:{KEY.id}:concurrency", "key", KEY.id, "concurrency", 3),
    )
    assert purse.budgets == (
        Budget("organisation:org_1:lifetime", "organisation", "org_1", "lifetime", 13),
        Budget("organisation:org_1:1d", "organisation", "org_1", "1d", 3),
        Budget("team:org_1/red:lifetime", "team", "org_1/red", "lifetime", 12),
        Budget("team:org_1/red:1d", "team", "org_1/red", "1d", 2),
        Budget("member:mem_1:lifetime", "member", "mem_1", "lifetime", 11),
        Budget("member:mem_1:1d", "member", "mem_1", "1d", 1),
        Budget("key:abcdefghij:lifetime", "key", KEY.id, "lifetime", 10),
        Budget("key:abcdefghij:1d", "key", KEY.id, "1d", 0),
    )


def test_caps_are_the_organisations_and_the_teams(house: House) -> None:
    house.organisation(allowed_models=("a*", "b"))
    house.team(allowed_models=("a1",))
    assert house.key().caps == (("the organisation", ("a*", "b")), ("the team red", ("a1",)))


def test_the_keys_own_team_comes_before_its_members(house: House) -> None:
    changing_keys(
        house.database, lambda connection: connection.execute("UPDATE api_keys SET team = ?", ("a mere label",))
    )
    house.team(allowed_models=("a1",), closed_at=5)
    key = house.key()
    assert (key.team, key.caps, key.revoked_at) == ("a mere label", (), None)


def test_what_is_closed_opens_nothing(house: House) -> None:
    house.member(removed_at=300)
    assert house.key().revoked_at == 300
    house.team(closed_at=200)
    assert house.key().revoked_at == 200
    house.organisation(closed_at=150)
    assert house.key().revoked_at == 150


@pytest.mark.parametrize(
    "statement", ["DELETE FROM organisations", "DELETE FROM members", "UPDATE members SET organisation = 'default'"]
)
def test_a_key_whose_owner_is_not_there_opens_nothing(house: House, statement: str) -> None:
    changing_keys(house.database, lambda connection: connection.execute(statement))
    key = house.key()
    assert key.revoked_at == KEY.created_at
    assert not key.operator
