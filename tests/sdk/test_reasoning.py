"""Reasoning goes to the client in a form that it sends back, and comes back to the model that made it.

A Messages model refuses a turn whose thinking was touched, so its text and signature must return byte for byte even
when the client speaks Chat, which has no official field for either.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.fakes.answers import CHAT, MESSAGES, PROTOCOLS
from tests.sdk.lab import running
from tests.sdk.said import SIGNATURE, THOUGHT, telling, text, thinking

UPSTREAMS = pytest.mark.parametrize("upstream", PROTOCOLS)


def check_returned(asked: Any, upstream: str) -> None:
    """The second turn brought the reasoning back."""
    answer = asked["messages"][1]
    assert answer["role"] == "assistant"
    if upstream == CHAT:
        assert answer["reasoning_content"] == THOUGHT
        assert answer["content"] in ("Sunny.", [{"type": "text", "text": "Sunny."}])
    else:
        thought, said = answer["content"]
        assert (thought["type"], thought["thinking"], thought["signature"]) == ("thinking", THOUGHT, SIGNATURE)
        assert said["text"] == "Sunny."


@UPSTREAMS
async def test_openai_reasoning_and_back(tmp_path: Path, upstream: str) -> None:
    answers = telling(thinking(upstream), text(upstream, "Yes."))
    async with running(tmp_path, upstream, answers) as lab:
        history: list[Any] = [{"role": "user", "content": "Weather?"}]
        first = await lab.openai.chat.completions.create(
            model="test-model", messages=history, reasoning_effort="high", max_completion_tokens=32000
        )
        if upstream == CHAT:
            assert lab.asked["reasoning_effort"] == "high"
        else:
            assert lab.asked["thinking"]["type"] == "enabled"
            assert 1024 <= lab.asked["thinking"]["budget_tokens"] < lab.asked["max_tokens"]
        message = first.choices[0].message
        assert (message.content, getattr(message, "reasoning_content", None)) == ("Sunny.", THOUGHT)
        assert first.usage is not None
        assert first.usage.completion_tokens_details is not None
        details = first.usage.completion_tokens_details
        assert (first.usage.completion_tokens, details.reasoning_tokens) == (20, 12)
        dumped: Any = message.model_dump()
        history += [dumped, {"role": "user", "content": "Sure?"}]
        await lab.openai.chat.completions.create(
            model="test-model", messages=history, reasoning_effort="high", max_completion_tokens=32000
        )
        check_returned(lab.asked, upstream)
        row = (await lab.gateway.rows(2))[1]
    assert (row.output_tokens, row.reasoning_tokens) == (8, 12)


@UPSTREAMS
async def test_openai_streams_reasoning(tmp_path: Path, upstream: str) -> None:
    async with running(tmp_path, upstream, telling(thinking(upstream))) as lab:
        stream = await lab.openai.chat.completions.create(
            model="test-model", messages=[{"role": "user", "content": "Weather?"}], stream=True
        )
        deltas = [chunk.choices[0].delta async for chunk in stream if chunk.choices]
    assert "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas) == THOUGHT
    assert "".join(delta.content or "" for delta in deltas) == "Sunny."


@UPSTREAMS
@pytest.mark.parametrize("stream", [False, True])
async def test_anthropic_thinking_and_back(tmp_path: Path, upstream: str, stream: bool) -> None:
    answers = telling(thinking(upstream), text(upstream, "Yes."))
    async with running(tmp_path, upstream, answers) as lab:
        history: list[Any] = [{"role": "user", "content": "Weather?"}]
        asking: dict[str, Any] = {
            "model": "test-model",
            "max_tokens": 16000,
            "thinking": {"type": "enabled", "budget_tokens": 8192},
        }
        resource: Any = lab.anthropic.messages
        if stream:
            async with resource.stream(messages=history, **asking) as told:
                first: Any = await told.get_final_message()
        else:
            first = await resource.create(messages=history, **asking)
        if upstream == CHAT:
            assert lab.asked["reasoning_effort"] == "medium"
        else:
            assert lab.asked["thinking"] == asking["thinking"]
        thought, said = first.content
        assert (thought.type, thought.thinking, said.text) == ("thinking", THOUGHT, "Sunny.")
        if upstream == MESSAGES:
            assert thought.signature == SIGNATURE
        assert first.usage.output_tokens == 20
        answer: Any = {"role": "assistant", "content": [block.model_dump() for block in first.content]}
        history += [answer, {"role": "user", "content": "Sure?"}]
        await resource.create(messages=history, **asking)
        check_returned(lab.asked, upstream)
