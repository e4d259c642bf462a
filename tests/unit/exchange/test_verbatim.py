"""Same protocol on both sides: the caller's bytes go up and the upstream's come down."""

import json
from pathlib import Path

import msgspec
import pytest

from tests.fakes.answers import (
    CHAT,
    MESSAGES,
    PATHS,
    PROTOCOLS,
    TEXT,
    answering,
    ask,
    chat_chunk,
    config,
    failing,
    pieces,
    records,
    request,
    told_text,
    whole,
    wired,
)
from tests.fakes.gateway import RunningGateway
from tests.fakes.wire import RecordedCall, WireConnection, WireServer, reply_json, reply_sse

# Spacing, order, escapes and unknown fields that no re-encoding would give back.
INNER = rb'[{"content":"h\u00e9 \/","role" :"user"}], "x_new": [1.0, 1e2 ,{"model":"no", "a": null}]'
ODD_BODY = {
    CHAT: b'{ "messages": %b,"model" : "test-model"  }' % INNER,
    MESSAGES: b'{ "max_tokens":9,"messages": %b,"model" : "test-model"  }' % INNER,
}


def values(body: bytes) -> dict[str, bytes]:
    """The values of a body's fields, in their own spelling."""
    return {name: bytes(value) for name, value in msgspec.json.decode(body, type=dict[str, msgspec.Raw]).items()}


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_call_whose_names_agree_goes_up_byte_for_byte(tmp_path: Path, protocol: str) -> None:
    async with WireServer(reply_json(whole(protocol))) as upstream:
        same = config((protocol, upstream.url)).replace("upstream-model", "test-model")
        async with RunningGateway(tmp_path, same) as gateway:
            await gateway.post(PATHS[protocol], ODD_BODY[protocol])
    assert upstream.calls[0].body == ODD_BODY[protocol]


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_only_the_name_of_the_model_is_changed(tmp_path: Path, protocol: str) -> None:
    async with wired(tmp_path, protocol, reply_json(whole(protocol))) as (gateway, upstream):
        await gateway.post(PATHS[protocol], ODD_BODY[protocol])
    assert values(upstream.calls[0].body) == {**values(ODD_BODY[protocol]), "model": b'"upstream-model"'}
    assert list(values(upstream.calls[0].body)) == list(values(ODD_BODY[protocol]))


async def test_a_chat_stream_that_asked_for_usage_is_not_touched(tmp_path: Path) -> None:
    body = ODD_BODY[CHAT].replace(b"{ ", b'{ "stream": true, "stream_options":{"include_usage" :true},', 1)
    told = pieces(CHAT).all()
    async with WireServer(reply_sse(*told)) as upstream:
        same = config((CHAT, upstream.url)).replace("upstream-model", "test-model")
        async with RunningGateway(tmp_path, same) as gateway:
            reply = await gateway.post(PATHS[CHAT], body)
    assert upstream.calls[0].body == body
    assert reply.body == "".join(told).encode()


async def test_usage_that_the_caller_did_not_ask_for_is_asked_for_and_hidden(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, upstream):
        reply = await ask(gateway, CHAT, stream=True)
        row = (await gateway.rows())[0]
    sent = upstream.calls[0].json()
    assert sent.pop("stream_options") == {"include_usage": True}
    assert sent == request(CHAT, stream=True, model="upstream-model")
    assert not any(record.data != "[DONE]" and record.data.get("usage") for record in records(reply.body))
    assert told_text(CHAT, reply) == TEXT
    assert reply.body.endswith(b"data: [DONE]\n\n")
    assert (row.input_tokens, row.output_tokens, row.usage_source) == (7, 3, "upstream")


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_where_the_call_goes_and_with_what(tmp_path: Path, protocol: str) -> None:
    async with wired(tmp_path, protocol, answering(protocol)) as (gateway, upstream):
        headers = {
            **gateway.headers(),
            "anthropic-version": "2026-10-21",
            "anthropic-beta": "one-2026-01-01,two-2026-02-02",
            "cookie": "c=1",
            "x-forwarded-for": "10.0.0.1",
        }
        await gateway.post(PATHS[protocol] + "?beta=true", request(protocol), headers)
        key = gateway.key
    call = upstream.calls[0]
    assert (call.method, call.target) == ("POST", PATHS[protocol])
    assert call.header("content-type") == "application/json"
    assert call.header("accept-encoding") == "identity"
    assert (call.header("user-agent") or "").startswith("anykey/")
    if protocol == CHAT:
        assert call.header("authorization") == "Bearer lab-secret"
        assert call.header("anthropic-version") is None
    else:
        assert call.header("x-api-key") == "lab-secret"
        assert call.header("authorization") is None
        assert call.header("anthropic-version") == "2026-10-21"
        assert call.header("anthropic-beta") == "one-2026-01-01,two-2026-02-02"
    assert call.header("cookie") is None
    assert call.header("x-forwarded-for") is None
    assert key not in str(call.headers)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_whole_answer_comes_down_byte_for_byte(tmp_path: Path, protocol: str) -> None:
    odd = json.dumps({**whole(protocol), "x_new": 1.50}, indent=3).replace("world", "w\\u006frld").encode()

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.head(200, [("content-type", "application/json"), ("content-length", str(len(odd)))])
        await connection.write(odd)

    async with wired(tmp_path, protocol, script) as (gateway, _):
        reply = await ask(gateway, protocol)
        row = (await gateway.rows())[0]
    assert (reply.status, reply.body) == (200, odd)
    assert (row.input_tokens, row.output_tokens, row.model_answered) == (7, 3, "upstream-model")
    assert row.finish is not None
    assert row.first_token_ms is None


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_stream_comes_down_byte_for_byte(tmp_path: Path, protocol: str) -> None:
    told = "".join([": a comment\n\n", *pieces(protocol).all()]).replace("\n", "\r\n").encode()
    cut = [told[at : at + 37] for at in range(0, len(told), 37)]
    options = {"stream_options": {"include_usage": True}} if protocol == CHAT else {}
    async with wired(tmp_path, protocol, reply_sse(*cut)) as (gateway, _):
        reply = await ask(gateway, protocol, stream=True, **options)
        row = (await gateway.rows())[0]
    assert (reply.body, reply.complete) == (told, True)
    assert (row.input_tokens, row.output_tokens, row.stream, row.failure) == (7, 3, True, None)
    assert row.first_token_ms is not None
    assert row.losses == ()


async def test_a_chat_stream_without_its_end_mark_gets_one(tmp_path: Path) -> None:
    told = pieces(CHAT).all()[:-1]
    async with wired(tmp_path, CHAT, reply_sse(*told)) as (gateway, _):
        reply = await ask(gateway, CHAT, stream=True, stream_options={"include_usage": True})
        row = (await gateway.rows())[0]
    assert reply.body == "".join([*told, "data: [DONE]\n\n"]).encode()
    assert row.failure is None


async def test_an_answer_without_usage_is_marked_so(tmp_path: Path) -> None:
    told = [event for event in pieces(CHAT).all() if '"usage"' not in event]
    async with wired(tmp_path, CHAT, reply_sse(*told)) as (gateway, _):
        await ask(gateway, CHAT, stream=True)
        row = (await gateway.rows())[0]
    assert (row.usage_source, row.input_tokens, row.output_tokens, row.finish) == ("estimated", 5, 3, "stop")


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("body", [{}, {"object": "list"}, []])
async def test_a_document_that_is_no_answer_is_502(tmp_path: Path, protocol: str, body: object) -> None:
    async with wired(tmp_path, protocol, reply_json(body)) as (gateway, _):
        reply = await ask(gateway, protocol)
    assert reply.status == 502
    assert "cannot be read" in reply.json()["error"]["message"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_success_that_is_an_error_inside_is_an_error(tmp_path: Path, protocol: str) -> None:
    error = {"message": "tensor shapes disagree", "type": "api_error"}
    async with wired(tmp_path, protocol, failing(200, {"type": "error", "error": error})) as (gateway, _):
        reply = await ask(gateway, protocol)
        row = (await gateway.rows())[0]
    assert reply.status >= 500
    assert "tensor shapes disagree" in reply.json()["error"]["message"]
    assert (row.failure is not None, row.usage_source) == (True, "none")


async def test_a_stream_that_only_calls_a_tool_has_content(tmp_path: Path) -> None:
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    told = [
        chat_chunk([{"index": 0, "delta": {"role": "assistant", "tool_calls": [call]}, "finish_reason": None}]),
        chat_chunk([{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]),
        "data: [DONE]\n\n",
    ]
    async with wired(tmp_path, CHAT, reply_sse(*told)) as (gateway, _):
        await ask(gateway, CHAT, stream=True)
        row = (await gateway.rows())[0]
    assert row.finish == "tool_calls"
    assert row.first_token_ms is not None
