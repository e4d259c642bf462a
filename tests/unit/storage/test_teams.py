"""Teams as rows."""

import msgspec

from anykey.storage.database import Database
from anykey.storage.key_changes import changing_keys, reading
from anykey.storage.teams import TeamRow, keep_team, read_teams

ROW = TeamRow("org_1", "röd", ("a*",), 10)


def test_a_row_comes_back_as_it_was_and_is_changed_in_place(database: Database) -> None:
    other = msgspec.structs.replace(ROW, organisation="org_2")
    for row in (ROW, other):
        changing_keys(database, lambda connection, row=row: keep_team(connection, row))
    assert reading(database, read_teams) == [ROW, other]
    changed = msgspec.structs.replace(ROW, allowed_models=None, closed_at=20)
    changing_keys(database, lambda connection: keep_team(connection, changed))
    assert reading(database, read_teams) == [changed, other]
