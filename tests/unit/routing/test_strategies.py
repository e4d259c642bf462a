"""In which order nodes are asked: by weight, by load, by price."""

import time
from collections import Counter
from itertools import accumulate

import pytest

from anykey.providers.models import ModelPrices
from anykey.routing.strategies import MOST_COMPARED, SAMPLE, blended_price, ranked, weighted


def first(weights: list[int], roll: float) -> int:
    return next(weighted(list(accumulate(weights)), roll)).place


def order(weights: list[int], roll: float) -> list[int]:
    return [choice.place for choice in weighted(list(accumulate(weights)), roll)]


def test_the_roll_falls_on_shares_as_large_as_the_weights() -> None:
    drawn = Counter(first([1, 3, 0, 4], step / 8) for step in range(8))
    assert drawn == {0: 1, 1: 3, 3: 4}


def test_every_place_comes_once_and_weight_nought_last() -> None:
    for step in range(100):
        places = order([2, 0, 1, 0, 5], step / 100)
        assert sorted(places) == [0, 1, 2, 3, 4]
        assert places[3:] == [1, 3]


def test_without_any_weight_they_come_in_order() -> None:
    assert order([0, 0, 0], 0.7) == [0, 1, 2]
    assert order([], 0.7) == []


def test_the_second_place_is_drawn_by_weight_too() -> None:
    after = Counter(
        order([1, 3, 6], step / 20_000)[1] for step in range(20_000) if first([1, 3, 6], step / 20_000) == 0
    )
    assert after[2] / sum(after.values()) == pytest.approx(6 / 9, abs=0.05)


@pytest.mark.parametrize("roll", [0.0, 0.5, 1 - 2**-53])
@pytest.mark.parametrize("total", [1, 3, 1025, 10**6, 2**52])
def test_the_ends_of_the_roll_fall_on_a_place(roll: float, total: int) -> None:
    assert first([0, total, 0], roll) == 1


def test_what_is_left_of_the_roll_is_as_even_as_the_roll() -> None:
    rests = [next(weighted([3, 10], step / 10_000)).roll for step in range(10_000)]
    assert all(0 <= rest < 1 for rest in rests)
    assert sum(rests) / len(rests) == pytest.approx(0.5, abs=0.01)


def test_the_lowest_metric_first_and_equals_from_the_rolls_place_on() -> None:
    assert [choice.place for choice in ranked(4, [5, 1, 1, 0].__getitem__, 0.0)] == [3, 1, 2, 0]
    assert [choice.place for choice in ranked(4, [0, 0, 0, 0].__getitem__, 0.5)] == [2, 3, 0, 1]


def test_of_many_a_sample_is_compared_and_all_come_once() -> None:
    asked: list[int] = []

    def metric(place: int) -> float:
        asked.append(place)
        return -place

    places = [choice.place for choice in ranked(1000, metric, 0.25)]
    assert sorted(places) == list(range(1000))
    assert len(asked) == SAMPLE
    assert places[0] == max(asked)
    assert len({choice.place for choice in ranked(MOST_COMPARED, metric, 0.9)}) == MOST_COMPARED


def test_a_price_of_three_input_tokens_and_one_output_token() -> None:
    assert blended_price(ModelPrices(input=1_000_000, output=5_000_000)) == 2_000_000
    assert blended_price(ModelPrices(input=1_000_000)) == blended_price(None) == float("inf")


def test_the_first_of_many_costs_little() -> None:
    sums = list(accumulate([1] * 100_000))
    start = time.process_time()
    for step in range(1000):
        next(weighted(sums, step / 1000))
    assert (time.process_time() - start) / 1000 < 1e-4
