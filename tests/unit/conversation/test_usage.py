"""Buckets are disjoint, never negative, and sum to the provider's totals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.conversation.usage import Usage, carve, token_count


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (3, 3),
        (0, 0),
        (3.0, 3),
        (-1, None),
        (10**12, None),
        ("5", None),
        (float("nan"), None),
        (float("inf"), None),
        (True, None),
        (None, None),
        (1.5, None),
    ],
)
def test_only_plausible_numbers_count(value: object, count: int | None) -> None:
    assert token_count(value) == count


@given(st.integers(0, 10**9), st.lists(st.integers(-5, 10**9), max_size=6))
def test_carving_keeps_the_sum_and_the_sign(total: int, details: list[int]) -> None:
    shares = carve(total, *details)
    assert sum(shares) == total
    assert min(shares) >= 0


def test_totals_count_each_token_once() -> None:
    usage = Usage(1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
    assert usage.total_input() == 1 + 2 + 4 + 8 + 64 + 128
    assert usage.total_output() == 16 + 32 + 256 + 512
    assert usage.cache_write_tokens() == 12
