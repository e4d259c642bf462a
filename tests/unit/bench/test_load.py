"""What is read from wrk's output."""

import pytest

from bench.load import LoadResult, parse_report


def test_the_scripts_line_is_found_among_wrks_own() -> None:
    output = (
        "Running 1s test @ http://127.0.0.1:9/\n  1 threads and 64 connections\n"
        "  12345 requests in 1.01s, 3.2MB read\nRequests/sec:  12222.77\n"
        'BENCH {"requests":12345,"duration_us":1010000,"p50_us":5000,"p99_us":9500,"failed":2}\n'
    )
    assert parse_report(output) == LoadResult(12345, 12345, 1.01, 5.0, 9.5, 2)


def test_no_report_says_what_wrk_said() -> None:
    with pytest.raises(ValueError, match="unable to connect"):
        parse_report("unable to connect to 127.0.0.1:9 Connection refused\n")
