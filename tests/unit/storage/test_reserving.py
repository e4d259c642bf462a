"""Reservations, statement by statement: what fits is held everywhere, what does not is held nowhere."""

from contextlib import closing

import pytest

from anykey.storage.charges import Opened, Refused
from anykey.storage.database import Database, whole
from anykey.storage.reserving import Ask, reserve
from tests.fakes.charges import NOON_MS, ask, budget, fill, keep, used, wallet

HOUR_MS = 3_600_000


def reserved(database: Database, *asks: Ask, now_ms: int = NOON_MS) -> list[Opened | Refused]:
    with closing(database.connect()) as connection, whole(connection):
        return reserve(connection, asks, now_ms)


def test_in_the_order_they_came_and_the_small_ones_behind_a_big_one_too(database: Database) -> None:
    limit = budget(10)
    keep(database, limit)
    answers = reserved(database, *(Ask(None, (limit.id,), need) for need in (6, 5, 0, 4, 1)))
    assert [type(answer) for answer in answers] == [Opened, Refused, Opened, Opened, Refused]
    assert used(database, limit) == (0, 10)


def test_one_full_budget_of_several_refuses_and_is_named(database: Database) -> None:
    wide, narrow, other = budget(100), budget(10, "5h"), budget(100, owner="z")
    keep(database, wide, narrow, other)
    both = (wide.id, narrow.id)
    first, second, third = reserved(database, Ask(None, both, 8), Ask(None, both, 8), Ask(None, (wide.id, other.id), 8))
    assert isinstance(first, Opened)
    assert [state.budget for state in first.budgets] == [wide, narrow]
    assert isinstance(second, Refused)
    assert second.state is not None
    assert (second.state.budget, second.available_nano, second.credit) == (narrow, 2, False)
    assert isinstance(third, Opened)
    assert [used(database, one) for one in (wide, narrow, other)] == [(0, 16), (0, 8), (0, 8)]


def test_what_left_the_window_is_forgotten_before_the_check(database: Database) -> None:
    limit = budget(100, "1d")
    keep(database, limit)
    with closing(database.connect()) as connection:
        for slice_ms, spent in ((NOON_MS - 30 * HOUR_MS, 60), (NOON_MS - 20 * HOUR_MS, 30)):
            connection.execute("INSERT INTO budget_slices VALUES (?, ?, ?)", (limit.id, slice_ms, spent))
        connection.execute("UPDATE budgets SET spent_nano = 90, oldest_ms = ?", (NOON_MS - 30 * HOUR_MS,))
    (refused,) = reserved(database, Ask(None, (limit.id,), 71))
    assert isinstance(refused, Refused)
    assert refused.state is not None
    assert refused.state.spent_nano == 30
    assert refused.state.resets_ms == NOON_MS + 4 * HOUR_MS + HOUR_MS // 4
    (opened,) = reserved(database, Ask(None, (limit.id,), 70))
    assert isinstance(opened, Opened)
    assert opened.budgets[0].resets_ms == NOON_MS + 4 * HOUR_MS + HOUR_MS // 4
    assert ask(database, "SELECT spent_nano FROM budget_slices") == [(30,)]


def test_a_budget_that_is_gone_and_what_needs_nothing_limit_nothing(database: Database) -> None:
    spent = budget(10)
    keep(database, spent)
    with closing(database.connect()) as connection:
        connection.execute("UPDATE budgets SET spent_nano = 50")
    assert reserved(database, Ask(None, ("key:k:5h",), 99)) == [Opened((), None)]
    (free,) = reserved(database, Ask(None, (spent.id,), 0))
    assert isinstance(free, Opened)
    assert free.budgets[0].spent_nano == 50


def test_what_fits_the_wallet_but_not_the_budgets_is_held_nowhere(database: Database) -> None:
    limit = budget(10)
    keep(database, limit)
    fill(database, 1000)
    answers = reserved(database, *(Ask("credit:default", (limit.id,), need) for need in (6, 5, 4)))
    assert [type(answer) for answer in answers] == [Opened, Refused, Opened]
    assert wallet(database) == (1000, 10)
    assert used(database, limit) == (0, 10)


@pytest.mark.parametrize("needs", [(60, 60, 40), (100, 1), (30, 30, 30, 30)])
def test_a_wallet_never_holds_more_than_it_has(database: Database, needs: tuple[int, ...]) -> None:
    fill(database, 100)
    answers = reserved(database, *(Ask("credit:default", (), need) for need in needs))
    left = 100
    for need, answer in zip(needs, answers, strict=True):
        fits = need <= left
        left -= need if fits else 0
        assert isinstance(answer, Opened) == fits
    assert wallet(database) == (100, 100 - left)
    assert all(answer.credit_nano == left for answer in answers if isinstance(answer, Opened))
    assert all(answer.credit for answer in answers if isinstance(answer, Refused))
