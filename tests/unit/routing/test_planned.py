"""Steps that are worked out when they are looked at."""

from collections.abc import Iterator
from typing import cast

import pytest

from anykey.routing.planned import LazySteps, LeftOut, Plan, PlanStep

A, B, C = (cast("PlanStep", name) for name in "abc")


class Source:
    def __init__(self) -> None:
        self.worked_out = 0

    def __call__(self, steps: LazySteps) -> Iterator[PlanStep]:
        for step in (A, B, C):
            self.worked_out += 1
            yield step
        steps.left_out.append(LeftOut("d", "why"))


def test_nothing_is_worked_out_before_it_is_looked_at_and_nothing_twice() -> None:
    source = Source()
    steps = LazySteps(source)
    assert source.worked_out == 0
    assert steps
    assert steps[0] == A
    assert source.worked_out == 1
    assert list(steps) == list(steps) == [A, B, C]
    assert source.worked_out == 3
    assert (len(steps), steps[-1], steps[1:]) == (3, C, [B, C])
    assert steps.left_out == [LeftOut("d", "why")]


def test_two_may_go_through_it_at_once() -> None:
    steps = LazySteps(Source())
    one, other = iter(steps), iter(steps)
    assert [next(one), next(one), next(other), next(one), next(other)] == [A, B, A, C, B]


def test_none() -> None:
    empty = LazySteps(lambda _: iter(()))
    assert not empty
    with pytest.raises(IndexError):
        empty[0]


def test_a_plan_of_one_fixed_step_is_single() -> None:
    assert Plan((A,), "m", "pinned").single
    assert not Plan((A, B), "m", "pinned").single
    assert not Plan(LazySteps(lambda _: iter((A,))), "m", "pinned").single
    assert Plan((A, B), "m", "pinned").first == A
    assert list(Plan((A,), "m", "pinned").after("context_too_long")) == []
