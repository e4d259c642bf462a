"""Laws of usage: buckets are never negative, never overlap, and sum to the provider's totals both ways."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.conversation.response import Choice, Finish, GenerateResponse
from anykey.conversation.usage import Usage
from tests.properties.speakers import CHAT, GEMINI, MESSAGES, RESPONSES, SPEAKERS, Speaker
from tests.properties.strategies import usages
from tests.properties.words import Json, dumps, values

BUCKETS = tuple(name for name in Usage.__struct_fields__ if name.endswith("_tokens"))
each_speaker = pytest.mark.parametrize("speaker", SPEAKERS, ids=lambda speaker: speaker.name)

ANSWERS: dict[str, Json] = {
    CHAT.name: {
        "id": "c",
        "model": "m",
        "choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}],
    },
    MESSAGES.name: {
        "id": "msg_1",
        "type": "message",
        "model": "m",
        "content": [{"type": "text", "text": "a"}],
        "stop_reason": "end_turn",
    },
    RESPONSES.name: {"id": "resp_1", "object": "response", "model": "m", "status": "completed", "output": []},
    GEMINI.name: {"candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"}]},
}
UNCOUNTED = {GEMINI.name: "approximated:usage.cache_write_tokens"}
"""What a protocol has no number for, by the code of the Loss that says so."""


def key_of(speaker: Speaker) -> str:
    return "usageMetadata" if speaker is GEMINI else "usage"


def read(speaker: Speaker, usage: Any) -> Usage | None:
    body = dumps({**ANSWERS[speaker.name], key_of(speaker): usage})
    return speaker.codec.decode_response(body, speaker.codec.dialect({})).value.usage


def written(speaker: Speaker, usage: Usage) -> Json:
    response = GenerateResponse("msg_1", "m", (Choice((), Finish("stop")),), usage)
    body, losses = speaker.codec.encode_response(response)
    uncounted = UNCOUNTED.get(speaker.name)
    assert usage.cache_write_tokens() == 0 or uncounted is None or uncounted in {loss.code for loss in losses}
    return msgspec.json.decode(body)[key_of(speaker)]


@given(usage=CHAT.usages)
def test_chat_totals_are_the_sums_of_the_buckets(usage: Json) -> None:
    found = read(CHAT, usage)
    assert found is not None
    assert found.total_input() == usage["prompt_tokens"]
    assert found.total_output() == usage["completion_tokens"]


@given(usage=MESSAGES.usages)
def test_messages_totals_are_the_sums_of_the_buckets(usage: Json) -> None:
    found = read(MESSAGES, usage)
    assert found is not None
    parts: Json = usage.get("cache_creation", {})
    created = usage.get("cache_creation_input_tokens", sum(parts.values()))
    assert found.total_input() == usage["input_tokens"] + usage.get("cache_read_input_tokens", 0) + created
    assert found.total_output() == usage["output_tokens"]


@given(usage=RESPONSES.usages)
def test_responses_totals_are_the_sums_of_the_buckets(usage: Json) -> None:
    found = read(RESPONSES, usage)
    assert found is not None
    assert (found.total_input(), found.total_output()) == (usage["input_tokens"], usage["output_tokens"])


@given(usage=GEMINI.usages)
def test_gemini_totals_are_the_sums_of_the_buckets(usage: Json) -> None:
    found = read(GEMINI, usage)
    assert found is not None
    assert found.total_input() == usage["promptTokenCount"] + usage.get("toolUsePromptTokenCount", 0)
    assert found.total_output() == usage["candidatesTokenCount"] + usage.get("thoughtsTokenCount", 0)


@each_speaker
@given(usage=usages)
def test_what_is_written_has_the_same_totals_and_reads_back_the_same(speaker: Speaker, usage: Usage) -> None:
    wire = written(speaker, usage)
    found = read(speaker, wire)
    assert found is not None
    assert (found.total_input(), found.total_output()) == (usage.total_input(), usage.total_output())
    assert found.cache_read_tokens == usage.cache_read_tokens
    assert speaker.name in UNCOUNTED or found.cache_write_tokens() == usage.cache_write_tokens()
    assert found.reasoning_tokens == usage.reasoning_tokens
    assert read(speaker, written(speaker, found)) == found


@given(usage=usages)
def test_a_chat_total_is_the_sum_of_its_two_parts(usage: Usage) -> None:
    wire = written(CHAT, usage)
    assert wire["total_tokens"] == wire["prompt_tokens"] + wire["completion_tokens"]


@each_speaker
@given(data=st.data())
def test_no_number_makes_a_bucket_negative(speaker: Speaker, data: st.DataObject) -> None:
    usage = data.draw(speaker.usages)
    odd = values | st.integers(-(10**20), 10**20)
    for name in data.draw(st.sets(st.sampled_from(sorted(usage)))):
        nested: Any = usage[name]
        usage[name] = {str(key): data.draw(odd) for key in nested} if isinstance(nested, dict) else data.draw(odd)  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType] - parsed JSON
    found = read(speaker, usage)
    assert found is None or all(getattr(found, name) >= 0 for name in BUCKETS)
