"""Responses: the official SDK against the running demo, and the records themselves."""

import json
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel

from anykey.demo import responses_wire
from anykey.demo.prompt import BadRequestError
from anykey.demo.script import Call, Performance
from anykey.demo.signing import signed_answer
from tests.unit.demo.conftest import Demo

pytestmark = pytest.mark.asyncio(loop_scope="session")

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER: Any = {"type": "function", "name": "get_weather", "parameters": SCHEMA, "strict": False}
PATCH: Any = {"type": "custom", "name": "apply_patch", "format": {"type": "text"}}
SPACE: Any = {"type": "namespace", "name": "agents", "description": "", "tools": [{**WEATHER, "name": "wait_agent"}]}
TWO_CALLS = 'call get_weather {"city":"Paris"} call get_weather {"city":"Rome"}'


def sdk(demo: Demo) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=demo.base_url + "/v1", api_key=demo.token, max_retries=0)


async def test_plain(demo: Demo) -> None:
    async with sdk(demo) as client:
        answer = await client.responses.create(
            model="demo", input="hello", instructions="Be brief.", store=False, metadata={"a": "b"}, temperature=0.5
        )
        counted = await client.responses.input_tokens.count(model="demo", input="hello")
    assert answer.output_text == "This is anykey's demo model. You said: hello."
    assert (answer.status, answer.temperature, answer.instructions) == ("completed", 0.5, "Be brief.")
    assert (answer.model_dump()["store"], answer.metadata, answer.tool_choice) == (False, {"a": "b"}, "auto")
    assert answer.usage
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens) == (5, 12, 17)
    assert counted.input_tokens == 2


async def test_the_stream_adds_up_to_the_plain_answer(demo: Demo) -> None:
    said = "think; long 3 " + TWO_CALLS
    async with sdk(demo) as client:
        async with client.responses.stream(
            model="demo", input=said, tools=[WEATHER], reasoning={"summary": "auto"}
        ) as stream:
            events = [event async for event in stream]
            streamed = await stream.get_final_response()
        whole = await client.responses.create(model="demo", input=said, tools=[WEATHER], reasoning={"summary": "auto"})
    assert [item.type for item in whole.output] == ["reasoning", "message", "function_call", "function_call"]
    assert len(events) > 20
    assert streamed.output_text == whole.output_text == "word1 word2 word3"
    thoughts = [item for item in [*streamed.output, *whole.output] if item.type == "reasoning"]
    assert [thought.summary[0].text for thought in thoughts] == [
        "The user wrote to the demo model. I answer as my script says."
    ] * 2
    calls = [item for item in streamed.output if item.type == "function_call"]
    assert [json.loads(call.arguments) for call in calls] == [{"city": "Paris"}, {"city": "Rome"}]


async def test_a_summary_comes_only_when_asked_for(demo: Demo) -> None:
    async with sdk(demo) as client:
        answer = await client.responses.create(model="demo-thinking", input="hello")
    thought = answer.output[0]
    assert thought.type == "reasoning"
    assert thought.summary == []
    assert thought.encrypted_content
    assert signed_answer("encrypted_content", thought.encrypted_content)


async def test_a_patch_is_a_custom_call_and_its_output_is_read(demo: Demo) -> None:
    async with sdk(demo) as client:
        async with client.responses.stream(model="demo", input="edit a.txt: hello", tools=[WEATHER, PATCH]) as stream:
            answer = await stream.get_final_response()
        call = answer.output[0]
        assert call.type == "custom_tool_call"
        assert call.input == "*** Begin Patch\n*** Add File: a.txt\n+hello\n*** End Patch\n"
        output = {"type": "custom_tool_call_output", "call_id": call.call_id, "output": "Done"}
        history: Any = [{"role": "user", "content": "edit a.txt: hello"}, call.model_dump(exclude_none=True), output]
        last = await client.responses.create(model="demo", input=history, tools=[PATCH])
    assert last.output_text == 'The tool answered: "Done"'


async def test_tools_of_a_namespace_and_those_among_the_items(demo: Demo) -> None:
    user = {"role": "user", "content": "call wait_agent"}
    added: Any = [{"type": "additional_tools", "role": "developer", "tools": [SPACE]}, user]
    async with sdk(demo) as client:
        answers = [
            await client.responses.create(model="demo", input="call wait_agent", tools=[SPACE]),
            await client.responses.create(model="demo", input=added),
        ]
    for answer in answers:
        call = answer.output[0].model_dump()
        assert (call["type"], call["name"], call["namespace"]) == ("function_call", "wait_agent", "agents")


async def test_tool_choice_and_limits(demo: Demo) -> None:
    async with sdk(demo) as client:
        named = await client.responses.create(
            model="demo", input="hi", tools=[PATCH, WEATHER], tool_choice={"type": "function", "name": "get_weather"}
        )
        none = await client.responses.create(model="demo", input=TWO_CALLS, tools=[WEATHER], tool_choice="none")
        allowed = await client.responses.create(
            model="demo",
            input="hi",
            tools=[PATCH, WEATHER],
            tool_choice={
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "get_weather"}],
            },
        )
        short = await client.responses.create(model="demo", input="long 9", max_output_tokens=2)
    assert [named.output[0].type, allowed.output[0].type] == ["function_call"] * 2
    assert none.output[0].type == "message"
    assert (short.status, short.output_text) == ("incomplete", "word1 wo")
    assert short.incomplete_details
    assert short.incomplete_details.reason == "max_output_tokens"


async def test_structured_output(demo: Demo) -> None:
    class Place(BaseModel):
        city: str
        visits: int

    async with sdk(demo) as client:
        answer = await client.responses.parse(model="demo", input="go", text_format=Place)
    assert answer.output_parsed == Place(city="demo", visits=0)


async def test_reasoning_comes_back_from_the_item_that_is_done(demo: Demo) -> None:
    async with sdk(demo) as client:
        stream = await client.responses.create(
            model="demo-thinking-strict", input="call get_weather {}", tools=[WEATHER], stream=True
        )
        events = [event async for event in stream]
        done = [event.item for event in events if event.type == "response.output_item.done"]
        added = next(event.item for event in events if event.type == "response.output_item.added")
        output = {"type": "function_call_output", "call_id": done[1].model_dump()["call_id"], "output": "18 C"}
        user = {"role": "user", "content": "go"}

        async def back(*items: Any) -> str:
            history: Any = [user, *items, output]
            return (await client.responses.create(model="demo-thinking-strict", input=history)).output_text

        thought, call = (item.model_dump(exclude_none=True) for item in done)
        assert await back(thought, call) == 'The tool answered: "18 C"'
        with pytest.raises(openai.BadRequestError, match="could not be decrypted") as refused:
            await back(added.model_dump(exclude_none=True), call)
        assert refused.value.code == "invalid_encrypted_content"
        with pytest.raises(openai.BadRequestError, match="without its required 'reasoning' item"):
            await back(call)
        with pytest.raises(openai.BadRequestError, match="did not match the target item id"):
            await back({**thought, "id": "rs_other"}, call)


async def test_errors_have_the_protocols_shape(demo: Demo) -> None:
    async with sdk(demo) as client:
        with pytest.raises(openai.RateLimitError):
            await client.responses.create(model="demo", input="fail 429", stream=True)
        with pytest.raises(openai.BadRequestError, match="Previous response") as refused:
            await client.responses.create(model="demo", input="hello", previous_response_id="resp_1")
    assert (refused.value.type, refused.value.code) == ("invalid_request_error", "previous_response_not_found")


async def test_the_order_of_events() -> None:
    prompt = responses_wire.read({"model": "m", "input": "x", "reasoning": {"summary": "auto"}}, "d")
    performance = Performance(reasoning="t", text="a b", calls=(Call("f", "{}"),), finish="tool_calls")
    records = [record.decode() for record in responses_wire.stream(prompt, performance)]
    names = [record.partition("\n")[0].removeprefix("event: response.") for record in records]
    item, ended = "output_item.added", "output_item.done"
    summary = ["part.added", "text.delta", "text.done", "part.done"]
    text = ["content_part.added", *["output_text.delta"] * 2, "output_text.done", "content_part.done"]
    call = ["function_call_arguments.delta", "function_call_arguments.done"]
    wanted = [item, *(f"reasoning_summary_{name}" for name in summary), ended, item, *text, ended, item, *call, ended]
    assert names == ["created", "in_progress", *wanted, "completed"]
    data = [json.loads(record.partition("data: ")[2]) for record in records]
    assert [one["sequence_number"] for one in data] == list(range(len(records)))
    assert all(record.endswith("}\n\n") for record in records)
    cut = list(responses_wire.stream(prompt, Performance(text="a b", accident="cut")))
    assert cut[-1].startswith(b"event: response.content_part.done")


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"input": "x"}, "model"),
        ({"model": "m"}, "input"),
        ({"model": "m", "input": [{"role": "robot", "content": "x"}]}, "robot"),
        ({"model": "m", "input": [{"type": "item_reference", "id": "rs_1"}]}, "rs_1"),
    ],
)
async def test_a_request_it_cannot_read_is_refused(body: dict[str, Any], names: str) -> None:
    with pytest.raises(BadRequestError, match=names):
        responses_wire.read(body, "d")
