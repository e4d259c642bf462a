"""Anthropic Messages: the official SDK against the running demo, and the records themselves."""

from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic
from anthropic.types import MessageParam, ToolParam

from anykey.demo import messages_wire
from anykey.demo.prompt import BadRequestError
from anykey.demo.script import Call, Performance
from anykey.demo.signing import signed_answer
from tests.unit.demo.conftest import Demo

pytestmark = pytest.mark.asyncio(loop_scope="session")

WEATHER: ToolParam = {
    "name": "get_weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
TWO_CALLS = 'call get_weather {"city":"Paris"} call get_weather {"city":"Rome"}'


def sdk(demo: Demo) -> AsyncAnthropic:
    return AsyncAnthropic(base_url=demo.base_url, api_key=demo.token, max_retries=0)


def said(text: str) -> list[MessageParam]:
    return [{"role": "user", "content": text}]


async def test_plain(demo: Demo) -> None:
    async with sdk(demo) as client:
        answer = await client.messages.create(model="any/name", max_tokens=100, messages=said("hello"))
        counted = await client.messages.count_tokens(model="any/name", messages=said("hello"))
    assert answer.content[0].type == "text"
    assert answer.content[0].text == "This is anykey's demo model. You said: hello."
    assert (answer.model, answer.stop_reason) == ("any/name", "end_turn")
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (2, 12)
    assert counted.input_tokens == 2


async def test_streamed_text_is_the_plain_text_word_by_word(demo: Demo) -> None:
    async with (
        sdk(demo) as client,
        client.messages.stream(model="demo", max_tokens=100, messages=said("hello")) as stream,
    ):
        pieces = [piece async for piece in stream.text_stream]
        final = await stream.get_final_message()
    assert "".join(pieces) == "This is anykey's demo model. You said: hello."
    assert len(pieces) == 8
    assert (final.stop_reason, final.usage.output_tokens) == ("end_turn", 12)


async def test_parallel_tool_calls_and_their_results(demo: Demo) -> None:
    async with sdk(demo) as client:
        async with client.messages.stream(
            model="demo", max_tokens=100, messages=said("think; " + TWO_CALLS), tools=[WEATHER]
        ) as stream:
            answer = await stream.get_final_message()
        assert [block.type for block in answer.content] == ["thinking", "tool_use", "tool_use"]
        calls = [block for block in answer.content if block.type == "tool_use"]
        assert [call.input for call in calls] == [{"city": "Paris"}, {"city": "Rome"}]
        assert answer.stop_reason == "tool_use"
        results: MessageParam = {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": calls[0].id, "content": "18 C\nsunny"},
                {"type": "tool_result", "tool_use_id": calls[1].id, "content": [{"type": "text", "text": "21 C"}]},
            ],
        }
        echoed: MessageParam = {"role": "assistant", "content": answer.content}
        last = await client.messages.create(
            model="demo", max_tokens=100, messages=[*said(TWO_CALLS), echoed, results], tools=[WEATHER]
        )
    assert last.content[0].type == "text"
    assert last.content[0].text == 'The tool answered: "18 C"\nThe tool answered: "21 C"'


async def test_thinking_is_signed_and_the_same_in_both_forms(demo: Demo) -> None:
    async with sdk(demo) as client:
        whole = await client.messages.create(model="demo", max_tokens=100, messages=said("think"))
        async with client.messages.stream(model="demo", max_tokens=100, messages=said("think")) as stream:
            streamed = await stream.get_final_message()
    assert whole.content[0].type == "thinking"
    assert whole.content[0].signature
    assert streamed.content[0].type == "thinking"
    assert streamed.content[0].thinking == whole.content[0].thinking
    for block in (whole.content[0], streamed.content[0]):
        assert signed_answer("thinking", block.signature, block.thinking)


async def test_thinking_must_come_back_as_it_was(demo: Demo) -> None:
    async with sdk(demo) as client:
        answer = await client.messages.create(
            model="demo-thinking", max_tokens=100, messages=said(TWO_CALLS.partition("} ")[0] + "}"), tools=[WEATHER]
        )
        thought, call = answer.content
        assert thought.type == "thinking"
        assert call.type == "tool_use"
        result: MessageParam = {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "18 C"}],
        }

        async def back(model: str, *blocks: Any) -> str:
            turn: MessageParam = {"role": "assistant", "content": blocks}
            told = await client.messages.create(model=model, max_tokens=100, messages=[*said("go"), turn, result])
            return told.content[-1].model_dump()["text"]

        same = thought.model_dump()
        assert await back("demo-thinking-strict", same, call) == 'The tool answered: "18 C"'
        assert await back("demo-thinking", call) == 'The tool answered: "18 C"'
        with pytest.raises(anthropic.BadRequestError, match="Expected `thinking` or `redacted_thinking`"):
            await back("demo-thinking-strict", call)
        for altered in ({**same, "thinking": "I know."}, {**same, "signature": "Zm9yZWlnbg=="}):
            with pytest.raises(
                anthropic.BadRequestError, match=r"messages\.1.*Invalid `signature` in `thinking` block"
            ):
                await back("demo", altered, call)
        with pytest.raises(anthropic.BadRequestError, match="Invalid `data` in `redacted_thinking` block"):
            await back("demo", {"type": "redacted_thinking", "data": "eA=="}, call)


async def test_tool_choice_and_limits(demo: Demo) -> None:
    async with sdk(demo) as client:
        forced = await client.messages.create(
            model="demo", max_tokens=100, messages=said("hi"), tools=[WEATHER], tool_choice={"type": "any"}
        )
        none = await client.messages.create(
            model="demo", max_tokens=100, messages=said(TWO_CALLS), tools=[WEATHER], tool_choice={"type": "none"}
        )
        named = await client.messages.create(
            model="demo",
            max_tokens=100,
            messages=said("hi"),
            tools=[{**WEATHER, "name": "other"}, WEATHER],
            tool_choice={"type": "tool", "name": "get_weather"},
        )
        short = await client.messages.create(model="demo", max_tokens=2, messages=said("long 9"))
        stopped = await client.messages.create(
            model="demo", max_tokens=99, messages=said("long 9"), stop_sequences=["word2"]
        )
    assert forced.content[0].type == "tool_use"
    assert forced.content[0].input == {"city": "demo"}
    assert [block.type for block in none.content] == ["text"]
    assert named.content[0].type == "tool_use"
    assert named.content[0].name == "get_weather"
    assert (short.stop_reason, short.usage.output_tokens) == ("max_tokens", 2)
    assert (stopped.stop_reason, stopped.stop_sequence) == ("stop_sequence", "word2")


async def test_structured_output(demo: Demo) -> None:
    schema: dict[str, object] = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    async with sdk(demo) as client:
        answer = await client.messages.create(
            model="demo",
            max_tokens=100,
            messages=said("go"),
            output_config={"format": {"type": "json_schema", "schema": schema}},
        )
    assert answer.content[0].type == "text"
    assert answer.content[0].text == '{"ok":true}'


async def test_errors_have_the_protocols_shape(demo: Demo) -> None:
    async with sdk(demo) as client:
        with pytest.raises(anthropic.RateLimitError) as limited:
            await client.messages.create(model="demo", max_tokens=9, messages=said("fail 429"))
        with pytest.raises(anthropic.APIStatusError) as overloaded:
            await client.messages.create(model="demo", max_tokens=9, messages=said("fail 529"), stream=True)
        with pytest.raises(anthropic.BadRequestError, match="prompt is too long"):
            await client.messages.create(model="demo", max_tokens=9, messages=said("fail 400 prompt is too long"))
    assert limited.value.response.headers["retry-after"] == "2"
    assert overloaded.value.status_code == 529
    assert overloaded.value.body == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "The demo model was asked to fail with 529."},
        "request_id": overloaded.value.response.headers["request-id"],
    }


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"max_tokens": 1}, "model"),
        ({"model": "m", "messages": [{"role": "user", "content": "x"}]}, "max_tokens"),
        ({"model": "m", "max_tokens": 1, "messages": []}, "messages"),
        ({"model": "m", "max_tokens": 1, "messages": [{"role": "tool", "content": "x"}]}, "tool"),
        (
            {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": [{"type": "tool_result"}]}]},
            "tool_use_id",
        ),
    ],
)
async def test_a_request_it_cannot_read_is_refused(body: dict[str, Any], names: str) -> None:
    with pytest.raises(BadRequestError, match=names):
        messages_wire.read(body, "d")


async def test_system_text_comes_from_both_places_and_deferred_tools_are_not_offered() -> None:
    prompt = messages_wire.read_for_count(
        {
            "model": "m",
            "system": [{"type": "text", "text": "one"}],
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "image", "source": {}}]},
                {"role": "system", "content": "two"},
            ],
            "tools": [
                {"name": "later", "input_schema": {}, "defer_loading": True},
                {"type": "web_search_20250305", "name": "web_search"},
                {"name": "now", "input_schema": {}},
            ],
        },
        "d",
    )
    assert (prompt.system, prompt.said) == ("one\ntwo", "x")
    assert [tool.name for tool in prompt.tools] == ["now"]
    assert prompt.input_tokens > 256


async def test_the_order_of_events() -> None:
    prompt = messages_wire.read({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}, "d")
    performance = Performance(text="a b", calls=(Call("f", "{}"),), finish="tool_calls")
    records = list(messages_wire.stream(prompt, performance))
    names = [record.split(b"\n")[0].removeprefix(b"event: ").decode() for record in records]
    block = ["content_block_start", "content_block_delta", "content_block_delta", "content_block_stop"]
    assert names == ["message_start", block[0], "ping", *block[1:], *block, "message_delta", "message_stop"]
    for name, record in zip(names, records, strict=True):
        assert record.startswith(f'event: {name}\ndata: {{"type":"{name}"'.encode())
        assert record.endswith(b"}\n\n")
    cut = list(messages_wire.stream(prompt, Performance(text="a b", accident="cut")))
    assert cut[-1].startswith(b"event: content_block_delta")


async def test_the_whole_reply_and_an_error_are_those_of_the_protocol() -> None:
    prompt = messages_wire.read({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}, "d")
    reply = messages_wire.reply(prompt, Performance(calls=(Call("f", '{"a":1}'),), finish="tool_calls"))
    assert reply["content"] == [{"type": "tool_use", "id": "toolu_demo_d_0", "name": "f", "input": {"a": 1}}]
    assert messages_wire.failure(404, "no", "r")["error"] == {"type": "not_found_error", "message": "no"}
