"""Ark's Chat as its catalogue rows tell it: agents keep its sealed thoughts over their turns, whatever they keep of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.answers import CHAT, MESSAGES, PATHS, answering, chat_chunk, pieces, records, request, whole
from tests.fakes.gateway import RunningGateway
from tests.fakes.thinking import TOOLS, messages_turn, tool_result
from tests.fakes.wire import RecordedCall, Script, WireConnection, WireServer

MODEL = "seed-2-0-pro-260328"
ANSWERED = "dola-seed-2-1-turbo-260628"
"""What the upstream says has answered: another model than was asked."""
RESPONSES = "/v1/responses"
RESPONSES_TOOLS = [{"type": "function", "name": "read", "parameters": {"type": "object"}}]


def row(kind: str, server: WireServer, lane: str = "/api/v3", model: str = MODEL) -> str:
    """A provider of this kind with its Chat door at ``server``, and `test-model` on it."""
    return (
        f'[providers.{kind}]\nprotocol = "openai_chat"\nbase_url = "{server.url}{lane}"\n'
        f'api_key = {{ env = "LAB_KEY" }}\n[models."test-model"]\ndeployments = ["{kind}/{model}"]\n'
    )


def seal(turn: int) -> str:
    return f"djF+c2VhbA{turn}=="


def thought(turn: int) -> dict[str, str]:
    """What an assistant's message must hold for Ark to remember the turn."""
    return {"reasoning_content": f"in short {turn}", "encrypted_content": seal(turn)}


def ark(turn: int) -> Script:
    """It thinks, tells a summary and seals the thought, then calls a tool."""
    call = {"index": 0, "id": f"call_{turn}", "type": "function", "function": {"name": "read", "arguments": "{}"}}

    async def script(asked: RecordedCall, connection: WireConnection) -> None:
        if not asked.json().get("stream"):
            message = {"role": "assistant", "content": None, **thought(turn), "tool_calls": [call]}
            choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
            await connection.json(200, {**whole(CHAT), "model": ANSWERED, "choices": [choice]})
            return
        deltas: list[dict[str, Any]] = [
            {"role": "assistant", "content": "", "reasoning_content": "in "},
            {"content": "", "reasoning_content": f"short {turn}"},
            {"content": "", "reasoning_content": "", "encrypted_content": seal(turn)},
            {"tool_calls": [call]},
        ]
        ends: list[dict[str, Any]] = [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]
        chunks = [chat_chunk([{"index": 0, "delta": delta, "finish_reason": None}], model=ANSWERED) for delta in deltas]
        await connection.sse_start()
        await connection.sse(*chunks, chat_chunk(ends, model=ANSWERED), *pieces(CHAT).end[1:])
        await connection.sse_end()

    return script


def assistants(call: RecordedCall) -> list[dict[str, Any]]:
    return [message for message in call.json()["messages"] if message["role"] == "assistant"]


def thoughts(call: RecordedCall) -> list[dict[str, Any]]:
    return [
        {key: said[key] for key in ("reasoning_content", "encrypted_content") if key in said}
        for said in assistants(call)
    ]


CLAUDE = {
    "thinking": {"type": "adaptive"},
    "output_config": {"effort": "max"},
    "metadata": {"user_id": "user_1_session_2"},
    "system": [{"type": "text", "text": "You code."}],
}
"""What Claude Code says beside its turns."""


@pytest.mark.parametrize("stream", [False, True])
async def test_claude_code_carries_the_sealed_thoughts(tmp_path: Path, stream: bool) -> None:
    async with WireServer(answering(CHAT)) as server, RunningGateway(tmp_path, row("byteplus", server)) as gateway:
        history: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]
        for turn in range(3):
            server.script = ark(turn)
            body = {**request(MESSAGES, tools=TOOLS[MESSAGES], stream=stream), **CLAUDE, "messages": history}
            reply = await gateway.post(PATHS[MESSAGES], body)
            assert reply.status == 200, reply.body
            assert seal(turn).encode() not in reply.body, "state leaves in an envelope only"
            history += [messages_turn(reply.body, stream=stream), tool_result(MESSAGES, f"call_{turn}")]
        left = await gateway.rows(3)
    sent = server.calls[2].json()
    call = {"type": "function", "function": {"name": "read", "arguments": "{}"}}
    assert sent == {
        "model": MODEL,
        "messages": [
            {"role": "system", "content": "You code."},
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": None, **thought(0), "tool_calls": [{"id": "call_0", **call}]},
            {"role": "tool", "tool_call_id": "call_0", "content": "done"},
            {"role": "assistant", "content": None, **thought(1), "tool_calls": [{"id": "call_1", **call}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "done"},
        ],
        "tools": [{"type": "function", "function": {"name": "read", "parameters": {"type": "object"}}}],
        "max_completion_tokens": 64,
        "thinking": {"type": "auto"},
        "reasoning_effort": "high",
        **({"stream": True, "stream_options": {"include_usage": True}} if stream else {}),
    }
    assert server.calls[2].header("x-prompt-cache-id") == "user_1_session_2"
    assert [found.model_answered for found in left] == [ANSWERED] * 3


@pytest.mark.parametrize("stream", [False, True])
async def test_a_responses_agent_carries_the_sealed_thoughts(tmp_path: Path, stream: bool) -> None:
    async with WireServer(answering(CHAT)) as server, RunningGateway(tmp_path, row("volcengine", server)) as gateway:
        items: list[dict[str, Any]] = [{"type": "message", "role": "developer", "content": "Be brief."}]
        items.append({"type": "message", "role": "user", "content": "hi"})
        for turn in range(3):
            server.script = ark(turn)
            more = {"include": ["reasoning.encrypted_content"], "store": False, "prompt_cache_key": "s-1"}
            body = {"model": "test-model", "input": items, "tools": RESPONSES_TOOLS, "stream": stream, **more}
            reply = await gateway.post(RESPONSES, body)
            assert reply.status == 200, reply.body
            said = reply.json() if not stream else records(reply.body)[-1].fields["response"]
            assert {item["type"] for item in said["output"]} == {"reasoning", "function_call"}
            items += said["output"]
            items.append({"type": "function_call_output", "call_id": f"call_{turn}", "output": "done"})
    assert thoughts(server.calls[2]) == [thought(0), thought(1)]
    sent = server.calls[2].json()
    assert sent["messages"][0] == {"role": "system", "content": "Be brief."}
    assert {"store", "prompt_cache_key", "include"}.isdisjoint(sent)
    assert server.calls[2].header("x-prompt-cache-id") == "s-1"


def chat_turn(turn: int, keeps: Sequence[str]) -> dict[str, Any]:
    """The assistant's message as a Chat client sends it that keeps these fields."""
    call = {"id": f"call_{turn}", "type": "function", "function": {"name": "read", "arguments": "{}"}}
    kept = {key: value for key, value in thought(turn).items() if key in keeps}
    return {"role": "assistant", "content": None, **kept, "tool_calls": [call]}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("keeps", [(), ("reasoning_content",), ("reasoning_content", "encrypted_content")])
async def test_a_chat_client_gets_back_what_it_drops(tmp_path: Path, keeps: tuple[str, ...], stream: bool) -> None:
    async with WireServer(answering(CHAT)) as server, RunningGateway(tmp_path, row("byteplus", server)) as gateway:
        history: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]
        for turn in range(3):
            server.script = ark(turn)
            more = {"prompt_cache_key": "s-1", "messages": history}
            reply = await gateway.post(PATHS[CHAT], {**request(CHAT, tools=TOOLS[CHAT], stream=stream), **more})
            assert reply.status == 200, reply.body
            assert seal(turn).encode() in reply.body
            history += [chat_turn(turn, keeps), tool_result(CHAT, f"call_{turn}")]
        left = await gateway.rows(3)
    assert thoughts(server.calls[2]) == [thought(0), thought(1)]
    assert [found.losses for found in left] == [()] * 3
    assert [found.model_answered for found in left] == [ANSWERED] * 3
    assert "prompt_cache_key" not in server.calls[2].json()
    assert server.calls[2].header("x-prompt-cache-id") == "s-1"


async def test_a_sealed_thought_goes_to_no_other_provider(tmp_path: Path) -> None:
    async with WireServer(ark(0)) as maker, WireServer(ark(1)) as other:
        second = row("volcengine", other).split("[models.", 1)[0]
        async with RunningGateway(tmp_path, row("byteplus", maker) + second) as gateway:
            history: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]
            await gateway.post(PATHS[CHAT], {**request(CHAT, tools=TOOLS[CHAT]), "messages": history})
            history += [chat_turn(0, ()), tool_result(CHAT, "call_0")]
            asked = {**request(CHAT, tools=TOOLS[CHAT]), "messages": history, "model": "volcengine/doubao-seed-2-1-pro"}
            reply = await gateway.post(PATHS[CHAT], asked)
    assert reply.status == 200
    assert thoughts(other.calls[0]) == [{"reasoning_content": "in short 0"}]


def forgetting() -> Script:
    """It cannot open what was sealed before."""

    async def script(asked: RecordedCall, connection: WireConnection) -> None:
        if b'"encrypted_content"' in asked.body:
            error = {"code": "InvalidParameter", "message": "Invalid signature", "type": "BadRequest", "param": ""}
            await connection.json(400, {"error": error})
        else:
            await ark(1)(asked, connection)

    return script


@pytest.mark.parametrize("client", [CHAT, MESSAGES])
async def test_a_seal_that_is_refused_is_left_out_once(tmp_path: Path, client: str) -> None:
    async with WireServer(ark(0)) as server, RunningGateway(tmp_path, row("byteplus", server)) as gateway:
        history: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]
        await gateway.post(PATHS[client], {**request(client, tools=TOOLS[client]), "messages": history})
        server.script = forgetting()
        use: dict[str, Any] = {"type": "tool_use", "id": "call_0", "name": "read", "input": {}}
        said = chat_turn(0, ()) if client == CHAT else {"role": "assistant", "content": [use]}
        history += [said, tool_result(client, "call_0")]
        reply = await gateway.post(PATHS[client], {**request(client, tools=TOOLS[client]), "messages": history})
    assert reply.status == 200, reply.body
    assert [thoughts(call) for call in server.calls[1:]] == [[thought(0)], [{"reasoning_content": "in short 0"}]]


async def test_a_chat_client_is_fitted_only_where_its_words_are_refused(tmp_path: Path) -> None:
    async with (
        WireServer(answering(CHAT)) as server,
        RunningGateway(tmp_path, row("byteplus_coding", server, "/api/coding/v3", "ark-code-latest")) as gateway,
    ):
        said = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "hi"}]
        more = {"service_tier": "auto", "seed": 7, "stop": ["world"], "user": "u-1", "logprobs": True}
        fitted = await gateway.post(PATHS[CHAT], {**request(CHAT, **more), "messages": said})
        plain = {"model": "byteplus_coding/ark-code-latest", "messages": said[1:], "temperature": 0.5}
        await gateway.post(PATHS[CHAT], plain)
        latest = (await gateway.rows(2))[0]
    assert server.calls[0].json() == {
        "model": "ark-code-latest",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
    }
    assert fitted.json()["choices"][0]["message"]["content"] == "Hello ", "the gateway stops where it was asked to"
    assert server.calls[1].json() == {**plain, "model": "ark-code-latest"}
    assert latest.losses == ()
