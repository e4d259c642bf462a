"""What a measurement says, and when it is not to be trusted."""

import math

import pytest

from bench.cases import LOAD_CASES, LoadCase
from bench.load import LoadResult
from bench.measure import Measurement, Window, faults_of, joined
from bench.replies import DELTAS

CHAT = next(case for case in LOAD_CASES if case.name == "chat")
EVENT = next(case for case in LOAD_CASES if case.name == "event-to-chat")


def window(cpu_us: float, calls: int = 100, units: int = 100, failed: int = 0, reads: float | None = None) -> Window:
    return Window(cpu_us, LoadResult(calls, units, 2.0, 1.0, 3.0, failed, reads))


def test_the_median_window_is_the_figure() -> None:
    measured = Measurement("x", (window(9_000), window(1_000), window(5_000)), ())
    assert measured.us_per_unit == 50
    assert measured.rate == 50
    assert measured.latency_ms == (1.0, 3.0)


def test_a_window_without_an_answer_is_infinitely_dear() -> None:
    assert window(1_000, calls=0, units=0).us_per_unit == math.inf


def test_a_sound_measurement_has_no_faults() -> None:
    assert faults_of(CHAT, (window(1), window(1)), upstream_calls=200) == ()
    streamed = window(1, calls=2, units=2 * DELTAS + 8, reads=0.98)
    assert faults_of(EVENT, (streamed,), upstream_calls=2) == ()


@pytest.mark.parametrize(
    ("case", "measured", "upstream_calls", "said"),
    [
        (CHAT, window(1, failed=3), 100, "3 calls failed, 100 were answered"),
        (CHAT, window(1, calls=0, units=0), 0, "0 calls failed, 0 were answered"),
        (CHAT, window(1), 99, "the chat upstream saw 99 of 100 calls"),
        (EVENT, window(1, calls=2, units=DELTAS, reads=1.0), 2, f"{DELTAS} events came from 2 streams"),
        (EVENT, window(1, calls=1, units=DELTAS, reads=0.5), 1, "only 0.50 reads an event"),
    ],
)
def test_faults_are_named(case: LoadCase, measured: Window, upstream_calls: int, said: str) -> None:
    (fault,) = faults_of(case, (measured,), upstream_calls)
    assert said in fault


def test_joined_measurements_keep_every_window_and_fault() -> None:
    window = Window(100.0, LoadResult(1, 1, 1.0, 1.0, 2.0, 0))
    both = joined([Measurement("x", (window,), ("a",)), Measurement("x", (window, window), ("a", "b"))])
    assert len(both.windows) == 3
    assert both.faults == ("a", "b")
