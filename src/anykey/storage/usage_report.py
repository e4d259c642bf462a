"""Questions about what was used: calls added up by what they have in common and by time. Without SQLAlchemy.

Law: the answer is the sum of the calls themselves, whatever it was read from: days and hours that are added up already, and
single calls for the rest (usage_rollup.py), all at one moment of the database. What cannot be told from sums (a pair of
metadata, a minute, one HTTP status) is asked of the calls, as far back as those are kept; the answer says how far that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from anykey.storage.database import Connection, Database, Dialect
from anykey.storage.usage_columns import COUNTS, HISTOGRAMS, SUMS, bars_of
from anykey.storage.usage_late import HOUR_MS
from anykey.storage.usage_question import BY_METADATA, UsageQuestion, conditions, grouping
from anykey.storage.usage_rollup import DAY_MS, Marks
from anykey.storage.writing import reading_whole

Value = str | int | None
Source = Literal["days", "hours", "calls"]
Span = tuple[int, int]
_TABLES: dict[Source, str] = {"days": "usage_days", "hours": "usage_hours", "calls": "exchanges"}
_EXTRA = ("failure", "price_id", "group_name")
_PLAIN = tuple(COUNTS)
_BARS = tuple(SUMS)[len(COUNTS) :]
_MANY = 50
_FIRST_BARS = len(HISTOGRAMS["first_token_ms"])


class UsageSum(msgspec.Struct, kw_only=True):
    """Sums over the calls that have the values of `group`; buckets of tokens as in ExchangeRow. `unpriced`: answered calls
    without a price; `estimated`: calls whose tokens were counted here. `generation`: of streams, from first token to last.

    Only of a full answer: `failures_by_kind`; `uncached`: the input tokens of each price and group that were not read from a
    cache; `first_token_bars` and `total_bars`: histograms of milliseconds (usage_columns.EDGES_MS)."""

    group: tuple[Value, ...]
    exchanges: int
    failures: int
    unpriced: int
    estimated: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_nano: int
    generation_tokens: int
    generation_ms: int
    failures_by_kind: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    uncached: dict[tuple[str | None, str | None], int] = msgspec.field(
        default_factory=dict[tuple[str | None, str | None], int]
    )
    first_token_bars: tuple[int, ...] = ()
    total_bars: tuple[int, ...] = ()


class UsageAnswer(msgspec.Struct, frozen=True):
    """The sums, in no order. `complete_from_ms`: of older calls some or all are not in it, for they are kept no more and cannot
    be told from sums; None: it is complete."""

    sums: list[UsageSum]
    complete_from_ms: int | None = None


def ask_usage(database: Database, question: UsageQuestion, now_ms: int) -> UsageAnswer:
    """Answer. Without any group there is one sum, of nothing where there is nothing. Raises StorageError."""
    return reading_whole(database, lambda connection: _Asking(connection, database.dialect, question, now_ms).answer())


class _Asking:
    """One question at one moment."""

    def __init__(self, connection: Connection, dialect: Dialect, question: UsageQuestion, now_ms: int) -> None:
        self._connection = connection
        self._dialect: Dialect = dialect
        self._question = question
        self._marks = Marks(connection, now_ms)

    def answer(self) -> UsageAnswer:
        found: dict[tuple[Value, ...], UsageSum] = {}
        complete_from_ms: int | None = None
        for source, spans in self._cover().items():
            for since, until in spans:
                if source == "calls" and since < self._marks.calls_ms:
                    complete_from_ms = self._marks.calls_ms
                for row in self._rows(source, since, until):
                    self._take(row, found)
        if not self._question.by and not found:
            found[()] = _nothing()
        return UsageAnswer(list(found.values()), complete_from_ms)

    def _cover(self) -> dict[Source, list[Span]]:
        """Which span of time is read from where; together they are the question's, and none overlaps another."""
        since, until = self._question.since_ms, self._question.until_ms
        coarsest = _coarsest(self._question)
        days: list[Span] = []
        hours: list[Span] = []
        if coarsest != "calls":
            late = self._late(since, until)
            hours = _without(_whole(since, min(until, self._marks.hours_ms), HOUR_MS), _around(late, HOUR_MS))
            if coarsest == "days":
                days = _without(_whole(since, min(until, self._marks.days_ms), DAY_MS), _around(late, DAY_MS))
        return {
            "days": days,
            "hours": [rest for span in hours for rest in _without(span, days)],
            "calls": _without((since, until), hours),
        }

    def _late(self, since: int, until: int) -> list[int]:
        """The hours whose sums do not count now, in order; where the calls are forgotten, the sums are what there is."""
        query = "SELECT DISTINCT at FROM usage_late WHERE at >= ? AND at < ? AND at < ? ORDER BY at"
        first = max(since // HOUR_MS * HOUR_MS, self._marks.calls_ms)
        return [row[0] for row in self._connection.execute(query, (first, until, self._marks.hours_ms))]

    def _rows(self, source: Source, since: int, until: int) -> list[tuple[Any, ...]]:
        question, calls = self._question, source == "calls"
        values: list[object] = []
        groups = [grouping(name, question, self._dialect, values, calls=calls) for name in question.by]
        if question.full:
            groups += _EXTRA
        names = (*_PLAIN, *_BARS) if question.full else _PLAIN
        sums = [f"COALESCE(SUM({SUMS[name] if calls else name}), 0)" for name in names]
        values += (since, until)
        chosen = conditions(question, self._dialect, values, calls=calls)
        query = f"SELECT {', '.join((*groups, *sums))} FROM {_TABLES[source]} WHERE at >= ? AND at < ?{chosen}"  # noqa: S608
        if groups:
            query += f" GROUP BY {', '.join(str(place + 1) for place in range(len(groups)))}"
        return self._connection.execute(query, values).fetchall()

    def _take(self, row: tuple[Any, ...], found: dict[tuple[Value, ...], UsageSum]) -> None:
        """Add a row to its group's sum."""
        question = self._question
        by = len(question.by)
        group = tuple(row[:by])
        extra = len(_EXTRA) if question.full else 0
        numbers = [int(number) for number in row[by + extra :]]  # PostgreSQL adds 64 bits up to a decimal
        if not numbers[0]:
            return
        one = found.get(group)
        if one is None:
            one = found[group] = _nothing(group)
        for name, number in zip(_PLAIN, numbers, strict=False):
            if number:
                setattr(one, name, getattr(one, name) + number)
        if question.full:
            failure, price, group_name = row[by : by + extra]
            bars = numbers[len(_PLAIN) :]
            one.first_token_bars = _added(one.first_token_bars, bars_of(bars[:_FIRST_BARS]))
            one.total_bars = _added(one.total_bars, bars_of(bars[_FIRST_BARS:]))
            if failure is not None:
                one.failures_by_kind[failure] = one.failures_by_kind.get(failure, 0) + numbers[0]
            uncached = numbers[_PLAIN.index("input_tokens")]
            if uncached:
                key = (price, group_name)
                one.uncached[key] = one.uncached.get(key, 0) + uncached


def _coarsest(question: UsageQuestion) -> Source:
    """The coarsest sums that can answer the question."""
    names = (*question.by, *(name for name, _ in question.where))
    statuses = [one for name, wanted in question.where if name == "status" for one in wanted]
    if "minute" in names or any(name.startswith(BY_METADATA) for name in names):
        return "calls"
    if any(not status.endswith("xx") for status in statuses):
        return "calls"
    timed = "hour" in names or "day" in names
    if timed and question.offset_ms % HOUR_MS:
        return "calls"
    return "hours" if "hour" in names or (timed and question.offset_ms % DAY_MS) else "days"


def _whole(since: int, until: int, length: int) -> Span:
    """From the first whole period to the end of the last."""
    return (-(-since // length) * length, until // length * length)


def _without(span: Span, holes: Sequence[Span]) -> list[Span]:
    """What is left of `span`; the holes are in order."""
    left: list[Span] = []
    at, end = span
    for begin, until in holes:
        if begin >= end:
            break
        if at < begin:
            left.append((at, begin))
        at = max(at, until)
    return [*left, (at, end)] if at < end else left


def _around(hours: Sequence[int], length: int) -> list[Span]:
    """The periods that these hours lie in; where they are many, all from the first to the last."""
    around = [(at // length * length, at // length * length + length) for at in hours]
    return around if len(around) <= _MANY else [(around[0][0], around[-1][1])]


def _nothing(group: tuple[Value, ...] = ()) -> UsageSum:
    zeros: dict[str, Any] = dict.fromkeys(_PLAIN, 0)
    return UsageSum(group=group, **zeros)


def _added(bars: tuple[int, ...], more: Sequence[int]) -> tuple[int, ...]:
    return tuple(map(sum, zip(bars, more, strict=True))) if bars else tuple(more)
