"""Percentiles out of histograms."""

import pytest

from anykey.storage.schema import usage_days, usage_hours
from anykey.storage.usage_columns import EDGES_MS, quantile_ms


def bars(*times_ms: int) -> list[int]:
    """The histogram of these."""
    found = [0] * (len(EDGES_MS) + 1)
    for time in times_ms:
        found[sum(time > edge for edge in EDGES_MS)] += 1
    return found


@pytest.mark.parametrize(
    ("times", "share", "wanted"),
    [
        ((), 0.5, None),
        ((40,), 0.5, 25),
        ((50,) * 10, 0.95, 48),
        ((60,) * 50 + (250,) * 50, 0.5, 100),
        ((60,) * 50 + (250,) * 50, 0.95, 290),
        ((10,) + (10**6,) * 9, 0.95, 80_000),
        ((10**6,), 0.5, 80_000),
    ],
)
def test_quantiles(times: tuple[int, ...], share: float, wanted: int | None) -> None:
    assert quantile_ms(bars(*times), share) == wanted


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_a_quantile_is_in_the_bar_of_the_true_one(share: float) -> None:
    times = [int(1.01**step) for step in range(1100)]
    true = sorted(times)[int(share * len(times))]
    above = min(edge for edge in EDGES_MS if edge >= true)
    below = max((edge for edge in EDGES_MS if edge < true), default=0)
    found = quantile_ms(bars(*times), share)
    assert found is not None
    assert below <= found <= above


def test_both_tables_have_the_same_columns() -> None:
    assert usage_days.c.keys() == usage_hours.c.keys()
