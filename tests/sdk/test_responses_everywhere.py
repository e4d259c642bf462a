"""What OpenAI's own service keeps or counts, through its SDK over an upstream of each protocol: background responses,
conversations, a WebSocket, token counts, compaction. `test_responses_state` has the details, over Chat."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.agents import GEMINI
from tests.sdk.lab import Lab, running
from tests.sdk.said import FOUR, Answer, telling, text

UPSTREAMS = pytest.mark.parametrize("upstream", FOUR)
FIRST, SECOND = "The first answer.", "The second answer."


def said(lab: Lab) -> str:
    """The conversation that the upstream got."""
    asked = lab.asked
    return str(asked.get("contents") or asked.get("input") or asked.get("messages"))


def numbered(answer: Answer, number: int) -> Answer:
    """`answer` with ids of its own, as no provider gives one twice."""
    events = [event.replace("_7", f"_7{number}") for event in answer.stream]
    return Answer(json.loads(json.dumps(answer.whole).replace("_7", f"_7{number}")), events)


@UPSTREAMS
async def test_in_the_background(tmp_path: Path, upstream: str) -> None:
    async with running(tmp_path, upstream, telling(text(upstream, FIRST))) as lab:
        begun = await lab.openai.responses.create(model="test-model", input="hi", background=True)
        assert begun.status in {"queued", "in_progress"}
        now = begun
        async with asyncio.timeout(5):
            while now.status in {"queued", "in_progress"}:
                await asyncio.sleep(0.02)
                now = await lab.openai.responses.retrieve(begun.id)
        assert (now.status, now.output_text, now.id) == ("completed", FIRST, begun.id)


@UPSTREAMS
async def test_a_response_and_a_conversation_go_on(tmp_path: Path, upstream: str) -> None:
    answers = telling(*(numbered(text(upstream, said), number) for number, said in enumerate((FIRST, SECOND) * 2)))
    async with running(tmp_path, upstream, answers) as lab:
        talk = await lab.openai.conversations.create()
        first = await lab.openai.responses.create(model="test-model", input="one", conversation=talk.id)
        assert first.output_text == FIRST
        second = await lab.openai.responses.create(model="test-model", input="two", conversation=talk.id)
        assert second.output_text == SECOND
        assert [word in said(lab) for word in ("one", FIRST, "two")] == [True] * 3
        items = [item async for item in lab.openai.conversations.items.list(talk.id, order="asc")]
        assert [item.to_dict()["role"] for item in items] == ["user", "assistant"] * 2
        alone = await lab.openai.responses.create(model="test-model", input="three")
        await lab.openai.responses.create(model="test-model", input="four", previous_response_id=alone.id)
        assert [word in said(lab) for word in ("one", "three", FIRST, "four")] == [False, True, True, True]


@UPSTREAMS
async def test_a_connection(tmp_path: Path, upstream: str) -> None:
    answers = telling(text(upstream, FIRST), text(upstream, SECOND))
    async with running(tmp_path, upstream, answers) as lab, lab.openai.responses.connect() as connection:
        before: str | None = None
        for word, answer in (("one", FIRST), ("two", SECOND)):
            more: Any = {} if before is None else {"previous_response_id": before}
            await connection.response.create(model="test-model", input=word, store=False, **more)
            event: Any = await connection.recv()
            while event.type not in {"response.completed", "error", "response.failed"}:
                event = await connection.recv()
            assert event.type == "response.completed"
            assert event.response.output_text == answer
            before = event.response.id
        assert [word in said(lab) for word in ("one", FIRST, "two")] == [True] * 3


@UPSTREAMS
async def test_tokens_are_counted_without_a_call(tmp_path: Path, upstream: str) -> None:
    async with running(tmp_path, upstream, telling(text(upstream, FIRST))) as lab:
        counted = await lab.openai.responses.input_tokens.count(model="test-model", input="hello there")
        assert counted.object == "response.input_tokens"
        assert 1 <= counted.input_tokens < 30
        assert lab.upstream.calls == []


@UPSTREAMS
async def test_a_long_conversation_is_compacted(tmp_path: Path, upstream: str) -> None:
    """The model sums up; what comes back takes the place of the history in the next call."""
    answers = telling(text(upstream, "They spoke of boats."), text(upstream, SECOND))
    async with running(tmp_path, upstream, answers) as lab:
        history: list[Any] = [
            {"role": "user", "content": "Tell me of boats."},
            {"role": "assistant", "content": "They float."},
        ]
        compacted = await lab.openai.responses.compact(model="test-model", input=history)
        kept = [item.to_dict(warnings=False) for item in compacted.output]
        assert kept
        history = [*kept, {"role": "user", "content": "And?"}]
        answer = await lab.openai.responses.create(model="test-model", input=history, store=False)
        assert answer.output_text == SECOND
        assert "They spoke of boats." in said(lab)
        assert ("systemInstruction" in lab.asked or "contents" in lab.asked) is (upstream == GEMINI)
