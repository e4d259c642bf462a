"""A call's number tells what it costs."""

from fractions import Fraction

import pytest

from tests.crash.calls import CACHE_READ_PICO, INPUT_PICO, OUTPUT_PICO, Usage, number_of, usage_of


@pytest.mark.parametrize(
    ("model", "number"),
    [("chat-17", 17), ("lab/messages-4", 4), ("race-9", 9), ("gpt-5", None), ("chat-", None), ("", None)],
)
def test_number_of(model: str, number: int | None) -> None:
    assert number_of(model) == number


def test_the_cost_is_rounded_half_to_even() -> None:
    assert Usage(0, 0, 0).cost_nano == 0
    usage = Usage(1, 1, 1)
    exact = Fraction(INPUT_PICO + CACHE_READ_PICO + OUTPUT_PICO, 1000)
    assert abs(usage.cost_nano - exact) <= Fraction(1, 2)


def test_costs_tell_calls_apart() -> None:
    assert len({usage_of(number).cost_nano for number in range(1000)}) > 950
