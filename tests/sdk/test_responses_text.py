"""The OpenAI SDK's `responses`, plain, streamed and parsed, over an upstream of each protocol."""

from pathlib import Path
from typing import Any

import pytest
from openai import BadRequestError
from pydantic import BaseModel

from tests.fakes.agents import GEMINI, RESPONSES
from tests.fakes.answers import CHAT, MESSAGES
from tests.sdk.lab import Lab, running
from tests.sdk.said import FOUR, THOUGHT, cached, gemini, refusal, telling, text, thinking
from tests.sdk.said_gemini import usage as gemini_usage

UPSTREAMS = pytest.mark.parametrize("upstream", FOUR)
TEXT = "Hello world"


class City(BaseModel):
    name: str
    people: int


def last_word(lab: Lab, upstream: str) -> str:
    """What the user said last, as the upstream got it."""
    asked = lab.asked
    if upstream == GEMINI:
        return asked["contents"][-1]["parts"][-1]["text"]
    if upstream == RESPONSES and isinstance(asked["input"], str):
        return asked["input"]
    content: Any = asked["input" if upstream == RESPONSES else "messages"][-1]["content"]
    return content if isinstance(content, str) else content[-1]["text"]


@UPSTREAMS
async def test_plain(tmp_path: Path, upstream: str) -> None:
    async with running(tmp_path, upstream, telling(text(upstream, TEXT))) as lab:
        answer = await lab.openai.responses.create(model="test-model", input="hi", max_output_tokens=64)
        assert (answer.output_text, answer.status, answer.object) == (TEXT, "completed", "response")
        assert answer.id.startswith("resp_")
        assert str(answer.output[0].to_dict()["id"]).startswith("msg_")
        assert answer.usage is not None
        assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens) == (7, 3, 10)
        assert last_word(lab, upstream) == "hi"
        told: dict[str, Any] = {
            CHAT: lab.asked.get("max_tokens", lab.asked.get("max_completion_tokens")),
            RESPONSES: lab.asked.get("max_output_tokens"),
            MESSAGES: lab.asked.get("max_tokens"),
            GEMINI: lab.asked.get("generationConfig", {}).get("maxOutputTokens"),
        }
        assert told[upstream] == 64
        (row,) = await lab.gateway.rows()
    assert (row.client_protocol, row.upstream_protocol) == (RESPONSES, upstream)
    assert (row.input_tokens, row.output_tokens, row.finish) == (7, 3, "stop")


@UPSTREAMS
async def test_the_whole_sequence_of_events(tmp_path: Path, upstream: str) -> None:
    async with running(tmp_path, upstream, telling(text(upstream, TEXT))) as lab:
        events = [
            event async for event in await lab.openai.responses.create(model="test-model", input="hi", stream=True)
        ]
        assert [event.sequence_number for event in events] == list(range(len(events)))
        kinds = [event.type.removeprefix("response.") for event in events]
        assert [kind for kind in kinds if not kind.endswith(".delta")] == [
            "created",
            "in_progress",
            "output_item.added",
            "content_part.added",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "completed",
        ]
        assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == TEXT
        final = events[-1]
        assert final.type == "response.completed"
        assert final.response.output_text == TEXT


@UPSTREAMS
async def test_the_stream_helper(tmp_path: Path, upstream: str) -> None:
    async with running(tmp_path, upstream, telling(text(upstream, TEXT))) as lab:
        async with lab.openai.responses.stream(model="test-model", input="hi") as stream:
            snapshots = [event.snapshot async for event in stream if event.type == "response.output_text.delta"]
            final = await stream.get_final_response()
        assert snapshots[-1] == final.output_text == TEXT
        assert final.usage is not None
        assert final.usage.total_tokens == 10


@UPSTREAMS
async def test_a_parsed_answer(tmp_path: Path, upstream: str) -> None:
    said = '{"name": "Paris", "people": 2100000}'
    async with running(tmp_path, upstream, telling(text(upstream, said))) as lab:
        async with lab.openai.responses.stream(model="test-model", input="hi", text_format=City) as events:
            streamed = await events.get_final_response()
        whole = await lab.openai.responses.parse(model="test-model", input="hi", text_format=City)
        assert streamed.output_parsed == whole.output_parsed == City(name="Paris", people=2100000)
        asked = lab.asked
    config: Any = asked.get("generationConfig", {})
    schema: Any = {
        CHAT: asked.get("response_format", {}).get("json_schema", {}).get("schema"),
        RESPONSES: asked.get("text", {}).get("format", {}).get("schema"),
        MESSAGES: asked.get("output_config", {}).get("format", {}).get("schema"),
        GEMINI: config.get("responseJsonSchema") or config.get("responseSchema"),
    }[upstream]
    assert set(schema["properties"]) == {"name", "people"}
    assert schema["required"] == ["name", "people"]


async def both_ways(lab: Lab, **asked: Any) -> list[Any]:
    """The answer whole, and as the last event of the stream has it."""
    client: Any = lab.openai  # which of its overloads is meant cannot be told of keywords in a dict
    whole = await client.responses.create(model="test-model", input="hi", **asked)
    events = [
        event async for event in await lab.openai.responses.create(model="test-model", input="hi", stream=True, **asked)
    ]
    last: Any = events[-1]
    assert last.type == f"response.{whole.status}"
    return [whole, last.response]


@UPSTREAMS
async def test_reasoning_is_summed_up(tmp_path: Path, upstream: str) -> None:
    async with running(tmp_path, upstream, telling(thinking(upstream))) as lab:
        for final in await both_ways(lab, reasoning={"effort": "low", "summary": "auto"}):
            assert final.output_text == "Sunny."
            thought = next(item for item in final.output if item.type == "reasoning")
            assert [part.text for part in (thought.summary or thought.content)] == [THOUGHT]
            assert final.usage.output_tokens_details.reasoning_tokens == 12
            assert final.usage.output_tokens == 20


@UPSTREAMS
async def test_a_refusal_is_told(tmp_path: Path, upstream: str) -> None:
    async with running(tmp_path, upstream, telling(refusal(upstream))) as lab:
        for final in await both_ways(lab):
            words = [part.to_dict() for item in final.output if item.type == "message" for part in item.content]
            assert "I cannot help with that." in {word.get("text") or word.get("refusal") for word in words}
            filtered = final.incomplete_details and final.incomplete_details.reason
            assert filtered == "content_filter" or any(word["type"] == "refusal" for word in words)


@UPSTREAMS
async def test_cached_tokens_are_part_of_the_input(tmp_path: Path, upstream: str) -> None:
    async with running(tmp_path, upstream, telling(cached(upstream))) as lab:
        answer = await lab.openai.responses.create(model="test-model", input="hi")
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.input_tokens_details.cached_tokens) == (100, 60)


async def test_an_answer_that_is_cut_is_incomplete(tmp_path: Path) -> None:
    cut = gemini([{"text": TEXT}], gemini_usage(7, 3), "MAX_TOKENS")
    async with running(tmp_path, GEMINI, telling(cut)) as lab:
        for final in await both_ways(lab):
            assert (final.status, final.output_text) == ("incomplete", TEXT)
            assert final.incomplete_details.reason == "max_output_tokens"


@pytest.mark.parametrize("upstream", [CHAT, MESSAGES, GEMINI])
async def test_what_is_wrong_is_named(tmp_path: Path, upstream: str) -> None:
    wrong: Any = [{"type": "function_call_output", "output": "of no call"}]
    async with running(tmp_path, upstream, telling(text(upstream, TEXT))) as lab:
        with pytest.raises(BadRequestError, match="call_id") as refused:
            await lab.openai.responses.create(model="test-model", input=wrong)
        assert (refused.value.type, lab.upstream.calls) == ("invalid_request_error", [])
