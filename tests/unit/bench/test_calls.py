"""The calls that are measured."""

import json

import pytest

from bench.calls import SMALL_REQUEST_BYTES, call
from bench.cases import WireProtocol


def test_the_small_request_is_90_bytes() -> None:
    small = call("chat", "chat", "chat", "ak-test")
    assert len(small.body) == SMALL_REQUEST_BYTES
    assert json.loads(small.body)["model"] == "bench-chat"


@pytest.mark.parametrize("protocol", ["responses", "gemini"])
def test_the_small_request_is_90_bytes_in_the_other_protocols(protocol: WireProtocol) -> None:
    assert len(call("chat", protocol, protocol, "ak-test").body) == SMALL_REQUEST_BYTES


def test_the_model_and_the_verb_of_gemini_are_in_the_path() -> None:
    sent = call("stream", "gemini", "chat", "ak-test")
    assert sent.path == "/v1beta/models/bench-chat:streamGenerateContent?alt=sse"
    assert sent.headers["x-goog-api-key"] == "ak-test"
    assert call("agent", "gemini", "gemini", "k").path == "/v1beta/models/bench-gemini:generateContent"
    assert b"bench" not in sent.body


def test_nothing_of_responses_is_stored() -> None:
    for kind in ("chat", "stream"):
        assert json.loads(call(kind, "responses", "chat", "k").body)["store"] is False


def test_the_path_is_the_clients_and_the_model_the_upstreams() -> None:
    sent = call("stream", "messages", "chat", "ak-test")
    assert sent.path == "/v1/messages"
    assert sent.headers["x-api-key"] == "ak-test"
    body = json.loads(sent.body)
    assert (body["model"], body["stream"]) == ("bench-chat", True)
    assert "stream_options" not in body


def test_a_chat_stream_asks_for_its_usage() -> None:
    sent = call("stream", "chat", "messages", "ak-test")
    assert sent.headers["authorization"] == "Bearer ak-test"
    assert json.loads(sent.body)["stream_options"] == {"include_usage": True}


def test_wire_is_a_whole_request() -> None:
    sent = call("chat", "chat", "chat", "ak-test")
    head, _, body = sent.wire("127.0.0.1:9").partition(b"\r\n\r\n")
    assert body == sent.body
    assert head.split(b"\r\n")[0] == b"POST /v1/chat/completions HTTP/1.1"
    assert b"content-length: 90" in head.split(b"\r\n")
