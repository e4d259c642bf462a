"""Usage for other programs: single calls or sums, as CSV or as JSON lines, written while it is read.

Law: a file of any length takes the memory of a page. No cell of a CSV file begins as a formula would: names come from callers,
and who opens the file in a spreadsheet must not run what they wrote.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from anykey.accounts.amounts import usd_text
from anykey.accounts.permissions import LOCAL, Actor
from anykey.administration.home import Home
from anykey.administration.requests import row_fields
from anykey.administration.usage_report import UsageLine, UsageReport, seen_by
from anykey.storage.records import ExchangeRow
from anykey.storage.usage_columns import COUNTS
from anykey.storage.usage_export import newest_calls, pages_of_calls
from anykey.storage.usage_question import PERIODS_MS, UsageQuestion

Format = Literal["csv", "jsonl"]
OPERATORS = ("upstream_protocol", "provider", "deployment", "attempts", "price_id", "route", "attempt_details")
"""Fields of a call that only who runs the gateway is told."""
_LONG = ("loss_details", "attempt_details")
"""Fields that are not in a table."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def calls(home: Home, question: UsageQuestion, form: Format, *, actor: Actor = LOCAL) -> Iterator[bytes]:
    """The calls of a question that `actor` may see, by their time, in pieces of up to a page. Raises Forbidden and
    AdministrationError at once, StorageError while it is read."""
    question = seen_by(question, actor)
    hidden = () if actor.is_operator else OPERATORS
    return _written(home, question, form, hidden)


def newest(home: Home, question: UsageQuestion, most: int, *, actor: Actor = LOCAL) -> list[ExchangeRow]:
    """The last `most` calls of a question that `actor` may see, newest first. Raises Forbidden, AdministrationError."""
    return newest_calls(home.database, seen_by(question, actor), most)


def sums(report: UsageReport, form: Format, offset_ms: int = 0) -> Iterator[bytes]:
    """The lines of a report."""
    rows = [line_fields(line, offset_ms) for line in report.lines]
    if form == "jsonl":
        yield b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
        return
    flat = [_flat(row) for row in rows]
    if flat:
        yield _csv([tuple(flat[0]), *(tuple(row.values()) for row in flat)])


def line_fields(line: UsageLine, offset_ms: int = 0) -> dict[str, object]:
    """A line's fields for a program. Times in `group` are as people write them, in the zone that days were made by."""
    one = line.sums
    return {
        "group": {name: shown(name, value, offset_ms) for name, value in line.group.items()},
        **{name: getattr(one, name) for name in COUNTS if not name.startswith("generation")},
        "cost_usd": usd_text(one.cost_nano),
        "cache_hit_rate": line.cache_hit_rate,
        "cache_miss_nano": line.misses.cost_nano,
        "cache_miss_usd": usd_text(line.misses.cost_nano),
        "cache_miss_unknown_tokens": line.misses.unknown_tokens,
        "first_token_p50_ms": line.first_token.p50_ms,
        "first_token_p95_ms": line.first_token.p95_ms,
        "total_p50_ms": line.total.p50_ms,
        "total_p95_ms": line.total.p95_ms,
        "tokens_per_second": line.tokens_per_second,
        "failures_by_kind": one.failures_by_kind,
    }


def shown(name: str, value: str | int | None, offset_ms: int = 0) -> str | None:
    """What calls were grouped by, as people write it: `2026-01-31`, `2026-01-31 13:00`, `4xx`."""
    if value is None or isinstance(value, str):
        return value
    if name not in PERIODS_MS:
        return f"{value}xx"
    moment = datetime.fromtimestamp((value + offset_ms) // 1000, tz=UTC)
    return moment.strftime("%Y-%m-%d" if name == "day" else "%Y-%m-%d %H:%M")


def _written(home: Home, question: UsageQuestion, form: Format, hidden: Sequence[str]) -> Iterator[bytes]:
    if form == "jsonl":
        for page in pages_of_calls(home.database, question):
            yield b"".join(msgspec.json.encode(_without(row_fields(row), hidden)) + b"\n" for row in page)
        return
    names = [name for name in ExchangeRow.__struct_fields__ if name not in (*hidden, *_LONG)]
    yield _csv([["time", *names, "cost_usd"]])
    for page in pages_of_calls(home.database, question):
        yield _csv(_cells(row, names) for row in page)


def _cells(row: ExchangeRow, names: Sequence[str]) -> list[object]:
    time = datetime.fromtimestamp(row.at / 1000, tz=UTC).isoformat(timespec="milliseconds")
    cost = None if row.cost_nano is None else usd_text(row.cost_nano)
    return [time, *(getattr(row, name) for name in names), cost]


def _without(fields: Mapping[str, object], hidden: Sequence[str]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if name not in hidden}


def _flat(fields: Mapping[str, object]) -> dict[str, object]:
    """The same in one level: each group its own column, kinds of failures as text."""
    group = msgspec.convert(fields["group"], dict[str, str | None])
    kinds = msgspec.convert(fields["failures_by_kind"], dict[str, int])
    told = " ".join(f"{kind}:{count}" for kind, count in sorted(kinds.items()))
    return {**group, **_without(fields, ("group",)), "failures_by_kind": told}


def _csv(rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([[_cell(value) for value in row] for row in rows])
    return text.getvalue().encode()


def _cell(value: object) -> object:
    """What a spreadsheet shows as it is: never a formula."""
    if isinstance(value, tuple):
        value = " ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] - of texts
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
