"""Another protocol upstream: what is asked in whose words, and what comes back."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.answers import (
    CHAT,
    MESSAGES,
    MODEL,
    PAIRS,
    answering,
    ask,
    chat_chunk,
    messages_event,
    pieces,
    records,
    whole,
    wired,
)
from tests.fakes.converse_model import faults
from tests.fakes.eventstream import answer, event, exception
from tests.fakes.gateway import RunningGateway, WireReply
from tests.fakes.wire import RecordedCall, Script, WireConnection, WireServer, reply_json, reply_sse

CROSSED = [pair for pair in PAIRS if pair[0] != pair[1]]
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}}
LONG_NAME = "mcp__" + "a-very-long-server-name__" * 4 + "read file"


def asked_tool(client: str, name: str) -> dict[str, Any]:
    if client == CHAT:
        return {"type": "function", "function": {"name": name, "parameters": SCHEMA}}
    return {"name": name, "input_schema": SCHEMA}


def chat_calls(names: list[str]) -> list[dict[str, Any]]:
    """Calls of these tools as Chat spells them."""
    return [
        {
            "index": at,
            "id": f"call_{at}",
            "type": "function",
            "function": {"name": name, "arguments": f'{{"path":"{at}"}}'},
        }
        for at, name in enumerate(names)
    ]


def sent_names(call: RecordedCall) -> list[str]:
    """The tools' names as the upstream was told them."""
    return [tool.get("name") or tool["function"]["name"] for tool in call.json()["tools"]]


async def call_all_from_chat(call: RecordedCall, connection: WireConnection) -> None:
    """A Chat upstream that calls every tool it was given."""
    calls = chat_calls(sent_names(call))
    if call.json().get("stream"):
        deltas = [chat_chunk([{"index": 0, "delta": {"tool_calls": [one]}, "finish_reason": None}]) for one in calls]
        await reply_sse(*pieces(CHAT).lifecycle, *deltas, *pieces(CHAT).end)(call, connection)
    else:
        message = {"role": "assistant", "content": None, "tool_calls": calls}
        answer = {**whole(CHAT), "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
        await connection.json(200, answer)


async def call_all_from_messages(call: RecordedCall, connection: WireConnection) -> None:
    """A Messages upstream that calls every tool it was given."""
    names = sent_names(call)
    blocks = [
        {"type": "tool_use", "id": f"toolu_{at}", "name": name, "input": {"path": str(at)}}
        for at, name in enumerate(names)
    ]
    if not call.json().get("stream"):
        await connection.json(200, {**whole(MESSAGES), "content": blocks, "stop_reason": "tool_use"})
        return
    told = [pieces(MESSAGES).lifecycle[0]]
    for at, block in enumerate(blocks):
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        told += [
            messages_event("content_block_start", index=at, content_block={**block, "input": {}}),
            messages_event("content_block_delta", index=at, delta=delta),
            messages_event("content_block_stop", index=at),
        ]
    ending = pieces(MESSAGES).end[1].replace("end_turn", "tool_use")
    await reply_sse(*told, ending, pieces(MESSAGES).end[2])(call, connection)


CALLING = {CHAT: call_all_from_chat, MESSAGES: call_all_from_messages}


def told_calls(client: str, body: bytes, stream: bool) -> tuple[dict[str, Any], str]:
    """The tools that were called with their arguments, and the finish reason the client got."""
    if not stream:
        answer = json.loads(body)
        if client == MESSAGES:
            return {block["name"]: block["input"] for block in answer["content"]}, answer["stop_reason"]
        (choice,) = answer["choices"]
        functions = [call["function"] for call in choice["message"]["tool_calls"]]
        return {one["name"]: json.loads(one["arguments"]) for one in functions}, choice["finish_reason"]
    names: dict[int, str] = {}
    texts: dict[int, str] = {}
    finish = ""
    for _, data in records(body):
        if data == "[DONE]":
            continue
        if client == MESSAGES:
            if data["type"] == "content_block_start":
                names[data["index"]] = data["content_block"]["name"]
            elif data["type"] == "content_block_delta":
                texts[data["index"]] = texts.get(data["index"], "") + data["delta"]["partial_json"]
            elif data["type"] == "message_delta":
                finish = data["delta"]["stop_reason"]
        for choice in data.get("choices", []):
            finish = choice["finish_reason"] or finish
            calls: list[dict[str, Any]] = choice["delta"].get("tool_calls") or []
            for call in calls:
                if call["function"].get("name"):
                    names[call["index"]] = call["function"]["name"]
                texts[call["index"]] = texts.get(call["index"], "") + (call["function"].get("arguments") or "")
    return {names[at]: json.loads(texts[at]) for at in names}, finish


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("client", "upstream"), CROSSED)
async def test_tools_are_called_by_the_callers_own_names(
    tmp_path: Path, client: str, upstream: str, stream: bool
) -> None:
    tools = [asked_tool(client, "read"), asked_tool(client, LONG_NAME)]
    async with wired(tmp_path, upstream, CALLING[upstream]) as (gateway, server):
        reply = await ask(gateway, client, tools=tools, stream=stream)
        row = (await gateway.rows())[0]
    sent = sent_names(server.calls[0])
    assert sent[0] == "read"
    assert sent[1] != LONG_NAME
    assert len(sent[1]) <= 128
    calls, finish = told_calls(client, reply.body, stream)
    assert calls == {"read": {"path": "0"}, LONG_NAME: {"path": "1"}}
    assert finish == ("tool_calls" if client == CHAT else "tool_use")
    assert row.finish == "tool_calls"


def custom_calls(body: bytes, stream: bool) -> list[tuple[str, str, str]]:
    """Kind, name and text of each call that a Chat client was told."""
    if not stream:
        calls: list[Any] = json.loads(body)["choices"][0]["message"]["tool_calls"]
        return [(call["type"], call["custom"]["name"], call["custom"]["input"]) for call in calls]
    told: dict[int, tuple[str, str, str]] = {}
    for record in records(body)[:-1]:
        choices: list[Any] = record.data["choices"]
        for delta in [delta for choice in choices for delta in choice["delta"].get("tool_calls", ())]:
            kind, name, text = told.get(delta["index"], (delta.get("type"), delta["custom"].get("name"), ""))
            told[delta["index"]] = (kind, name, text + delta["custom"]["input"])
    return [told[index] for index in sorted(told)]


@pytest.mark.parametrize("asked", ["whole", "stream", "whole told as a stream"])
async def test_free_text_tools_are_called_with_their_text(tmp_path: Path, asked: str) -> None:
    text = '+ "a"\n😀'
    wires = [json.dumps({"input": text}), json.dumps({"patch": "x"})]  # the second is not what was asked for
    stream = asked != "whole"

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        blocks = [
            {"type": "tool_use", "id": f"toolu_{at}", "name": name, "input": json.loads(wires[at])}
            for at, name in enumerate(sent_names(call))
        ]
        if asked != "stream":
            await connection.json(200, {**whole(MESSAGES), "content": blocks, "stop_reason": "tool_use"})
            return
        told = [pieces(MESSAGES).lifecycle[0]]
        for at, block in enumerate(blocks):
            told.append(messages_event("content_block_start", index=at, content_block={**block, "input": {}}))
            for letter in wires[at]:
                delta = {"type": "input_json_delta", "partial_json": letter}
                told.append(messages_event("content_block_delta", index=at, delta=delta))
            told.append(messages_event("content_block_stop", index=at))
        ending = pieces(MESSAGES).end[1].replace("end_turn", "tool_use")
        await reply_sse(*told, ending, pieces(MESSAGES).end[2])(call, connection)

    tools = [{"type": "custom", "custom": {"name": name}} for name in ("patch", LONG_NAME)]
    async with wired(tmp_path, MESSAGES, script) as (gateway, _):
        reply = await ask(gateway, CHAT, tools=tools, stream=stream)
        row = (await gateway.rows())[0]
    first, second = custom_calls(reply.body, stream)
    assert first == ("custom", "patch", text)
    assert second[:2] == ("custom", LONG_NAME)
    assert json.loads(second[2]) == {"patch": "x"}
    assert row.finish == "tool_calls"
    assert [loss for loss in row.losses if "arguments" in loss] == ["approximated:choices.parts.arguments"]


@pytest.mark.parametrize(("client", "upstream"), CROSSED)
async def test_the_headers_of_the_upstreams_protocol(tmp_path: Path, client: str, upstream: str) -> None:
    async with wired(tmp_path, upstream, answering(upstream)) as (gateway, server):
        headers = {**gateway.headers(), "anthropic-version": "2099-01-01", "anthropic-beta": "x"}
        path = "/v1/messages" if client == MESSAGES else "/v1/chat/completions"
        body = {"model": "test-model", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
        assert (await gateway.post(path, body, headers)).status == 200
    call = server.calls[0]
    assert (call.header("x-api-key"), call.header("anthropic-version")) == (
        ("lab-secret", "2023-06-01") if upstream == MESSAGES else (None, None)
    )
    assert call.header("anthropic-beta") is None
    assert "gzip" in (call.header("accept-encoding") or "")


async def test_a_chat_client_gets_a_date_and_usage_only_if_asked(tmp_path: Path) -> None:
    async with wired(tmp_path, MESSAGES, answering(MESSAGES)) as (gateway, _):
        plain = await ask(gateway, CHAT)
        without = await ask(gateway, CHAT, stream=True)
        asked = await ask(gateway, CHAT, stream=True, stream_options={"include_usage": True})
        rows = await gateway.rows(3)
    assert plain.json()["created"] == rows[2].at // 1000
    chunks = [record.data for record in records(asked.body)[:-1]]
    assert {chunk["created"] for chunk in chunks} == {rows[0].at // 1000}
    assert (chunks[-1]["choices"], chunks[-1]["usage"]["total_tokens"]) == ([], 10)
    assert not any(record.data.get("usage") for record in records(without.body)[:-1])
    assert {row.input_tokens for row in rows} == {7}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("client", "upstream"), CROSSED)
async def test_the_losses_of_both_directions_are_in_the_row(
    tmp_path: Path, client: str, upstream: str, stream: bool
) -> None:
    lost = {"logit_bias": {"5": 1}} if client == CHAT else {"top_k": 5}
    async with wired(tmp_path, upstream, answering(upstream)) as (gateway, _):
        reply = await ask(gateway, client, stream=stream, **lost)
        row = (await gateway.rows())[0]
    assert reply.status == 200
    assert any(next(iter(lost)) in loss for loss in row.losses)
    assert next(iter(lost)) in reply.headers["x-anykey-losses"]


async def test_an_illegal_stream_is_the_upstreams_failure(tmp_path: Path) -> None:
    told = pieces(MESSAGES)
    again = messages_event("content_block_start", index=0, content_block={"type": "text", "text": ""})

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.sse_start()
        await connection.sse(*told.lifecycle, told.content[0])
        await connection.sleep(0.03)
        await connection.sse(told.end[0], told.end[0], again, *told.content, *told.end)
        await connection.sse_end()

    async with wired(tmp_path, MESSAGES, script) as (gateway, _):
        reply = await ask(gateway, CHAT, stream=True)
        row = (await gateway.rows())[0]
    # Whatever the codec makes of it, the client never gets a second answer inside the first.
    assert reply.status == 200
    assert row.status == 200
    assert reply.body.count(b'"role"') == 1


@pytest.mark.parametrize(("client", "upstream"), CROSSED)
async def test_an_answer_that_cannot_be_read_is_502(tmp_path: Path, client: str, upstream: str) -> None:
    async with wired(tmp_path, upstream, reply_json({})) as (gateway, server):
        bodies: list[Any] = [{}, [], {"error": {"message": "no luck", "type": "x"}}, whole(client)]
        for body in bodies:
            server.script = reply_json(body)
            reply = await ask(gateway, client)
            assert reply.status >= 500, body
            assert reply.json()["error"]["message"]


@asynccontextmanager
async def wired_to_converse(directory: Path, script: Script) -> AsyncGenerator[tuple[RunningGateway, WireServer]]:
    """A gateway with one deployment behind `test-model`, at an upstream that speaks Converse."""
    async with WireServer(script) as server:
        lines = ["[server]", "environment_providers = false", "[providers.lab0]", 'kind = "bedrock"']
        lines += [f'base_url = "{server.url}"', 'api_key = { env = "LAB_KEY" }', '[models."test-model"]']
        lines += [f'deployments = ["lab0/{MODEL}"]', ""]
        async with RunningGateway(directory, "\n".join(lines)) as gateway:
            yield gateway, server


async def converse(call: RecordedCall, connection: WireConnection) -> None:
    """An upstream that speaks Converse: whole or as an event stream, by its address."""
    assert faults(call.json()) == []
    if call.target.endswith("/converse"):
        message = {"role": "assistant", "content": [{"text": "Hello "}, {"text": "world"}]}
        usage = {"inputTokens": 7, "outputTokens": 3, "totalTokens": 10}
        await connection.json(200, {"output": {"message": message}, "stopReason": "end_turn", "usage": usage})
        return
    await connection.head(200, [("content-type", "application/vnd.amazon.eventstream"), ("connection", "close")])
    told = answer({"text": "Hello "}, {"text": "world"})
    for start in range(0, len(told), 100):
        await connection.write(told[start : start + 100])
    connection.close()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", [CHAT, MESSAGES])
async def test_an_upstream_that_no_client_speaks(tmp_path: Path, client: str, stream: bool) -> None:
    async with wired_to_converse(tmp_path, converse) as (gateway, server):
        replies = [await ask(gateway, client, stream=stream) for _ in range(2)]
        row = (await gateway.rows())[0]
    assert server.calls[0].target == "/model/upstream-model/converse" + ("-stream" if stream else "")
    told = [record.fields for record in records(replies[0].body)] if stream else [replies[0].json()]
    heads = [head.get("message", head) for head in told[:1]]
    assert [head["model"] for head in heads] == [MODEL]
    said = "".join(json.dumps(one) for one in told)
    assert "Hello " in said
    assert "world" in said
    assert (row.input_tokens, row.output_tokens, row.finish, row.losses) == (7, 3, "stop", ())
    ids = {head.get("message", head)["id"] for head in map(first_of, replies)}
    assert len(ids) == 2, "two answers with one id are one answer to a client"


def first_of(reply: WireReply) -> dict[str, Any]:
    """The document, or the first event of the stream."""
    return records(reply.body)[0].fields if b"data: " in reply.body else reply.json()


@pytest.mark.parametrize("stream", [False, True])
async def test_an_exception_of_an_event_stream_before_content_is_a_true_status(tmp_path: Path, stream: bool) -> None:
    async def script(call: RecordedCall, connection: WireConnection) -> None:
        await connection.head(200, [("content-type", "application/vnd.amazon.eventstream"), ("connection", "close")])
        await connection.write(event("messageStart", {"role": "assistant"}) + exception("throttlingException", "Slow."))
        connection.close()

    told = script if stream else reply_json({"message": "Slow."}, 429)
    async with wired_to_converse(tmp_path, told) as (gateway, _):
        reply = await ask(gateway, CHAT, stream=stream)
    assert reply.status == 429
    assert reply.json()["error"]["message"] == "Slow."
