"""The agent's request is one size, one conversation, and legal in both spellings."""

import json
from collections.abc import Callable
from itertools import pairwise

import pytest

from anykey.conversation.estimate import estimate_input_tokens
from anykey.conversation.parts import ProtocolName, ToolCallPart
from anykey.protocols.catalog import CODECS
from anykey.protocols.codec import RequestPath
from bench.agent_request import (
    AGENT_REQUEST_BYTES,
    TOOLS,
    TURNS,
    Json,
    chat_agent_request,
    gemini_agent_request,
    messages_agent_request,
    responses_agent_request,
    sized,
)

SPELLINGS: dict[ProtocolName, Callable[[str, str], Json]] = {
    "openai_chat": chat_agent_request,
    "anthropic_messages": messages_agent_request,
    "openai_responses": responses_agent_request,
    "gemini_generate": gemini_agent_request,
}


@pytest.mark.parametrize("build", SPELLINGS.values())
def test_the_request_is_76_kb_to_the_byte(build: Callable[[str, str], Json]) -> None:
    wire = sized(build, "bench-chat")
    assert len(wire) == AGENT_REQUEST_BYTES
    request = json.loads(wire)
    assert request.get("model", "bench-chat") == "bench-chat"
    assert len(request["tools"][0].get("functionDeclarations", request["tools"])) == TOOLS
    assert b"=" * 2_000 not in wire, "the size must come from text, not from padding"


def test_a_request_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="bytes longer"):
        sized(lambda _model, padding: {"text": "x" * AGENT_REQUEST_BYTES + padding}, "m")


def test_chat_calls_are_each_answered_by_their_result() -> None:
    messages = chat_agent_request("m", "")["messages"]
    called = [call["id"] for message in messages for call in message.get("tool_calls", ())]
    assert called == [message["tool_call_id"] for message in messages if message["role"] == "tool"]
    assert len(called) == TURNS


def test_messages_calls_are_each_answered_in_the_next_message() -> None:
    messages = messages_agent_request("m", "")["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant"] * (2 * TURNS) + ["user"]
    calls = 0
    for message, following in pairwise(messages):
        for block in message["content"]:
            if isinstance(block, dict) and block["type"] == "tool_use":
                assert following["content"][0]["tool_use_id"] == block["id"]
                calls += 1
    assert calls == TURNS


def test_all_spellings_say_the_same() -> None:
    path = RequestPath("m", stream=False)
    read = {name: CODECS[name].decode_request(sized(build, "m"), path).value for name, build in SPELLINGS.items()}
    sizes = {name: estimate_input_tokens(request) for name, request in read.items()}
    assert max(sizes.values()) - min(sizes.values()) < 1000, sizes
    calls = [
        [
            (part.id, part.name)
            for message in request.messages
            for part in message.parts
            if isinstance(part, ToolCallPart)
        ]
        for request in read.values()
    ]
    assert calls == calls[:1] * len(SPELLINGS)
    assert [len(request.tools) for request in read.values()] == [TOOLS] * len(SPELLINGS)


def test_the_older_spellings_say_the_same() -> None:
    chat, messages = chat_agent_request("m", "end"), messages_agent_request("m", "end")
    assert chat["messages"][0]["content"] == messages["system"][0]["text"]
    assert [tool["function"]["parameters"] for tool in chat["tools"]] == [
        tool["input_schema"] for tool in messages["tools"]
    ]
    results = [message["content"] for message in chat["messages"] if message["role"] == "tool"]
    assert results == [
        block["content"]
        for message in messages["messages"]
        if isinstance(message["content"], list)
        for block in message["content"]
        if block["type"] == "tool_result"
    ]
    assert results[-1].endswith("end")
