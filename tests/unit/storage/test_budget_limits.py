"""The limits of budgets, beside what is spent of them."""

from anykey.accounts.purse import Budget
from anykey.storage.budget_limits import read_budgets, set_limits
from anykey.storage.database import Connection, Database
from anykey.storage.key_changes import changing_keys, reading


def test_limits_are_set_changed_and_taken_away_by_period(database: Database) -> None:
    changing_keys(database, lambda connection: set_limits(connection, "key", "k", {"5h": 5, "lifetime": 10**18}))
    changing_keys(database, lambda connection: set_limits(connection, "member", "k", {"5h": 1}))
    own = (Budget("key:k:lifetime", "key", "k", "lifetime", 10**18), Budget("key:k:5h", "key", "k", "5h", 5))
    others = (Budget("member:k:5h", "member", "k", "5h", 1),)
    assert reading(database, read_budgets) == {("key", "k"): own, ("member", "k"): others}
    changing_keys(database, lambda connection: set_limits(connection, "key", "k", {"5h": 0, "lifetime": None}))
    changed = (Budget("key:k:5h", "key", "k", "5h", 0),)
    assert reading(database, read_budgets) == {("key", "k"): changed, ("member", "k"): others}


def test_what_is_held_of_a_budget_that_is_taken_away_can_still_be_given_back(database: Database) -> None:
    def give_back(connection: Connection) -> int:
        return connection.execute("UPDATE budgets SET held_nano = held_nano - 3 WHERE id = ?", ("key:k:5h",)).rowcount

    changing_keys(database, lambda connection: set_limits(connection, "key", "k", {"5h": 5}))
    changing_keys(database, lambda connection: connection.execute("UPDATE budgets SET held_nano = 3, spent_nano = 2"))
    changing_keys(database, lambda connection: set_limits(connection, "key", "k", {"5h": None}))
    assert changing_keys(database, give_back) == 1
    changing_keys(database, lambda connection: set_limits(connection, "key", "k", {"5h": 7}))
    row = reading(
        database,
        lambda connection: connection.execute("SELECT limit_nano, spent_nano, held_nano FROM budgets").fetchone(),
    )
    assert row == (7, 2, 0)
