"""google-genai at this gateway, plain, streamed and parsed, sync and async, over an upstream of each protocol."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from google.genai import types
from google.genai.errors import ClientError, ServerError
from pydantic import BaseModel

from tests.fakes.agents import GEMINI, RESPONSES
from tests.fakes.answers import CHAT, MESSAGES, failing
from tests.sdk.lab import google, running
from tests.sdk.said import (
    FOUR,
    THOUGHT,
    Answer,
    cached,
    chat,
    messages,
    refusal,
    responses,
    telling,
    text,
    text_block,
    thinking,
)
from tests.sdk.said_responses import message as responses_message
from tests.sdk.said_responses import usage as responses_usage

UPSTREAMS = pytest.mark.parametrize("upstream", FOUR)
TEXT = "Hello world"


class City(BaseModel):
    name: str
    people: int


@UPSTREAMS
async def test_plain_and_streamed(tmp_path: Path, upstream: str) -> None:
    async with running(tmp_path, upstream, telling(text(upstream, TEXT))) as lab, google(lab) as client:
        config = types.GenerateContentConfig(system_instruction="Be brief.", max_output_tokens=64, temperature=0.5)
        whole = await client.aio.models.generate_content(model="test-model", contents="hi", config=config)
        stream = await client.aio.models.generate_content_stream(model="test-model", contents="hi", config=config)
        chunks = [chunk async for chunk in stream]
        assert whole.text == "".join(chunk.text or "" for chunk in chunks) == TEXT
        for last in (whole, chunks[-1]):
            assert last.candidates is not None
            assert last.candidates[0].finish_reason == types.FinishReason.STOP
            usage = last.usage_metadata
            assert usage is not None
            assert (usage.prompt_token_count, usage.candidates_token_count, usage.total_token_count) == (7, 3, 10)
        assert {chunk.response_id for chunk in chunks} == {chunks[0].response_id}
        assert "Be brief." in str(lab.asked)
        rows = await lab.gateway.rows(2)
    assert {(row.client_protocol, row.upstream_protocol, row.finish) for row in rows} == {(GEMINI, upstream, "stop")}


@pytest.mark.parametrize("version", ["v1", "v1beta"])
async def test_without_a_loop(tmp_path: Path, version: str) -> None:
    """The SDK's plain functions, in a thread."""
    async with running(tmp_path, CHAT, telling(text(CHAT, TEXT))) as lab, google(lab, version) as client:
        models = client.models
        whole = await asyncio.to_thread(models.generate_content, model="test-model", contents="hi")
        streamed = await asyncio.to_thread(
            lambda: "".join(
                chunk.text or "" for chunk in models.generate_content_stream(model="test-model", contents="hi")
            )
        )
        counted = await asyncio.to_thread(models.count_tokens, model="test-model", contents="hello there")
        listed = await asyncio.to_thread(lambda: [model.name for model in models.list()])
        shown = await asyncio.to_thread(models.get, model="test-model")
    assert (whole.text, streamed) == (TEXT, TEXT)
    assert counted.total_tokens is not None
    assert 1 <= counted.total_tokens < 30
    assert (listed, shown.name) == (["models/test-model"], "models/test-model")


@UPSTREAMS
async def test_a_parsed_answer(tmp_path: Path, upstream: str) -> None:
    said = '{"name": "Paris", "people": 2100000}'
    async with running(tmp_path, upstream, telling(text(upstream, said))) as lab, google(lab) as client:
        for schema in ({"response_schema": City}, {"response_json_schema": City.model_json_schema()}):
            config: Any = {"response_mime_type": "application/json", **schema}
            answer = await client.aio.models.generate_content(model="test-model", contents="hi", config=config)
            parsed: Any = answer.parsed
            assert (parsed if isinstance(parsed, dict) else parsed.model_dump()) == {"name": "Paris", "people": 2100000}
            asked = lab.asked
            wanted: Any = {
                CHAT: asked.get("response_format", {}).get("json_schema", {}).get("schema"),
                RESPONSES: asked.get("text", {}).get("format", {}).get("schema"),
                MESSAGES: asked.get("output_config", {}).get("format", {}).get("schema"),
                GEMINI: asked.get("generationConfig", {}).get("responseJsonSchema")
                or asked.get("generationConfig", {}).get("responseSchema"),
            }[upstream]
            assert set(wanted["properties"]) == {"name", "people"}
            assert upstream == GEMINI or wanted["properties"]["people"]["type"] == "integer", "types are lower case"


@UPSTREAMS
async def test_thoughts_are_shown_when_asked_for(tmp_path: Path, upstream: str) -> None:
    async with running(tmp_path, upstream, telling(thinking(upstream))) as lab, google(lab) as client:
        shown: Any = {"thinking_config": {"include_thoughts": True, "thinking_budget": 2048}}
        answer = await client.aio.models.generate_content(model="test-model", contents="hi", config=shown)
        assert answer.text == "Sunny."
        assert [part.text for part in answer.parts or () if part.thought] == [THOUGHT]
        usage = answer.usage_metadata
        assert usage is not None
        assert (usage.thoughts_token_count, usage.candidates_token_count, usage.total_token_count) == (12, 8, 29)
        stream = await client.aio.models.generate_content_stream(model="test-model", contents="hi", config=shown)
        parts: list[types.Part] = []
        async for chunk in stream:
            parts += chunk.parts or ()
        assert "".join(part.text or "" for part in parts if part.thought) == THOUGHT
        if upstream != GEMINI:  # there the upstream itself hides them
            hidden = await client.aio.models.generate_content(model="test-model", contents="hi")
            assert [part.text for part in hidden.parts or () if part.thought] == []
            assert hidden.text == "Sunny."


@UPSTREAMS
async def test_a_refusal_and_cached_tokens(tmp_path: Path, upstream: str) -> None:
    answers = telling(refusal(upstream), cached(upstream))
    async with running(tmp_path, upstream, answers) as lab, google(lab) as client:
        refused = await client.aio.models.generate_content(model="test-model", contents="hi")
        assert refused.candidates is not None
        assert "I cannot help with that." in str(refused.candidates[0].content)
        assert refused.candidates[0].finish_reason in {types.FinishReason.SAFETY, types.FinishReason.STOP}
        answer = await client.aio.models.generate_content(model="test-model", contents="hi")
        usage = answer.usage_metadata
        assert usage is not None
        assert (usage.prompt_token_count, usage.cached_content_token_count) == (100, 60)


def citing(upstream: str) -> Answer:
    """ "Straße: see here." with "here" resting on a page."""
    said, url, title = "Straße: see here.", "https://example.test/a", "A page"
    if upstream == CHAT:
        source = {"start_index": 12, "end_index": 16, "url": url, "title": title}
        notes = [{"type": "url_citation", "url_citation": source}]
        usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
        return chat({"content": said, "annotations": notes}, [{"content": said}, {"annotations": notes}], "stop", usage)
    if upstream == RESPONSES:
        note = {"type": "url_citation", "start_index": 12, "end_index": 16, "url": url, "title": title}
        return responses([responses_message(said, note)], responses_usage(7, 3))
    note = {
        "type": "web_search_result_location",
        "url": url,
        "title": title,
        "cited_text": "a source",
        "encrypted_index": "e",
    }
    block = text_block(said)
    block.whole["citations"] = [note]
    block.deltas.append({"type": "citations_delta", "citation": note})
    return messages([block], {"stop_reason": "end_turn"}, {"input_tokens": 7, "output_tokens": 3})


@pytest.mark.parametrize("upstream", [CHAT, RESPONSES, MESSAGES])
async def test_citations_are_grounding(tmp_path: Path, upstream: str) -> None:
    """Offsets are in bytes there."""
    async with running(tmp_path, upstream, telling(citing(upstream))) as lab, google(lab) as client:
        whole = await client.aio.models.generate_content(model="test-model", contents="hi")
        stream = await client.aio.models.generate_content_stream(model="test-model", contents="hi")
        last = [chunk async for chunk in stream][-1]
    for answer in (whole, last):
        assert answer.candidates is not None
        grounding = answer.candidates[0].grounding_metadata
        assert grounding is not None
        assert grounding.grounding_chunks is not None
        assert [chunk.web.uri for chunk in grounding.grounding_chunks if chunk.web] == ["https://example.test/a"]
        if upstream != MESSAGES:
            assert grounding.grounding_supports is not None
            segment = grounding.grounding_supports[0].segment
            assert segment is not None
            assert (segment.start_index, segment.end_index, segment.text) == (13, 17, "here")


@UPSTREAMS
async def test_errors_have_googles_shape(tmp_path: Path, upstream: str) -> None:
    error = {"error": {"type": "overloaded_error", "message": "too busy", "code": 503, "status": "UNAVAILABLE"}}
    async with running(tmp_path, upstream, failing(503, error)) as lab, google(lab) as client:
        with pytest.raises(ServerError) as busy:
            await client.aio.models.generate_content(model="test-model", contents="hi")
        with pytest.raises(ServerError):
            async for _ in await client.aio.models.generate_content_stream(model="test-model", contents="hi"):
                pass
        with pytest.raises(ServerError) as unserved:
            await client.aio.models.embed_content(model="test-model", contents="hi")
        if upstream != GEMINI:  # which judges for itself
            with pytest.raises(ClientError) as wrong:
                await client.aio.models.generate_content(model="test-model", contents=[{"role": "robot", "parts": []}])
            assert (wrong.value.code, wrong.value.status) == (400, "INVALID_ARGUMENT")
    assert (busy.value.status, unserved.value.code, unserved.value.status) == ("UNAVAILABLE", 501, "UNIMPLEMENTED")
