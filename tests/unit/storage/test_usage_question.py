"""Words become SQL whose only text is ours."""

import pytest

from anykey.storage.usage_question import COLUMNS, UsageQuestion, conditions, grouping

EVIL = "'; DROP TABLE exchanges --"


@pytest.mark.parametrize("calls", [True, False])
@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_what_comes_from_outside_is_a_parameter(calls: bool, dialect: str) -> None:
    where = tuple((name, (EVIL,)) for name in (*COLUMNS, f"metadata.{EVIL}") if name != "status")
    values: list[object] = []
    question = UsageQuestion(where=where)
    statement = conditions(question, "sqlite" if dialect == "sqlite" else "postgresql", values, calls=calls)
    assert "DROP" not in statement
    assert statement.count("?") == len(values) == len(COLUMNS) + 1
    assert set(values) == {EVIL}


def test_statuses() -> None:
    question = UsageQuestion(where=(("status", ("4xx", "502")),))
    values: list[object] = []
    assert conditions(question, "sqlite", values, calls=True).count("BETWEEN") == 2
    assert values == [400, 499, 502, 502]
    values = []
    assert conditions(UsageQuestion(where=(("status", ("5xx",)),)), "sqlite", values, calls=False) == (
        " AND (status_class = ?)"
    )
    assert values == [5]


def test_one_of_nothing_is_nothing() -> None:
    for name in ("key", "status"):
        assert conditions(UsageQuestion(where=((name, ()),)), "sqlite", [], calls=True) == " AND (1 = 0)"


def test_days_begin_where_it_is_asked() -> None:
    question = UsageQuestion(offset_ms=-5)
    assert grouping("minute", question, "sqlite", [], calls=True) == "(at + -5) / 60000 * 60000 - -5"
