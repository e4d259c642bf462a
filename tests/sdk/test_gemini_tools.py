"""Functions through google-genai over an upstream of each protocol: chats that call Python functions by themselves, and the
signatures that go back."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from google.genai import types

from tests.fakes.agents import GEMINI, RESPONSES, signature_of, thinking_responses
from tests.fakes.answers import CHAT, MESSAGES
from tests.fakes.thinking import SIGNATURE, thinking_messages
from tests.sdk import said_gemini
from tests.sdk.lab import google, running
from tests.sdk.said import CALL_IDS, FOUR, gemini, telling, text, two_calls
from tests.sdk.test_responses_tools import results_of, sent_names

UPSTREAMS = pytest.mark.parametrize("upstream", FOUR)
URL_SAFE = str.maketrans("+/", "-_")
SCHEMA: dict[str, Any] = {"type": "object", "properties": {}}
READ: Any = {"function_declarations": [{"name": "read", "parameters_json_schema": SCHEMA}]}


def get_weather(city: str) -> str:
    """The weather.

    Args:
        city: Where.
    """
    return f"sun in {city}"


@UPSTREAMS
async def test_a_chat_calls_functions_by_itself(tmp_path: Path, upstream: str) -> None:
    answers = telling(two_calls(upstream), text(upstream, "Sun everywhere."), text(upstream, "You are welcome."))
    async with running(tmp_path, upstream, answers) as lab, google(lab) as client:
        chat = client.aio.chats.create(model="test-model", config=types.GenerateContentConfig(tools=[get_weather]))
        answer = await chat.send_message("Weather?")
        assert answer.text == "Sun everywhere."
        assert sent_names(lab.asked) == ["get_weather"]
        results = results_of(lab.asked)
        assert [name for name, _ in results] == (["get_weather"] * 2 if upstream == GEMINI else list(CALL_IDS))
        assert ["sun in Paris" in results[0][1], "sun in Rome" in results[1][1]] == [True, True]
        assert (await chat.send_message("Thanks.")).text == "You are welcome."
        assert len(lab.upstream.calls) == 3


async def test_a_chat_without_a_loop_and_streamed(tmp_path: Path) -> None:
    answers = telling(two_calls(MESSAGES), text(MESSAGES, "Sun everywhere."))
    async with running(tmp_path, MESSAGES, answers) as lab, google(lab) as client:
        config = types.GenerateContentConfig(tools=[get_weather])

        def talk() -> str:
            chat = client.chats.create(model="test-model", config=config)
            return "".join(chunk.text or "" for chunk in chat.send_message_stream("Weather?"))

        assert (await asyncio.to_thread(talk)).endswith("Sun everywhere.")
        assert [name for name, _ in results_of(lab.asked)] == list(CALL_IDS)


@UPSTREAMS
async def test_calls_by_hand(tmp_path: Path, upstream: str) -> None:
    """Streamed, with results given by name alone, as programs of the time before ids do."""
    answers = telling(two_calls(upstream), text(upstream, "Done."))
    tools: Any = [{"function_declarations": [{"name": "get_weather"}]}]
    config = {"tools": tools, "tool_config": {"function_calling_config": {"mode": "ANY"}}}
    async with running(tmp_path, upstream, answers) as lab, google(lab) as client:
        stream = await client.aio.models.generate_content_stream(model="test-model", contents="hi", config=config)
        parts: list[types.Part] = []
        async for chunk in stream:
            parts += chunk.parts or ()
        calls = [part.function_call for part in parts if part.function_call]
        assert [(call.name, call.args) for call in calls] == [
            ("get_weather", {"city": "Paris"}),
            ("get_weather", {"city": "Rome"}),
        ]
        for call in calls:
            call.id = None
        said = types.Content(role="model", parts=[part for part in parts if part.text or part.function_call])
        results = [
            types.Part.from_function_response(name="get_weather", response={"output": city}) for city in ("sun", "rain")
        ]
        contents: Any = ["hi", said, types.Content(role="user", parts=results)]
        answer = await client.aio.models.generate_content(model="test-model", contents=contents, config=config)
        assert answer.text == "Done."
        told = results_of(lab.asked)
        assert ["sun" in told[0][1], "rain" in told[1][1]] == [True, True]
        assert upstream == GEMINI or told[0][0] != told[1][0]


@pytest.mark.parametrize("upstream", [GEMINI, MESSAGES, RESPONSES])
@pytest.mark.parametrize("stream", [False, True])
async def test_the_state_of_reasoning_comes_back(tmp_path: Path, upstream: str, stream: bool) -> None:
    """A chat of the SDK keeps the signature of a call and gives it back, which is the state of any maker."""
    parts: list[Any] = [{"text": "why", "thought": True}, said_gemini.call("read", {}, signature_of(1))]
    scripts: Any = {
        MESSAGES: thinking_messages("why", 1),
        GEMINI: telling(gemini(parts, said_gemini.usage(7, 3))),
        RESPONSES: thinking_responses("why", 1),
    }
    async with running(tmp_path, upstream, scripts[upstream]) as lab, google(lab) as client:
        config = types.GenerateContentConfig(tools=[READ])
        chat = client.aio.chats.create(model="test-model", config=config)
        result = types.Part.from_function_response(name="read", response={"output": "done"})
        for message in ("hi", result):
            if stream:
                async for _ in await chat.send_message_stream(message):
                    pass
            else:
                await chat.send_message(message)
        told = json.dumps(lab.asked)
    made = SIGNATURE if upstream == MESSAGES else signature_of(1)
    assert made in told or made.translate(URL_SAFE) in told, "the SDK itself spells bytes so, and is relayed verbatim"
    assert upstream != MESSAGES or '"thinking": "why"' in told or '"thinking":"why"' in told


async def test_the_word_that_stands_for_a_signature_is_understood(tmp_path: Path) -> None:
    """Programs write it where they have none; to other protocols it is nothing."""
    call: Any = {
        "function_call": {"name": "read", "args": {}},
        "thought_signature": b"skip_thought_signature_validator",
    }
    contents: Any = [
        {"role": "user", "parts": [{"text": "hi"}]},
        {"role": "model", "parts": [call]},
        {"role": "user", "parts": [{"function_response": {"name": "read", "response": {"output": "done"}}}]},
    ]
    async with running(tmp_path, CHAT, telling(text(CHAT, "ok"))) as lab, google(lab) as client:
        config = types.GenerateContentConfig(tools=[READ])
        answer = await client.aio.models.generate_content(model="test-model", contents=contents, config=config)
        assert answer.text == "ok"
        assert [message["role"] for message in lab.asked["messages"]] == ["user", "assistant", "tool"]
        assert "skip_thought" not in json.dumps(lab.asked)
