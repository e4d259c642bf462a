"""Gemini: the official SDK against the running demo, and the records themselves."""

import json
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

from anykey.demo import gemini_wire
from anykey.demo.prompt import BadRequestError
from anykey.demo.script import Call, Performance
from anykey.demo.signing import signed_answer
from tests.unit.demo.conftest import Demo

pytestmark = pytest.mark.asyncio(loop_scope="session")

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = types.Tool(function_declarations=[types.FunctionDeclaration(name="get_weather", parameters_json_schema=CITY)])
TWO_CALLS = 'call get_weather {"city":"Paris"} call get_weather {"city":"Rome"}'
SHOWN = types.ThinkingConfig(include_thoughts=True)
NO_CALLS_OF_ITS_OWN = types.AutomaticFunctionCallingConfig(disable=True)


def sdk(demo: Demo) -> Any:
    options = types.HttpOptions(base_url=demo.base_url)
    return genai.Client(api_key=demo.token, vertexai=False, http_options=options).aio


def config(**more: Any) -> types.GenerateContentConfig:
    return types.GenerateContentConfig(automatic_function_calling=NO_CALLS_OF_ITS_OWN, **more)


async def test_plain_and_streamed(demo: Demo) -> None:
    client = sdk(demo)
    answer = await client.models.generate_content(model="any/name", contents="hello")
    stream = await client.models.generate_content_stream(model="any/name", contents="hello")
    chunks = [chunk async for chunk in stream]
    counted = await client.models.count_tokens(model="demo", contents="hello")
    await client.aclose()
    assert answer.text == "This is anykey's demo model. You said: hello."
    assert "".join(chunk.text or "" for chunk in chunks) == answer.text
    assert [chunk.candidates[0].finish_reason for chunk in chunks[-2:]] == [None, types.FinishReason.STOP]
    assert len(chunks) == 9
    usage = answer.usage_metadata
    assert (usage.prompt_token_count, usage.candidates_token_count, usage.total_token_count) == (2, 12, 14)
    assert (usage.thoughts_token_count, counted.total_tokens) == (None, 2)


async def test_thoughts_are_shown_when_asked_for_and_signed_at_the_end(demo: Demo) -> None:
    client = sdk(demo)
    whole = await client.models.generate_content(
        model="demo-thinking", contents="hello", config=config(thinking_config=SHOWN)
    )
    hidden = await client.models.generate_content(model="demo-thinking", contents="hello")
    stream = await client.models.generate_content_stream(model="demo-thinking", contents="hello")
    last = [chunk async for chunk in stream][-1].candidates[0].content.parts
    await client.aclose()
    assert [bool(part.thought) for part in whole.candidates[0].content.parts] == [True, False]
    assert [bool(part.thought) for part in hidden.candidates[0].content.parts] == [False]
    assert hidden.usage_metadata.thoughts_token_count > 0
    assert len(last) == 1
    assert not last[0].text
    for part in (whole.candidates[0].content.parts[1], hidden.candidates[0].content.parts[0], last[0]):
        assert part.thought_signature


@pytest.mark.parametrize("model", ["demo", "demo-thinking-strict"])
async def test_a_chat_gives_calls_and_signatures_back(demo: Demo, model: str) -> None:
    client = sdk(demo)
    chat = client.chats.create(model=model, config=config(tools=[WEATHER]))
    calls: list[types.FunctionCall] = []
    first = await chat.send_message("use two tools: " + TWO_CALLS)
    for city in ("Paris", "Rome"):
        (call,) = first.function_calls
        assert (call.args, bool(call.id)) == ({"city": city}, model != "demo")
        part = types.Part.from_function_response(name=call.name, response={"output": f"18 C in {city}"})
        first = await chat.send_message(part)
    assert first.text == 'The tool answered: "18 C in Rome"'
    async for chunk in await chat.send_message_stream(TWO_CALLS):
        calls += chunk.function_calls or []
    results = [types.Part.from_function_response(name="get_weather", response={"output": "21 C"}) for _ in calls]
    again = await chat.send_message(results)
    await client.aclose()
    assert again.text == "\n".join(['The tool answered: "21 C"'] * 2)


async def test_only_the_first_of_parallel_calls_is_signed(demo: Demo) -> None:
    client = sdk(demo)
    stream = await client.models.generate_content_stream(
        model="demo", contents=TWO_CALLS, config=config(tools=[WEATHER])
    )
    parts = [part async for chunk in stream for part in chunk.candidates[0].content.parts]
    user = types.Content(role="user", parts=[types.Part(text="go")])
    result = types.Part.from_function_response(name="get_weather", response={"output": "18 C"})
    model = types.Content(role="model", parts=[types.Part(function_call=part.function_call) for part in parts[:2]])
    back = types.Content(role="user", parts=[result, result])
    with pytest.raises(errors.ClientError, match="missing a thought_signature") as refused:
        await client.models.generate_content(model="demo", contents=[user, model, back])
    await client.aclose()
    assert [bool(part.function_call) for part in parts] == [True, True, False]
    assert [bool(part.thought_signature) for part in parts] == [True, False, False]
    assert (refused.value.code, refused.value.status) == (400, "INVALID_ARGUMENT")


async def test_tool_modes_limits_and_json(demo: Demo) -> None:
    client = sdk(demo)

    async def ask(said: str, **more: Any) -> Any:
        return await client.models.generate_content(model="demo", contents=said, config=config(**more))

    def mode(name: Any) -> types.ToolConfig:
        return types.ToolConfig(function_calling_config=types.FunctionCallingConfig(mode=name))

    forced = await ask("hi", tools=[WEATHER], tool_config=mode("ANY"))
    none = await ask(TWO_CALLS, tools=[WEATHER], tool_config=mode("NONE"))
    short = await ask("long 9", max_output_tokens=2)
    stopped = await ask("long 9", stop_sequences=["word2"])
    shaped = await ask("x", response_mime_type="application/json", response_schema={"type": "OBJECT", **_upper(CITY)})
    await client.aclose()
    assert forced.function_calls[0].args == {"city": "demo"}
    assert none.function_calls is None
    assert (short.text, short.candidates[0].finish_reason) == ("word1 wo", types.FinishReason.MAX_TOKENS)
    assert (stopped.text, stopped.candidates[0].finish_reason) == ("word1 ", types.FinishReason.STOP)
    assert json.loads(shaped.text) == {"city": "demo"}


def _upper(schema: dict[str, Any]) -> dict[str, Any]:
    return {"properties": {"city": {"type": "STRING"}}, "required": schema["required"]}


async def test_errors_have_the_protocols_shape(demo: Demo) -> None:
    client = sdk(demo)
    with pytest.raises(errors.ClientError) as limited:
        await client.models.generate_content(model="demo", contents="fail 429")
    with pytest.raises(errors.ServerError):
        await client.models.generate_content(model="demo", contents="fail 529")
    await client.aclose()
    assert (limited.value.code, limited.value.status) == (429, "RESOURCE_EXHAUSTED")
    assert "'retryDelay': '2s'" in str(limited.value)


async def test_the_records() -> None:
    prompt = gemini_wire.read({"model": "m", "contents": [{"parts": [{"text": "x"}]}]}, "d")
    performance = Performance(text="a b", calls=(Call("f", '{"a":1}'),), finish="tool_calls")
    records = [record.decode() for record in gemini_wire.stream(prompt, performance)]
    assert all(record.startswith("data: {") and record.endswith("}\r\n\r\n") for record in records)
    candidates = [json.loads(record.removeprefix("data: "))["candidates"][0] for record in records]
    assert [candidate["content"]["parts"][0].get("text") for candidate in candidates] == ["a", " b", None, ""]
    call = candidates[2]["content"]["parts"][0]
    assert call["functionCall"] == {"name": "f", "args": {"a": 1}}
    assert signed_answer("thought_signature", call["thoughtSignature"], "f") == "d"
    assert [candidate.get("finishReason") for candidate in candidates] == [None, None, None, "STOP"]
    cut = list(gemini_wire.stream(prompt, Performance(text="a b", accident="cut")))
    assert b"finishReason" not in cut[-1]


async def test_snake_case_and_a_whole_request_to_count() -> None:
    contents = [{"role": "user", "parts": [{"text": "abcd"}]}]
    asked: Any = {
        "contents": contents,
        "system_instruction": {"parts": [{"text": "abcd"}]},
        "tools": [{"function_declarations": [{"name": "f", "parameters": {"type": "OBJECT"}}]}],
        "tool_config": {"function_calling_config": {"mode": "any", "allowed_function_names": ["f"]}},
        "generation_config": {"max_output_tokens": 5, "response_mime_type": "application/json"},
    }
    prompt = gemini_wire.read({**asked, "model": "models/m"}, "d")
    assert (prompt.model, prompt.system, prompt.must_call, prompt.max_tokens) == ("m", "abcd", True, 5)
    assert prompt.tools[0].parameters == {"type": "object"}
    assert prompt.schema
    whole = gemini_wire.count(
        {"model": "m", "generateContentRequest": {"model": "models/m", "contents": contents}}, "d"
    )
    assert whole == {"totalTokens": 1}


@pytest.mark.parametrize(
    ("body", "names"),
    [({"contents": ["y"]}, "model"), ({"model": "m"}, "contents"), ({"model": "m", "contents": ["x"]}, "contents")],
)
async def test_a_request_it_cannot_read_is_refused(body: dict[str, Any], names: str) -> None:
    with pytest.raises(BadRequestError, match=names):
        gemini_wire.read(body, "d")
