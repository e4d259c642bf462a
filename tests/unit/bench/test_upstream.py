"""The fake upstream and the stream client against each other, over real sockets in real processes."""

import json
from collections.abc import Generator
from typing import get_args

import pytest

from bench.calls import call
from bench.cases import WireProtocol
from bench.replies import TERMINAL, stream_records
from bench.stream_client import run_streams
from bench.target import post
from bench.upstream import Upstream, running_upstream


@pytest.fixture(scope="module")
def upstream() -> Generator[Upstream]:
    with running_upstream(event_gap_s=0.001) as running:
        yield running


def test_plain_calls_are_answered_in_their_protocol_and_counted(upstream: Upstream) -> None:
    before = upstream.counts()
    status, body = post(upstream.port, call("chat", "chat", "chat", "k"))
    assert (status, json.loads(body)["object"]) == (200, "chat.completion")
    status, body = post(upstream.port, call("agent", "messages", "messages", "k"))
    assert (status, json.loads(body)["type"]) == (200, "message")
    status, body = post(upstream.port, call("chat", "responses", "responses", "k"))
    assert (status, json.loads(body)["object"]) == (200, "response")
    status, body = post(upstream.port, call("agent", "gemini", "gemini", "k"))
    assert (status, len(json.loads(body)["candidates"])) == (200, 1)
    assert upstream.counts() == {name: count + 1 for name, count in before.items()}


def test_streams_come_whole_and_event_by_event(upstream: Upstream) -> None:
    for protocol in get_args(WireProtocol):
        sent = call("stream", protocol, protocol, "k")
        result = run_streams(upstream.port, sent, TERMINAL[protocol], streams=3, rounds=2)
        assert (result.calls, result.failed) == (6, 0)
        assert result.units == 6 * len(stream_records(protocol))
        assert result.reads_per_unit is not None
        assert result.reads_per_unit > 0.5
        assert 0 < result.latency_ms_p50 <= result.latency_ms_p99


def test_a_stream_without_its_closing_record_has_failed(upstream: Upstream) -> None:
    sent = call("stream", "chat", "chat", "k")
    result = run_streams(upstream.port, sent, TERMINAL["messages"], streams=2, rounds=5)
    assert (result.calls, result.failed) == (0, 2)


def test_a_refused_call_has_failed(upstream: Upstream) -> None:
    sent = call("stream", "chat", "chat", "k")
    elsewhere = type(sent)("/nowhere", sent.headers, sent.body)
    result = run_streams(upstream.port, elsewhere, TERMINAL["chat"], streams=1, rounds=1)
    assert (result.calls, result.failed) == (0, 1)
