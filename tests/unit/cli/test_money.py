"""Amounts and moments as they are typed."""

import click
import pytest

from anykey.cli.money import Amount, Moment, tell_next


def test_amounts_are_exact() -> None:
    assert Amount().convert("0.00123", None, None) == 1_230_000
    assert Amount().convert("$12", None, None) == 12 * 10**9
    with pytest.raises(click.BadParameter):
        Amount().convert("1e3", None, None)


@pytest.mark.parametrize(
    ("text", "unix_s"),
    [("2027-01-31", 1_801_353_600), ("2027-01-31T12:00", 1_801_396_800), ("2027-01-31T12:00+08:00", 1_801_368_000)],
)
def test_moments_are_utc_unless_they_say_otherwise(text: str, unix_s: int) -> None:
    assert Moment().convert(text, None, None) == unix_s


def test_a_list_that_is_over_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    tell_next(None)
    assert capsys.readouterr().err == ""
    tell_next("abc")
    assert "--cursor abc" in capsys.readouterr().err
