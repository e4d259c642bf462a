"""How a tally of streams becomes a window of load."""

from bench.stream_client import StreamTally, summary


def test_percentiles_and_reads_per_event() -> None:
    tally = StreamTally(whole=100, failed=1, reads=450, events=500, first_bytes_s=[n / 1000 for n in range(1, 101)])
    result = summary(tally, 2.0)
    assert (result.calls, result.units, result.failed, result.duration_s) == (100, 500, 1, 2.0)
    assert result.reads_per_unit == 0.9
    assert result.latency_ms_p50 == 50.5
    assert 99 <= result.latency_ms_p99 <= 100


def test_nothing_arrived() -> None:
    result = summary(StreamTally(failed=4), 1.0)
    assert (result.units, result.latency_ms_p99, result.reads_per_unit) == (0, 0.0, 0.0)
