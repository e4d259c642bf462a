"""Two tools called at once, and their results in the next turn, as the official SDKs send and read them."""

import json
from pathlib import Path
from typing import Any

import pytest
from anthropic.types import ToolParam
from openai.types.chat import (
    ChatCompletionCustomToolParam,
    ChatCompletionMessageCustomToolCall,
    ChatCompletionToolParam,
)

from tests.fakes.answers import CHAT, MESSAGES, PROTOCOLS
from tests.sdk.lab import Lab, running
from tests.sdk.said import CALL_IDS, CALLS, PATCH, free_text_call, telling, text, two_calls

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
OPENAI_TOOL: ChatCompletionToolParam = {
    "type": "function",
    "function": {"name": "get_weather", "description": "The weather.", "parameters": dict(SCHEMA)},
}
ANTHROPIC_TOOL: ToolParam = {"name": "get_weather", "description": "The weather.", "input_schema": dict(SCHEMA)}
QUESTION = "Weather in Paris and Rome?"
UPSTREAMS = pytest.mark.parametrize("upstream", PROTOCOLS)
EXPECTED = [(CALL_IDS[n], name, arguments) for n, (name, arguments) in enumerate(CALLS)]


def check_tools_asked(lab: Lab, upstream: str) -> None:
    """The upstream was given the tool in its own shape, with the caller's schema."""
    (tool,) = lab.asked["tools"]
    spelled = tool["function"] if upstream == CHAT else tool
    assert (spelled["name"], spelled["description"]) == ("get_weather", "The weather.")
    assert spelled["parameters" if upstream == CHAT else "input_schema"] == SCHEMA


def check_second_turn(asked: Any, upstream: str) -> None:
    """The upstream was told: question, text with two calls, both results together."""
    if upstream == CHAT:
        question, assistant, *results = asked["messages"]
        assert question["content"] in (QUESTION, [{"type": "text", "text": QUESTION}])
        assert assistant["content"] in ("Looking.", [{"type": "text", "text": "Looking."}])
        calls = [(call["id"], call["function"]["name"]) for call in assistant["tool_calls"]]
        assert [json.loads(call["function"]["arguments"]) for call in assistant["tool_calls"]] == [c[1] for c in CALLS]
        told = [(message["role"], message["tool_call_id"], message["content"]) for message in results]
        assert told == [("tool", CALL_IDS[0], "sun"), ("tool", CALL_IDS[1], "rain")]
    else:
        _, assistant, results = asked["messages"]
        said, *blocks = assistant["content"]
        assert (said["type"], said["text"]) == ("text", "Looking.")
        calls = [(block["id"], block["name"]) for block in blocks]
        assert [block["input"] for block in blocks] == [call[1] for call in CALLS]
        told = [(block["type"], block["tool_use_id"], block["content"]) for block in results["content"]]
        assert results["role"] == "user"
        assert told == [("tool_result", CALL_IDS[0], "sun"), ("tool_result", CALL_IDS[1], "rain")]
    assert calls == [(identity, name) for identity, name, _ in EXPECTED]


@UPSTREAMS
async def test_openai_two_calls_and_their_results(tmp_path: Path, upstream: str) -> None:
    answers = telling(two_calls(upstream), text(upstream, "Sun and rain."))
    async with running(tmp_path, upstream, answers) as lab:
        history: list[Any] = [{"role": "user", "content": QUESTION}]
        first = await lab.openai.chat.completions.create(model="test-model", messages=history, tools=[OPENAI_TOOL])
        check_tools_asked(lab, upstream)
        message = first.choices[0].message
        calls = [call for call in message.tool_calls or [] if call.type == "function"]
        found = [(call.id, call.function.name, json.loads(call.function.arguments)) for call in calls]
        assert found == EXPECTED
        assert (message.content, first.choices[0].finish_reason) == ("Looking.", "tool_calls")
        # What most programs do: the SDK's own object back as it is, nulls and all.
        dumped: Any = message.model_dump()
        history.append(dumped)
        for call, result in zip(calls, ("sun", "rain"), strict=True):
            history.append({"role": "tool", "tool_call_id": call.id, "content": result})
        second = await lab.openai.chat.completions.create(model="test-model", messages=history, tools=[OPENAI_TOOL])
        assert second.choices[0].message.content == "Sun and rain."
        check_second_turn(lab.asked, upstream)


async def test_openai_streams_two_parallel_calls_from_an_anthropic_only_upstream(tmp_path: Path) -> None:
    """Show 3: ids, arguments, usage and the finish reason, put together by hand from the chunks."""
    async with running(tmp_path, MESSAGES, telling(two_calls(MESSAGES))) as lab:
        stream = await lab.openai.chat.completions.create(
            model="test-model",
            messages=[{"role": "user", "content": QUESTION}],
            tools=[OPENAI_TOOL],
            stream=True,
            stream_options={"include_usage": True},
        )
        said, finish, usage = "", None, None
        calls: dict[int, list[str]] = {}
        async for chunk in stream:
            usage = chunk.usage or usage
            for choice in chunk.choices:
                said += choice.delta.content or ""
                finish = choice.finish_reason or finish
                for delta in choice.delta.tool_calls or []:
                    call = calls.setdefault(delta.index, ["", "", ""])
                    assert delta.function is not None
                    call[0] += delta.id or ""
                    call[1] += delta.function.name or ""
                    call[2] += delta.function.arguments or ""
        check_tools_asked(lab, MESSAGES)
        (row,) = await lab.gateway.rows()
    assert sorted(calls) == [0, 1]
    assert [(calls[n][0], calls[n][1], json.loads(calls[n][2])) for n in (0, 1)] == EXPECTED
    assert (said, finish) == ("Looking.", "tool_calls")
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (40, 20, 60)
    assert (row.client, row.client_protocol, row.upstream_protocol) == ("openai-python", CHAT, MESSAGES)
    assert (row.finish, row.input_tokens, row.output_tokens) == ("tool_calls", 40, 20)


async def test_openai_free_text_tool_is_called_with_its_text(tmp_path: Path) -> None:
    """A custom tool on an upstream that has none: a program written for the SDK's own type runs it, turn after turn."""
    tool: ChatCompletionCustomToolParam = {"type": "custom", "custom": {"name": "patch", "description": "Applies it."}}
    async with running(tmp_path, MESSAGES, telling(free_text_call(), text(MESSAGES, "Done."))) as lab:
        history: list[Any] = [{"role": "user", "content": "Patch it."}]
        first = await lab.openai.chat.completions.create(model="test-model", messages=history, tools=[tool])
        message = first.choices[0].message
        (call,) = message.tool_calls or []
        assert isinstance(call, ChatCompletionMessageCustomToolCall)
        assert (call.id, call.custom.name, call.custom.input) == (CALL_IDS[0], "patch", PATCH)
        assert first.choices[0].finish_reason == "tool_calls"
        dumped: Any = message.model_dump()
        history += [dumped, {"role": "tool", "tool_call_id": call.id, "content": "applied"}]
        second = await lab.openai.chat.completions.create(model="test-model", messages=history, tools=[tool])
        assert second.choices[0].message.content == "Done."
        used = {"type": "tool_use", "id": CALL_IDS[0], "name": "patch", "input": {"input": PATCH}}
        assert lab.asked["messages"][1]["content"] == [used]


async def test_openai_streams_a_free_text_call(tmp_path: Path) -> None:
    """The SDK's types know functions in a chunk only, so the text is an extra field of theirs, named as in a whole answer."""
    tool: ChatCompletionCustomToolParam = {"type": "custom", "custom": {"name": "patch"}}
    async with running(tmp_path, MESSAGES, telling(free_text_call())) as lab:
        stream = await lab.openai.chat.completions.create(
            model="test-model", messages=[{"role": "user", "content": "Patch it."}], tools=[tool], stream=True
        )
        chunks = [chunk async for chunk in stream]
    deltas = [delta for chunk in chunks for delta in chunk.choices[0].delta.tool_calls or []]
    told: list[dict[str, Any]] = [delta.model_dump(exclude_unset=True) for delta in deltas]
    start = {"index": 0, "id": CALL_IDS[0], "type": "custom", "custom": {"name": "patch", "input": ""}}
    assert told[0] == start
    assert all(set(delta) == {"index", "custom"} for delta in told[1:])
    assert len(told) > 2
    assert "".join(delta["custom"]["input"] for delta in told) == PATCH
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


@UPSTREAMS
async def test_openai_stream_helper_with_two_calls(tmp_path: Path, upstream: str) -> None:
    async with running(tmp_path, upstream, telling(two_calls(upstream))) as lab:
        async with lab.openai.chat.completions.stream(
            model="test-model",
            messages=[{"role": "user", "content": QUESTION}],
            tools=[{**OPENAI_TOOL, "function": {**OPENAI_TOOL["function"], "strict": True}}],
            stream_options={"include_usage": True},
        ) as stream:
            done = [event async for event in stream if event.type == "tool_calls.function.arguments.done"]
            final = await stream.get_final_completion()
        assert [(event.index, json.loads(event.arguments)) for event in done] == [(0, CALLS[0][1]), (1, CALLS[1][1])]
        calls = final.choices[0].message.tool_calls or []
        assert [(call.id, call.function.name) for call in calls] == [(one[0], one[1]) for one in EXPECTED]
        assert final.choices[0].finish_reason == "tool_calls"
        assert final.usage is not None
        assert final.usage.total_tokens == 60


@UPSTREAMS
async def test_anthropic_two_calls_and_their_results(tmp_path: Path, upstream: str) -> None:
    answers = telling(two_calls(upstream), text(upstream, "Sun and rain."))
    async with running(tmp_path, upstream, answers) as lab:
        history: list[Any] = [{"role": "user", "content": QUESTION}]
        first = await lab.anthropic.messages.create(
            model="test-model", max_tokens=64, messages=history, tools=[ANTHROPIC_TOOL]
        )
        check_tools_asked(lab, upstream)
        calls = [block for block in first.content if block.type == "tool_use"]
        assert [(call.id, call.name, call.input) for call in calls] == EXPECTED
        assert [block.type for block in first.content] == ["text", "tool_use", "tool_use"]
        assert (first.stop_reason, first.usage.input_tokens, first.usage.output_tokens) == ("tool_use", 40, 20)
        history += [
            {"role": "assistant", "content": first.content},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": call.id, "content": result}
                    for call, result in zip(calls, ("sun", "rain"), strict=True)
                ],
            },
        ]
        second = await lab.anthropic.messages.create(
            model="test-model", max_tokens=64, messages=history, tools=[ANTHROPIC_TOOL]
        )
        assert [block.text for block in second.content if block.type == "text"] == ["Sun and rain."]
        check_second_turn(lab.asked, upstream)


@UPSTREAMS
async def test_anthropic_streams_two_calls(tmp_path: Path, upstream: str) -> None:
    async with running(tmp_path, upstream, telling(two_calls(upstream))) as lab:
        async with lab.anthropic.messages.stream(
            model="test-model", max_tokens=64, messages=[{"role": "user", "content": QUESTION}], tools=[ANTHROPIC_TOOL]
        ) as stream:
            fragments = [event.partial_json async for event in stream if event.type == "input_json"]
            final = await stream.get_final_message()
        assert json.loads("[" + "".join(fragments).replace("}{", "},{") + "]") == [call[1] for call in CALLS]
        calls = [block for block in final.content if block.type == "tool_use"]
        assert [(call.id, call.name, call.input) for call in calls] == EXPECTED
        assert (final.stop_reason, final.usage.input_tokens, final.usage.output_tokens) == ("tool_use", 40, 20)


@UPSTREAMS
async def test_forced_tool_and_no_parallel_calls(tmp_path: Path, upstream: str) -> None:
    """Each protocol spells `this tool, and one call only` in its own way."""
    async with running(tmp_path, upstream, telling(two_calls(upstream))) as lab:
        await lab.openai.chat.completions.create(
            model="test-model",
            messages=[{"role": "user", "content": QUESTION}],
            tools=[OPENAI_TOOL],
            tool_choice={"type": "function", "function": {"name": "get_weather"}},
            parallel_tool_calls=False,
        )
        await lab.anthropic.messages.create(
            model="test-model",
            max_tokens=64,
            messages=[{"role": "user", "content": QUESTION}],
            tools=[ANTHROPIC_TOOL],
            tool_choice={"type": "tool", "name": "get_weather", "disable_parallel_tool_use": True},
        )
        for call in lab.upstream.calls:
            asked = call.json()
            if upstream == CHAT:
                assert asked["tool_choice"] == {"type": "function", "function": {"name": "get_weather"}}
                assert asked["parallel_tool_calls"] is False
            else:
                choice = {"type": "tool", "name": "get_weather", "disable_parallel_tool_use": True}
                assert asked["tool_choice"] == choice
