"""Rates over a sliding minute: never more than the limit in 60 seconds, and true words about when there is room again."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.accounts import rates as module
from anykey.accounts.purse import Rate, RateUnit
from anykey.accounts.rates import SLICE_MS, Book, Exceeded, Taken, Window, divided

MINUTE_MS = 60_000


def rate(unit: RateUnit, limit: int, owner: str = "k") -> Rate:
    return Rate(f"key:{owner}:{unit}", "key", owner, unit, limit)


def taken(found: Taken | Exceeded) -> Taken:
    assert isinstance(found, Taken)
    return found


def exceeded(found: Taken | Exceeded) -> Exceeded:
    assert isinstance(found, Exceeded)
    return found


@given(st.lists(st.integers(0, 20_000), max_size=200), st.integers(1, 8))
def test_no_minute_has_more_requests_than_the_limit(gaps: list[int], limit: int) -> None:
    book, now, served = Book(), 1_000_000, list[int]()
    for gap in gaps:
        now += gap
        if isinstance(book.take((rate("requests", limit),), 0, now), Taken):
            served.append(now)
    for at in served:
        assert sum(at <= other < at + MINUTE_MS for other in served) <= limit


def test_the_wait_that_is_told_is_enough_and_not_a_slice_too_long() -> None:
    random.seed(7)
    for _ in range(300):
        book, rates, now = Book(), (rate("tokens", 1000),), random.randrange(10**6)
        while isinstance(found := book.take(rates, random.randrange(1, 400), now), Taken):
            now += random.randrange(9000)
        asked = 1000 - found.used + 1
        refused = exceeded(book.take(rates, asked, now))
        assert isinstance(book.take(rates, asked, now + refused.wait_ms - 1), Exceeded)
        assert isinstance(book.take(rates, asked, now + refused.wait_ms), Taken)


def test_nothing_is_taken_of_any_rate_where_one_has_no_room() -> None:
    book = Book()
    rates = (rate("requests", 5), rate("tokens", 100), rate("concurrency", 1))
    first = taken(book.take(rates, 10, 0))
    assert [state.remaining for state in first.states] == [4, 90, 0]
    refused = exceeded(book.take(rates, 10, 0))
    assert (refused.rate.unit, refused.wait_ms) == ("concurrency", module.CONCURRENCY_WAIT_MS)
    assert [state.used for state in refused.states] == [1, 10, 1]
    book.leave(first, 10)
    assert [state.used for state in taken(book.take(rates, 10, 0)).states] == [2, 20, 1]


def test_the_longest_wait_is_told() -> None:
    book = Book()
    rates = (rate("requests", 1), rate("concurrency", 1))
    taken(book.take(rates, 0, 0))
    assert exceeded(book.take(rates, 0, 1000)).rate.unit == "requests"


def test_tokens_are_put_right_by_the_usage() -> None:
    book, rates = Book(), (rate("tokens", 100),)
    first = taken(book.take(rates, 80, 0))
    book.leave(first, 30)
    second = taken(book.take(rates, 70, 100))
    assert second.states[0].remaining == 0
    book.leave(second, 90)
    assert exceeded(book.take(rates, 1, 200)).used == 120
    book.leave(first, 0)  # a minute later its slice is forgotten, and no correction makes a debt
    later = taken(book.take(rates, 100, 2 * MINUTE_MS))
    book.leave(first, 1_000_000)
    assert later.states[0].used == 100
    assert book.windows[rates[0].id].used == 100


def test_a_call_larger_than_its_limit_waits_for_an_empty_minute() -> None:
    book, rates = Book(), (rate("tokens", 100),)
    assert taken(book.take(rates, 5000, 0)).states[0].used == 100
    refused = exceeded(book.take(rates, 5000, 1))
    assert isinstance(book.take(rates, 5000, 1 + refused.wait_ms), Taken)


def test_the_reset_is_when_all_is_free() -> None:
    book, rates = Book(), (rate("requests", 10),)
    taken(book.take(rates, 0, 0))
    state = taken(book.take(rates, 0, 7000)).states[0]
    assert state.reset_ms == 10_000 + MINUTE_MS - 7000
    assert taken(book.take(rates, 0, 7000 + state.reset_ms)).states[0].used == 1


def test_a_limit_of_nothing_lets_nothing_in() -> None:
    for unit in ("requests", "tokens", "concurrency"):
        assert exceeded(Book().take((rate(unit, 0),), 0, 0)).wait_ms > 0


def test_each_process_has_its_part() -> None:
    whole = (rate("requests", 100), rate("concurrency", 2), rate("tokens", 0))
    assert [part.limit for part in divided(whole, 3)] == [33, 1, 0]
    assert divided(whole, 1) is whole


def test_windows_that_are_empty_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 50)
    book = Book()
    for number in range(50):
        taken(book.take((rate("requests", 1, str(number)),), 0, 0))
    taken(book.take((rate("requests", 1, "new"),), 0, 3 * MINUTE_MS))
    assert list(book.windows) == ["key:new:requests"]


def test_windows_in_use_are_not_gone_through_for_each_new_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 50)
    looked: list[int] = []
    expire = Window.expire

    def noted(window: Window, now_ms: int) -> None:
        looked.append(now_ms)
        expire(window, now_ms)

    monkeypatch.setattr(Window, "expire", noted)
    book = Book()
    for number in range(1000):
        taken(book.take((rate("requests", 1, str(number)),), 0, 0))
    assert len(looked) < 3 * 1000


def test_what_was_counted_before_the_clock_was_put_back_does_not_lock_out() -> None:
    day_ms = 24 * 60 * MINUTE_MS
    window = Window([(day_ms // SLICE_MS, 5)])
    window.expire(day_ms - MINUTE_MS)
    assert window.used == 5
    window.expire(0)
    assert (window.used, window.slices) == (0, {})
