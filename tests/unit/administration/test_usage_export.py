"""Usage for other programs: whole, in order, and nothing in it that a spreadsheet would run."""

import csv
import io
import json
import tracemalloc
from pathlib import Path

import msgspec
import pytest

from anykey.accounts.permissions import Actor
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home, prepare_home
from anykey.administration.usage_export import OPERATORS, calls, newest, shown, sums
from anykey.administration.usage_report import report
from anykey.storage.usage_question import UsageQuestion
from tests.unit.administration.test_usage_report import ROW, THEIRS
from tests.unit.storage.usage_calls import write

OWNER = Actor("key:k", "owner", "ours", "me", "k")
EVIL = ("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "\rx", 'fine, "quoted"\nlines')


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = prepare_home(tmp_path)
    write(made.database, [msgspec.structs.replace(ROW, id=f"r{n}", client=name) for n, name in enumerate(EVIL)])
    write(made.database, [THEIRS])
    return made


def test_no_cell_is_a_formula(home: Home) -> None:
    text = b"".join(calls(home, UsageQuestion(), "csv")).decode()
    head, *rows = csv.reader(io.StringIO(text, newline=""))
    names = [row[head.index("client")] for row in rows]
    assert names == [*(f"'{name}" for name in EVIL[:-1]), EVIL[-1], "codex"]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row)
    lines = b"".join(sums(report(home, UsageQuestion(by=("client",))), "csv")).decode()
    assert not any(line.startswith(("=", "+", "-", "@")) for line in lines.splitlines())


def test_json_lines_are_as_they_are(home: Home) -> None:
    rows = [json.loads(line) for line in b"".join(calls(home, UsageQuestion(), "jsonl")).splitlines()]
    assert [row["client"] for row in rows] == [*EVIL, "codex"]
    assert (rows[0]["cost_nano"], rows[0]["losses"]) == (3, [])


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_tenant_is_not_told_where_calls_went(home: Home, form: str) -> None:
    text = b"".join(calls(home, UsageQuestion(), "csv" if form == "csv" else "jsonl", actor=OWNER)).decode()
    assert "theirs" not in text
    assert not any(name in text for name in OPERATORS)
    assert [row.id for row in newest(home, UsageQuestion(), 99, actor=OWNER)] == [
        f"r{n}" for n in (6, 5, 4, 3, 2, 1, 0)
    ]


def test_a_wrong_question_is_refused_before_anything_is_written(home: Home) -> None:
    with pytest.raises(AdministrationError):
        calls(home, UsageQuestion(where=(("provider", ("x",)),)), "csv", actor=OWNER)


def test_nothing_is_a_file_too(home: Home) -> None:
    nothing = UsageQuestion(until_ms=1)
    assert len(b"".join(calls(home, nothing, "csv")).splitlines()) == 1
    assert b"".join(calls(home, nothing, "jsonl")) == b""
    assert list(sums(report(home, UsageQuestion(by=("day",), until_ms=1)), "csv")) == []


def test_it_takes_the_memory_of_a_page(home: Home) -> None:
    def many(begin: int) -> None:
        write(home.database, [msgspec.structs.replace(ROW, id=f"many{begin + n}", at=begin + n) for n in range(5000)])

    def peak() -> int:
        tracemalloc.start()
        try:
            for _ in calls(home, UsageQuestion(), "jsonl"):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    many(0)
    once = peak()
    many(10_000)
    assert peak() < once * 1.3


@pytest.mark.parametrize(
    ("name", "value", "offset_ms", "said"),
    [
        ("day", 86_400_000, 0, "1970-01-02"),
        ("day", 86_400_000 - 8 * 3_600_000, 8 * 3_600_000, "1970-01-02"),
        ("hour", 3_600_000, 0, "1970-01-01 01:00"),
        ("status", 4, 0, "4xx"),
        ("model", "m", 0, "m"),
        ("team", None, 0, None),
    ],
)
def test_what_calls_are_grouped_by_in_words(
    name: str, value: str | int | None, offset_ms: int, said: str | None
) -> None:
    assert shown(name, value, offset_ms) == said
