"""Lengths of time and moments as they are typed."""

import time
from datetime import datetime

import click
import pytest

from anykey.cli.moments import moment_of, past_moment_of, seconds_of


def test_lengths() -> None:
    lengths = {"0": 0, "90s": 90, "30m": 1800, "24h": 86_400, "7d": 604_800, "1w": 604_800}
    assert {text: seconds_of(text, "--x") for text in lengths} == lengths


def test_moments() -> None:
    assert moment_of("never", "--x") == 0
    assert abs(moment_of("1h", "--x") - time.time() - 3600) < 5
    assert abs(past_moment_of("1h", "--x") - time.time() + 3600) < 5
    assert past_moment_of("2027-01-31", "--x") == moment_of("2027-01-31", "--x")
    assert moment_of("2027-01-31T12:00:00+01:00", "--x") == 1_801_393_200
    assert moment_of("2027-01-31", "--x") == int(datetime(2027, 1, 31).astimezone().timestamp())


@pytest.mark.parametrize("text", ["", "1", "1y", "-1h", "1.5h", "soon", "2027-13-01"])
def test_what_is_neither(text: str) -> None:
    with pytest.raises(click.BadParameter):
        seconds_of(text, "--x")
    with pytest.raises(click.BadParameter):
        moment_of(text, "--x")
