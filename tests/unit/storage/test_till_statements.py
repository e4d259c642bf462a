"""Many rows take few statements."""

from hypothesis import given
from hypothesis import strategies as st

from anykey.storage.till_statements import CLOSE_OPEN, OPEN, OPEN_COLUMNS, SIZES, in_groups


@given(st.integers(0, 700))
def test_every_row_is_in_exactly_one_statement(count: int) -> None:
    rows: list[tuple[object, ...]] = [(number,) * len(OPEN_COLUMNS) for number in range(count)]
    groups = list(in_groups(OPEN, rows))
    assert [value for _, values in groups for value in values[:: len(OPEN_COLUMNS)]] == list(range(count))
    assert all(statement.count("?") == len(values) for statement, values in groups)
    assert len(groups) <= count // SIZES[0] + 3 * (len(SIZES) - 1)


def test_statements_fit_both_databases() -> None:
    for statement in (*OPEN.values(), *CLOSE_OPEN.values()):
        assert "%" not in statement
        assert statement.count("?") < 32_766  # SQLite's most values
