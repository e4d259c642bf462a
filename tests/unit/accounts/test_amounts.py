"""Money as text: exact both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.accounts.amounts import AMOUNT_NANO_MAX, dollars, nano_of, usd_text


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (0, "0.00"),
        (1, "0.000000001"),
        (1_230_000, "0.00123"),
        (100_000_000, "0.10"),
        (2_000_000_000, "2.00"),
        (12_345_678_901, "12.345678901"),
        (-1_500_000_000, "-1.50"),
    ],
)
def test_usd_text(nano: int, text: str) -> None:
    assert usd_text(nano) == text


def test_dollars_put_the_sign_first() -> None:
    assert dollars(1_230_000) == "$0.00123"
    assert dollars(-2_000_000_000) == "-$2.00"


@given(st.integers(0, AMOUNT_NANO_MAX))
def test_what_is_written_is_read_back_exactly(nano: int) -> None:
    assert nano_of(usd_text(nano)) == nano


@pytest.mark.parametrize(("text", "nano"), [("1", 10**9), ("0.5", 5 * 10**8), ("007.10", 71 * 10**8)])
def test_nano_of(text: str, nano: int) -> None:
    assert nano_of(text) == nano


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".5",
        "1.",
        "-1",
        "+1",
        "1e3",
        "1,000",
        " 1",
        "1\n",
        "$1",
        "0.0000000001",
        "NaN",
        "\u0661",
        "1000000000.01",
        "9" * 40,
    ],
)
def test_nano_of_refuses_all_else(text: str) -> None:
    with pytest.raises(ValueError, match=r"USD"):
        nano_of(text)
