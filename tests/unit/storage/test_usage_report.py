"""Sums of calls are those of the calls, to the last one, whether they were added up before or not."""

import random
from collections.abc import Callable
from contextlib import closing

import msgspec
import pytest

from anykey.storage.database import Database, whole
from anykey.storage.records import ExchangeRow
from anykey.storage.usage_late import note_changed
from anykey.storage.usage_question import FOR_EVER_MS, UsageQuestion
from anykey.storage.usage_report import UsageSum, Value, ask_usage
from anykey.storage.usage_rollup import forget_calls
from tests.unit.storage.usage_calls import BEGIN_MS, DAY_MS, HOUR_MS, add_up, made_up, write

NOW_MS = BEGIN_MS + 4 * DAY_MS + 10 * HOUR_MS + 17
CHANCE = random.Random(5)
BUSY_MS = [BEGIN_MS + hour * HOUR_MS for hour in (0, 1, 5, 23, 24, 30, 47, 50, 51, 71, 73, 95, 96, 99, 104, 105)]
ROWS = [made_up(number, CHANCE.choice(BUSY_MS) + CHANCE.randrange(HOUR_MS), CHANCE) for number in range(400)]
LATER = [made_up(1000 + number, BEGIN_MS + CHANCE.randrange(4 * DAY_MS), CHANCE) for number in range(8)]

GROUPS: dict[str, Callable[[ExchangeRow], Value]] = {
    "key": lambda row: row.key_id,
    "client": lambda row: row.client,
    "model": lambda row: row.model_asked,
    "provider": lambda row: row.provider,
    "team": lambda row: row.team,
    "failure": lambda row: row.failure,
    "status": lambda row: row.status // 100,
    "organisation": lambda row: row.organisation,
    "metadata.team": lambda row: None if row.metadata is None else row.metadata[9],
    "hour": lambda row: row.at - row.at % HOUR_MS,
    "day": lambda row: row.at - row.at % DAY_MS,
    "minute": lambda row: row.at - row.at % 60_000,
}
QUESTIONS = [
    UsageQuestion(),
    UsageQuestion(by=("model",)),
    UsageQuestion(by=("day", "model"), full=True),
    UsageQuestion(by=("hour",)),
    UsageQuestion(by=("minute",)),
    UsageQuestion(by=("metadata.team", "key")),
    UsageQuestion(by=("failure", "status"), full=True),
    UsageQuestion(by=("organisation",), where=(("status", ("4xx", "5xx")), ("key", ("k1", "k2")))),
    UsageQuestion(by=("client",), where=(("status", ("429",)),)),
    UsageQuestion(by=("client",), where=(("metadata.team", ("a",)), ("team", ("search",)))),
    UsageQuestion(by=("provider",), where=(("key", ()),)),
    UsageQuestion(by=("team",), where=(("model", ("' OR 1=1 --",)),)),
    UsageQuestion(by=("day",), since_ms=BEGIN_MS + 7 * HOUR_MS + 11, until_ms=BEGIN_MS + 3 * DAY_MS + 5),
    UsageQuestion(since_ms=BEGIN_MS + HOUR_MS // 2, until_ms=BEGIN_MS + HOUR_MS),
    UsageQuestion(since_ms=BEGIN_MS + DAY_MS, until_ms=BEGIN_MS + DAY_MS),
    UsageQuestion(since_ms=BEGIN_MS + DAY_MS, until_ms=BEGIN_MS),
]


def wanted(rows: list[ExchangeRow], question: UsageQuestion) -> dict[tuple[Value, ...], list[ExchangeRow]]:
    """The calls of each group."""
    found: dict[tuple[Value, ...], list[ExchangeRow]] = {} if question.by else {(): []}
    for row in rows:
        if question.since_ms <= row.at < question.until_ms and all(_is(row, *one) for one in question.where):
            found.setdefault(tuple(GROUPS[name](row) for name in question.by), []).append(row)
    return found


def _is(row: ExchangeRow, name: str, one_of: tuple[str, ...]) -> bool:
    if name == "status":
        return any(str(row.status).startswith(status.rstrip("x")) for status in one_of)
    return GROUPS[name](row) in one_of


def check(one: UsageSum, rows: list[ExchangeRow], *, full: bool) -> None:
    well = [row for row in rows if row.failure is None]
    streams = [row for row in well if row.first_token_ms is not None and row.total_ms > row.first_token_ms]
    assert (one.exchanges, one.failures) == (len(rows), len(rows) - len(well))
    for bucket in ("input_tokens", "cache_read_tokens", "output_tokens", "reasoning_tokens"):
        assert getattr(one, bucket) == sum(getattr(row, bucket) for row in rows)
    assert one.cost_nano == sum(row.cost_nano or 0 for row in rows)
    assert one.unpriced == sum(row.cost_nano is None for row in well)
    assert one.estimated == sum(row.usage_source == "estimated" for row in rows)
    assert one.generation_tokens == sum(row.output_tokens for row in streams)
    assert one.generation_ms == sum(row.total_ms - (row.first_token_ms or 0) for row in streams)
    if full:
        assert sum(one.failures_by_kind.values()) == one.failures
        assert sum(one.uncached.values()) == one.input_tokens
        assert sum(one.total_bars) == len(well)
        assert sum(one.first_token_bars) == sum(row.first_token_ms is not None for row in well)
        assert one.total_bars[-1] == sum(row.total_ms > 80_000 for row in well)
        assert one.total_bars[0] == sum(row.total_ms <= 50 for row in well)


def check_all(database: Database, rows: list[ExchangeRow], now_ms: int = NOW_MS) -> None:
    for question in QUESTIONS:
        answer = ask_usage(database, question, now_ms)
        groups = wanted(rows, question)
        assert {one.group for one in answer.sums} == set(groups), question
        assert len(answer.sums) == len(groups), question
        for one in answer.sums:
            check(one, groups[one.group], full=question.full)
        assert answer.complete_from_ms is None


def test_sums_are_those_of_the_calls(database: Database) -> None:
    write(database, ROWS)
    check_all(database, ROWS)  # nothing is added up yet
    assert add_up(database, BEGIN_MS + 2 * DAY_MS) > 5
    check_all(database, ROWS)  # half is
    assert add_up(database, NOW_MS) > 5
    check_all(database, ROWS)
    write(database, LATER)  # into hours that are added up
    check_all(database, [*ROWS, *LATER])
    assert add_up(database, NOW_MS) > 5
    check_all(database, [*ROWS, *LATER])
    assert add_up(database, NOW_MS) == 0


def test_a_call_that_is_corrected_later_counts_as_corrected(database: Database) -> None:
    write(database, ROWS)
    add_up(database, NOW_MS)
    with closing(database.connect()) as connection, whole(connection):
        note_changed(connection, "req_7")
        note_changed(connection, "none such")
        connection.execute("UPDATE exchanges SET cost_nano = 5 WHERE id = 'req_7'")
    total = sum(row.cost_nano or 0 for row in ROWS if row.id != "req_7") + 5
    for _ in range(2):
        assert ask_usage(database, UsageQuestion(), NOW_MS).sums[0].cost_nano == total
        add_up(database, NOW_MS)


def test_a_clock_that_was_ahead_leaves_no_hole(database: Database) -> None:
    write(database, ROWS)
    add_up(database, NOW_MS + 30 * DAY_MS)
    check_all(database, ROWS)
    again = BEGIN_MS + 2 * DAY_MS  # it is earlier, and calls of hours that were added up already go on
    add_up(database, again)
    more = [made_up(number, again + number * 1000, CHANCE) for number in range(2000, 2005)]
    write(database, more)
    check_all(database, [*ROWS, *more], again)
    add_up(database, NOW_MS)
    check_all(database, [*ROWS, *more])


def test_sums_stay_when_calls_are_forgotten(database: Database) -> None:
    write(database, ROWS)
    before = BEGIN_MS + 2 * DAY_MS + HOUR_MS // 2
    with closing(database.connect()) as connection, whole(connection):
        assert forget_calls(connection, before, NOW_MS, 1000) == 0  # nothing is added up
    add_up(database, NOW_MS)
    gone = 0
    for _ in range(20):
        with closing(database.connect()) as connection, whole(connection):
            gone += forget_calls(connection, before, NOW_MS, 50)
    until = before // HOUR_MS * HOUR_MS
    assert gone == sum(row.at < until for row in ROWS)
    answer = ask_usage(database, UsageQuestion(by=("day",), full=True), NOW_MS)
    groups = wanted(ROWS, UsageQuestion(by=("day",)))
    assert {one.group for one in answer.sums} == set(groups)
    for one in answer.sums:
        check(one, groups[one.group], full=True)
    assert answer.complete_from_ms is None
    of_calls = ask_usage(database, UsageQuestion(by=("metadata.team",)), NOW_MS)
    assert of_calls.complete_from_ms == until
    assert sum(one.exchanges for one in of_calls.sums) == len(ROWS) - gone
    half = UsageQuestion(since_ms=BEGIN_MS + HOUR_MS // 2)
    assert ask_usage(database, half, NOW_MS).complete_from_ms == until
    with closing(database.connect()) as connection, whole(connection):
        connection.execute("INSERT INTO usage_late (at) VALUES (?)", (BEGIN_MS,))
    assert add_up(database, NOW_MS) == 1  # what is forgotten is not added up again
    assert ask_usage(database, UsageQuestion(), NOW_MS).sums[0].exchanges == len(ROWS)


@pytest.mark.parametrize("hours", [8, -3, 5.5])
def test_days_begin_where_it_is_asked(database: Database, hours: float) -> None:
    write(database, ROWS)
    add_up(database, NOW_MS)
    offset = int(hours * HOUR_MS)
    answer = ask_usage(database, UsageQuestion(by=("day",), offset_ms=offset, until_ms=FOR_EVER_MS), NOW_MS)
    days = {row.at - (row.at + offset) % DAY_MS for row in ROWS}
    assert {one.group[0] for one in answer.sums} == days
    for one in answer.sums:
        of_day = [row for row in ROWS if row.at - (row.at + offset) % DAY_MS == one.group[0]]
        check(one, of_day, full=False)


def test_many_late_hours_are_one_span_of_calls(database: Database) -> None:
    write(database, ROWS)
    add_up(database, NOW_MS)
    late = [made_up(3000 + hour, BEGIN_MS + hour * HOUR_MS, CHANCE) for hour in range(0, 104, 2)]
    write(database, late)
    check_all(database, [*ROWS, *late])


def test_groups_are_what_calls_are_marked_with(database: Database) -> None:
    marks = ['{"team":"search","a.b":"1"}', '{"team":"search"}', '{"team":"ads","it\'s \\"odd\\"":"$.x"}', None]
    write(database, [msgspec.structs.replace(ROWS[0], id=f"m{n}", metadata=text) for n, text in enumerate(marks)])

    def counted(by: str, *where: tuple[str, tuple[str, ...]]) -> dict[Value, int]:
        answer = ask_usage(database, UsageQuestion(by=(by,), where=where), NOW_MS)
        return {one.group[0]: one.exchanges for one in answer.sums}

    assert counted("metadata.team") == {"search": 2, "ads": 1, None: 1}
    assert counted("metadata.a.b") == {"1": 1, None: 3}
    assert counted('metadata.it\'s "odd"') == {"$.x": 1, None: 3}
    assert counted("metadata.$.team") == {None: 4}
    both = (("metadata.team", ("search",)), ("metadata.a.b", ("1",)))
    assert counted("metadata.team", *both) == {"search": 1}
    assert counted("metadata.team", ("metadata.team", ("' OR 1=1 --",))) == {}
