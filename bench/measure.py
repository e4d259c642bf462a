"""Windows of load and what each cost: CPU of the target before and after, divided by what the load saw answered."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.calls import Call, call
from bench.cases import LoadCase
from bench.load import LoadResult, run_wrk
from bench.process import cpu_us
from bench.replies import DELTAS, TERMINAL
from bench.stream_client import run_streams
from bench.target import Target
from bench.upstream import Upstream

SETTLE_S = 0.05
"""Between the last answer and the second look at the CPU, so that work done after an answer is counted too."""

SEPARATE_READS = 0.9
"""Reads per event below which events were joined on their way, so that the figure is too kind."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure: windows of each kind for the gateway and for nginx, and the streams."""

    windows: int
    nginx_windows: int
    starts: int
    stream_rounds: int
    streams: int
    wrk_s: int = 1


FULL = Effort(windows=3, nginx_windows=3, starts=3, stream_rounds=1, streams=32)
QUICK = Effort(windows=1, nginx_windows=1, starts=1, stream_rounds=1, streams=32)


@dataclass(frozen=True, slots=True)
class Window:
    """One window: CPU of the target in microseconds, with nothing subtracted, and what the load saw."""

    cpu_us: float
    load: LoadResult

    @property
    def us_per_unit(self) -> float:
        """CPU per request or event; infinite when none was answered, so that it passes no bar."""
        return self.cpu_us / self.load.units if self.load.units else float("inf")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One case on one target. `faults` say why the figure is not to be trusted; with any, no bar is kept."""

    target: str
    windows: tuple[Window, ...]
    faults: tuple[str, ...]

    @property
    def us_per_unit(self) -> float:
        """The median window's CPU per unit."""
        return statistics.median(window.us_per_unit for window in self.windows)

    @property
    def rate(self) -> float:
        """The median window's units per second."""
        return statistics.median(window.load.units / window.load.duration_s for window in self.windows)

    @property
    def latency_ms(self) -> tuple[float, float]:
        """The median over the windows of p50 and of p99."""
        return (
            statistics.median(window.load.latency_ms_p50 for window in self.windows),
            statistics.median(window.load.latency_ms_p99 for window in self.windows),
        )


def joined(parts: list[Measurement]) -> Measurement:
    """Measurements of one case on one target as a single one."""
    windows = tuple(window for part in parts for window in part.windows)
    faults = tuple(dict.fromkeys(fault for part in parts for fault in part.faults))
    return Measurement(parts[0].target, windows, faults)


def faults_of(case: LoadCase, windows: tuple[Window, ...], upstream_calls: int) -> tuple[str, ...]:
    """What is wrong with a measurement: failed calls, calls the upstream never saw, events joined on their way."""
    calls = sum(window.load.calls for window in windows)
    failed = sum(window.load.failed for window in windows)
    found: list[str] = []
    if failed or not calls:
        found.append(f"{failed} calls failed, {calls} were answered")
    if upstream_calls < calls:
        found.append(f"the {case.upstream} upstream saw {upstream_calls} of {calls} calls")
    for window in windows:
        if window.load.units < DELTAS * window.load.calls and case.streams:
            found.append(f"{window.load.units} events came from {window.load.calls} streams of {DELTAS} or more")
        reads = window.load.reads_per_unit
        if reads is not None and reads < SEPARATE_READS:
            found.append(f"only {reads:.2f} reads an event: events were joined")
    return tuple(dict.fromkeys(found))


def window_of(target: Target, load: Callable[[], LoadResult]) -> Window:
    """Runs one window of load on the target."""
    before = cpu_us(target.pid)
    result = load()
    time.sleep(SETTLE_S)
    return Window(cpu_us(target.pid) - before, result)


@dataclass(frozen=True, slots=True)
class Bench:
    """What every measurement of a run shares."""

    upstream: Upstream
    effort: Effort
    key: str
    metered_key: str | None = None

    def measure(self, case: LoadCase, target: Target, windows: int, connections: int | None = None) -> Measurement:
        """Measures one case on one target, with its own number of connections or another."""
        sent = call(case.kind, case.client, case.upstream, (self.metered_key if case.metered else None) or self.key)
        before = self.upstream.counts()[case.upstream]
        asked = connections or case.connections
        measured = tuple(window_of(target, lambda: self._load(case, target, sent, asked)) for _ in range(windows))
        seen = self.upstream.counts()[case.upstream] - before
        return Measurement(target.name, measured, faults_of(case, measured, seen))

    def _load(self, case: LoadCase, target: Target, sent: Call, connections: int) -> LoadResult:
        effort = self.effort
        if case.streams:
            return run_streams(target.port, sent, TERMINAL[case.client], effort.streams, effort.stream_rounds)
        return run_wrk(target.port, sent, connections, effort.wrk_s)
