"""What is used of a budget at a moment, whether or not the till has looked at it since, and what a call was charged."""

from contextlib import closing

from anykey.accounts.ledger import SLICE_MS
from anykey.accounts.purse import PERIOD_MS, Budget, Period, budget_id
from anykey.storage.database import Database
from anykey.storage.standing import budget_states, find_charge

DAY_MS, WIDTH_MS = PERIOD_MS["1d"] or 0, SLICE_MS["1d"] or 0


def budget(period: Period) -> Budget:
    return Budget(budget_id("key", "k", period), "key", "k", period, 100)


def test_what_left_the_window_counts_no_more(database: Database) -> None:
    with closing(database.connect()) as connection:
        sums: dict[Period, int] = {"1d": 30, "lifetime": 50}
        for period, spent in sums.items():
            values = (budget_id("key", "k", period), period, spent)
            connection.execute(
                "INSERT INTO budgets (id, owner_kind, owner, period, limit_nano, spent_nano, held_nano, oldest_ms) "
                "VALUES (?, 'key', 'k', ?, 100, ?, 7, 0)",
                values,
            )
        for slice_ms, spent in ((0, 10), (WIDTH_MS, 20)):
            connection.execute("INSERT INTO budget_slices VALUES (?, ?, ?)", ("key:k:1d", slice_ms, spent))
        both = (budget("lifetime"), budget("1d"))
        early = budget_states(connection, both, DAY_MS)
        late = budget_states(connection, both, DAY_MS + WIDTH_MS)
        over = budget_states(connection, both, 10 * DAY_MS)
    assert [(one.spent_nano, one.held_nano, one.resets_ms) for one in early] == [
        (50, 7, None),
        (30, 7, DAY_MS + WIDTH_MS),
    ]
    assert (late[1].spent_nano, late[1].resets_ms) == (20, DAY_MS + 2 * WIDTH_MS)
    assert (over[1].spent_nano, over[1].resets_ms) == (0, None)
    assert over[0].spent_nano == 50


def test_a_budget_that_nothing_was_spent_of_and_a_charge_that_is_not_there(database: Database) -> None:
    with closing(database.connect()) as connection:
        (state,) = budget_states(connection, [budget("5h")], 1)
        assert (state.spent_nano, state.held_nano, state.resets_ms) == (0, 0, None)
        assert find_charge(connection, "req_x") is None


def test_a_charge(database: Database) -> None:
    with closing(database.connect()) as connection:
        connection.execute(
            "INSERT INTO charges (id, at, state, process, key_id, organisation, account, budgets, client, client_protocol, "
            "model, reserved_nano) VALUES (?, 1, 'open', 'p', 'k', 'o', 'credit:o', '[]', 'c', 'openai_chat', 'm', 5)",
            ("req_1",),
        )
        found = find_charge(connection, "req_1")
    assert found is not None
    assert (found.state, found.key_id, found.reserved_nano, found.lines) == ("open", "k", 5, None)
