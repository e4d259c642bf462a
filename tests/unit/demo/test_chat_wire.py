"""Chat Completions: the official SDK against the running demo, and the records themselves."""

import json
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionFunctionToolParam, ChatCompletionMessageParam
from pydantic import BaseModel

from anykey.demo import chat_wire
from anykey.demo.prompt import BadRequestError
from anykey.demo.script import Performance
from tests.unit.demo.conftest import Demo

pytestmark = pytest.mark.asyncio(loop_scope="session")

WEATHER: ChatCompletionFunctionToolParam = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
TWO_CALLS = 'call get_weather {"city":"Paris"} call get_weather {"city":"Rome"}'


def sdk(demo: Demo) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=demo.base_url + "/v1", api_key=demo.token, max_retries=0)


def said(text: str) -> list[ChatCompletionMessageParam]:
    return [{"role": "user", "content": text}]


async def test_plain(demo: Demo) -> None:
    async with sdk(demo) as client:
        answer = await client.chat.completions.create(model="any/name", messages=said("hello"))
    assert answer.choices[0].message.content == "This is anykey's demo model. You said: hello."
    assert (answer.model, answer.system_fingerprint) == ("any/name", "demo")
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (2, 12, 14)


async def test_streamed_text_is_the_plain_text_word_by_word(demo: Demo) -> None:
    async with sdk(demo) as client:
        stream = await client.chat.completions.create(
            model="demo", messages=said("hello"), stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert "".join(pieces) == "This is anykey's demo model. You said: hello."
    assert len(pieces) == 8
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage
    assert chunks[-1].usage.total_tokens == 14


async def test_parallel_tool_calls_and_their_results(demo: Demo) -> None:
    async with sdk(demo) as client:
        async with client.chat.completions.stream(model="demo", messages=said(TWO_CALLS), tools=[WEATHER]) as stream:
            answer = await stream.get_final_completion()
        calls = answer.choices[0].message.tool_calls
        assert calls
        assert [json.loads(call.function.arguments) for call in calls] == [{"city": "Paris"}, {"city": "Rome"}]
        assert answer.choices[0].finish_reason == "tool_calls"
        assert len({call.id for call in calls}) == 2
        whole = await client.chat.completions.create(model="demo", messages=said(TWO_CALLS), tools=[WEATHER])
        same = whole.choices[0].message.tool_calls
        assert same
        assert [call.type for call in same] == ["function", "function"]
        echoed: Any = {"role": "assistant", "content": None, "tool_calls": [call.model_dump() for call in same]}
        results: list[ChatCompletionMessageParam] = [
            {"role": "tool", "tool_call_id": same[0].id, "content": "18 C\nsunny"},
            {"role": "tool", "tool_call_id": same[1].id, "content": [{"type": "text", "text": "21 C"}]},
        ]
        last = await client.chat.completions.create(
            model="demo", messages=[*said(TWO_CALLS), echoed, *results], tools=[WEATHER]
        )
    assert last.choices[0].message.content == 'The tool answered: "18 C"\nThe tool answered: "21 C"'


async def test_tool_choice(demo: Demo) -> None:
    async with sdk(demo) as client:
        named = await client.chat.completions.create(
            model="demo",
            messages=said("hello"),
            tools=[WEATHER],
            tool_choice={"type": "function", "function": {"name": "get_weather"}},
        )
        none = await client.chat.completions.create(
            model="demo", messages=said(TWO_CALLS), tools=[WEATHER], tool_choice="none"
        )
    assert named.choices[0].message.tool_calls
    assert none.choices[0].message.tool_calls is None
    assert none.choices[0].message.content


async def test_structured_output(demo: Demo) -> None:
    class Place(BaseModel):
        city: str
        visits: int

    class Journey(BaseModel):
        places: list[Place]
        first: Place

    async with sdk(demo) as client:
        answer = await client.chat.completions.parse(model="demo", messages=said("go"), response_format=Journey)
    assert answer.choices[0].message.parsed == Journey(places=[], first=Place(city="demo", visits=0))


async def test_reasoning_comes_before_the_text(demo: Demo) -> None:
    async with sdk(demo) as client:
        stream = await client.chat.completions.create(model="demo", messages=said("think"), stream=True)
        deltas = [chunk.choices[0].delta.model_dump(exclude_unset=True) async for chunk in stream]
        whole = await client.chat.completions.create(model="demo", messages=said("think"))
    kinds = [key for delta in deltas for key in delta if key in {"reasoning_content", "content"} and delta[key]]
    assert kinds == sorted(kinds, reverse=True)
    assert {"reasoning_content", "content"} == set(kinds)
    thought = "".join(delta.get("reasoning_content", "") for delta in deltas)
    assert whole.choices[0].message.model_dump()["reasoning_content"] == thought


async def test_the_strict_model_wants_its_reasoning_back_in_a_tool_loop(demo: Demo) -> None:
    async with sdk(demo) as client:
        first = await client.chat.completions.create(
            model="demo-thinking-strict", messages=said("call get_weather {}"), tools=[WEATHER]
        )
        turn: Any = first.choices[0].message.model_dump()
        assert turn["reasoning_content"]
        result: ChatCompletionMessageParam = {
            "role": "tool",
            "tool_call_id": turn["tool_calls"][0]["id"],
            "content": "18 C",
        }
        forgetful = {name: value for name, value in turn.items() if name != "reasoning_content"}

        async def back(model: str, *messages: Any) -> str | None:
            told = await client.chat.completions.create(model=model, messages=[*said("go"), *messages])
            return told.choices[0].message.content

        assert await back("demo-thinking-strict", turn, result) == 'The tool answered: "18 C"'
        assert await back("demo-thinking", forgetful, result) == 'The tool answered: "18 C"'
        assert await back("demo-thinking-strict", forgetful, result, *said("thanks"))
        with pytest.raises(openai.BadRequestError, match="must be passed back"):
            await back("demo-thinking-strict", forgetful, result)


async def test_limits(demo: Demo) -> None:
    async with sdk(demo) as client:
        short = await client.chat.completions.create(model="demo", messages=said("long 9"), max_completion_tokens=2)
        stopped = await client.chat.completions.create(model="demo", messages=said("long 9"), stop="word2")
    assert (short.choices[0].message.content, short.choices[0].finish_reason) == ("word1 wo", "length")
    assert (stopped.choices[0].message.content, stopped.choices[0].finish_reason) == ("word1 ", "stop")


async def test_errors_have_the_protocols_shape(demo: Demo) -> None:
    async with sdk(demo) as client:
        with pytest.raises(openai.RateLimitError) as limited:
            await client.chat.completions.create(model="demo", messages=said("fail 429"))
        with pytest.raises(openai.BadRequestError, match="too long") as refused:
            await client.chat.completions.create(model="demo", messages=said("fail 400 too long"), stream=True)
        with pytest.raises(openai.InternalServerError):
            await client.chat.completions.create(model="demo", messages=said("fail 500"))
        wrong = AsyncOpenAI(base_url=demo.base_url + "/v1", api_key="no", max_retries=0)
        with pytest.raises(openai.AuthenticationError):
            await wrong.chat.completions.create(model="demo", messages=said("hello"))
        await wrong.close()
    assert limited.value.response.headers["retry-after"] == "2"
    assert limited.value.code == "rate_limit_exceeded"
    assert (refused.value.type, refused.value.param) == ("invalid_request_error", None)


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({}, "model"),
        ({"model": "m", "messages": []}, "messages"),
        ({"model": "m", "messages": [{"role": "robot", "content": "x"}]}, "robot"),
        ({"model": "m", "messages": [{"role": "tool", "tool_call_id": "x", "content": ""}]}, "tool_call_id"),
    ],
)
async def test_a_request_it_cannot_read_is_refused(body: dict[str, Any], names: str) -> None:
    with pytest.raises(BadRequestError, match=names):
        chat_wire.read(body, "d")


async def test_usage_is_streamed_only_on_request() -> None:
    asked = {"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": True}
    records = b"".join(chat_wire.stream(chat_wire.read(asked, "d"), Performance(text="a b")))
    assert b"usage" not in records
    assert records.endswith(b"data: [DONE]\n\n")
    cut = b"".join(chat_wire.stream(chat_wire.read(asked, "d"), Performance(text="a b", accident="cut")))
    assert b"DONE" not in cut
    assert b'"finish_reason":"stop"' not in cut


async def test_the_whole_reply_and_an_error_are_those_of_the_protocol() -> None:
    prompt = chat_wire.read({"model": "m", "messages": [{"role": "user", "content": "x"}]}, "d")
    reply = chat_wire.reply(prompt, Performance(text="a"))
    assert (reply["id"], reply["object"], reply["choices"][0]["message"]["refusal"]) == (
        "chatcmpl-demo-d",
        "chat.completion",
        None,
    )
    assert chat_wire.failure(503, "no", "r") == {
        "error": {"message": "no", "type": "server_error", "param": None, "code": None}
    }
