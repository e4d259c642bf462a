import json

import pytest

from anykey.conversation.failures import Failure, FailureError
from anykey.protocols.anthropic_messages.codec import CODEC
from anykey.protocols.anthropic_messages.dialect import Dialect
from anykey.protocols.anthropic_messages.tap import StreamTap, WholeTap
from anykey.protocols.codec import Codec, RequestPath

PATH = RequestPath()
BODY = b'{ "max_tokens": 1.0, "model" : "claude", "messages": [ {"role":"user","content":"h\\u0069"} ], "x": 1e5 }'


def test_it_is_a_codec() -> None:
    codec: Codec = CODEC
    assert codec.name == "anthropic_messages"
    assert codec.dialect({"effort": True}) == Dialect(effort=True)


def test_routing_reads_two_fields() -> None:
    assert CODEC.peek(BODY, PATH).model == "claude"
    assert CODEC.peek(b'{"model":"m","stream":true}', PATH).stream is True
    with pytest.raises(FailureError, match="model"):
        CODEC.peek(b'{"max_tokens":1}', PATH)


def test_a_verbatim_body_is_the_same_bytes_or_differs_in_the_model_only() -> None:
    assert CODEC.prepare_verbatim(BODY, "claude", Dialect()).body is BODY
    body, hide_usage = CODEC.prepare_verbatim(BODY, 'other"é', Dialect())
    assert not hide_usage
    assert json.loads(body) == json.loads(BODY) | {"model": 'other"é'}
    assert list(json.loads(body)) == ["max_tokens", "model", "messages", "x"]
    for piece in (b"1.0", b"1e5", b'[ {"role":"user","content":"h\\u0069"} ]'):
        assert piece in body
    with pytest.raises(FailureError, match="model"):
        CODEC.prepare_verbatim(b"{}", "m", Dialect())


def test_headers_of_the_client_go_through_only_with_his_own_body() -> None:
    client = [
        (b"anthropic-version", b"2026-10-21"),
        (b"anthropic-beta", b"a,b"),
        (b"anthropic-beta", b"c"),
        (b"x-api-key", b"ak-secret"),
    ]
    dialect = Dialect(version="2023-06-01")
    assert CODEC.request_headers(client, dialect, verbatim=True) == (
        (b"anthropic-version", b"2026-10-21"),
        (b"anthropic-beta", b"a,b,c"),
    )
    assert CODEC.request_headers(client, dialect, verbatim=False) == ((b"anthropic-version", b"2023-06-01"),)
    assert CODEC.request_headers([], dialect, verbatim=True) == ((b"anthropic-version", b"2023-06-01"),)


def test_the_verbs_are_wired() -> None:
    request = CODEC.decode_request(BODY, PATH).value
    assert json.loads(CODEC.encode_request(request, Dialect()).body)["messages"] == [{"role": "user", "content": "hi"}]
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "x"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    answer = CODEC.decode_response(json.dumps(message).encode(), Dialect()).value
    assert json.loads(CODEC.encode_response(answer).body)["content"] == message["content"]
    assert CODEC.stream_encoder(request).heartbeat() == CODEC.heartbeat()
    assert CODEC.stream_decoder(Dialect()).feed(b"") == []
    assert isinstance(CODEC.tap(Dialect(), stream=True, hide_usage=False), StreamTap)
    assert isinstance(CODEC.tap(Dialect(), stream=False, hide_usage=False), WholeTap)
    assert CODEC.decode_failure(529, (), b"").kind == "overloaded"
    failure = Failure("upstream_error", "m")
    assert CODEC.encode_failure(failure, "r").status == 502
    assert CODEC.encode_stream_failure(failure, "r").endswith(b'"request_id":"r"}\n\n')


BILLED = (
    b'{"model": "m", "system": [{"type": "text", "text": "x-anthropic-billing-header: cch=1;"}, '
    b'{"type":"text", "text":"Be \\u0041."}], "max_tokens": 1.0}'
)


def test_the_billing_line_is_for_its_maker_only() -> None:
    assert CODEC.prepare_verbatim(BILLED, "m", Dialect(billing_header=True)).body is BILLED
    body = CODEC.prepare_verbatim(BILLED, "m", Dialect()).body
    assert json.loads(body)["system"] == [{"type": "text", "text": "Be A."}]
    assert b'{"type":"text", "text":"Be \\u0041."}' in body, "all other bytes stay"
    assert b"1.0" in body


@pytest.mark.parametrize(
    "system",
    [
        b'"x-anthropic-billing-header: 1"',
        b'[{"text": "of x-anthropic-billing-header"}]',
        b'[3, "x-anthropic-billing-header"]',
    ],
)
def test_a_system_text_without_such_a_block_stays(system: bytes) -> None:
    body = b'{"model": "m", "system": %b}' % system
    assert CODEC.prepare_verbatim(body, "m", Dialect()).body is body


RAW = Dialect(body_version="vertex-2023-10-16")


def test_where_the_url_names_the_model_it_names_the_verb_too() -> None:
    url = "https://x.example/publishers/anthropic/models/claude-opus-5:rawPredict"
    assert CODEC.call_url(url, "claude-opus-5", stream=False) == url
    assert CODEC.call_url(url, "claude-opus-5", stream=True) == url.replace(":rawPredict", ":streamRawPredict")


def test_where_the_url_names_the_model_the_body_names_the_version() -> None:
    body = b'{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}'
    verbatim = json.loads(CODEC.prepare_verbatim(body, "claude-opus-5", RAW).body)
    decoded = CODEC.decode_request(body, RequestPath()).value
    translated = json.loads(CODEC.encode_request(decoded, RAW).body)
    for sent in (verbatim, translated):
        assert "model" not in sent
        assert (sent["anthropic_version"], sent["max_tokens"]) == ("vertex-2023-10-16", 5)
    assert "anthropic_version" not in json.loads(CODEC.encode_request(decoded, Dialect()).body)
