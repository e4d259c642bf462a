from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.parts import (
    CacheHint,
    OpaquePart,
    OpaqueState,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from anykey.protocols.anthropic_messages.messages_decoding import decode_block, decode_content, decode_messages


def test_a_string_and_one_text_block_are_the_same() -> None:
    first, second = decode_messages(
        [{"role": "user", "content": "hi"}, {"role": "user", "content": [{"type": "text", "text": "hi"}]}]
    )
    assert first == second


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (
            {"type": "thinking", "thinking": "t", "signature": "s"},
            ReasoningPart("t", OpaqueState("anthropic_messages", "s")),
        ),
        ({"type": "thinking", "thinking": "t", "signature": ""}, ReasoningPart("t")),
        (
            {"type": "redacted_thinking", "data": "d"},
            ReasoningPart("", OpaqueState("anthropic_messages", "d"), redacted=True),
        ),
        ({"type": "tool_use", "id": "i", "name": "n", "input": {"a": 1.0}}, ToolCallPart("i", "n", '{"a":1.0}')),
        (
            {"type": "tool_use", "id": "i", "name": "n", "caller": {"type": "direct"}},
            ToolCallPart("i", "n", "{}", extras={"anthropic_messages": {"caller": {"type": "direct"}}}),
        ),
        ({"type": "tool_result", "tool_use_id": "i"}, ToolResultPart("i")),
        (
            {"type": "tool_result", "tool_use_id": "i", "content": "x", "is_error": True},
            ToolResultPart("i", (TextPart("x"),), is_error=True),
        ),
        (
            {"type": "tool_result", "tool_use_id": "i", "content": [{"type": "tool_reference", "tool_name": "W"}]},
            ToolResultPart(
                "i", (OpaquePart("anthropic_messages", "tool_reference", {"type": "tool_reference", "tool_name": "W"}),)
            ),
        ),
        ({"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}, TextPart("x", CacheHint())),
        (
            {"type": "compaction", "content": None, "cache_control": {"type": "ephemeral"}},
            OpaquePart("anthropic_messages", "compaction", {"type": "compaction", "content": None}, CacheHint()),
        ),
        (
            {"type": "document", "source": {"type": "content", "content": []}},
            OpaquePart(
                "anthropic_messages", "document", {"type": "document", "source": {"type": "content", "content": []}}
            ),
        ),
    ],
)
def test_blocks(block: dict[str, Any], part: Any) -> None:
    assert decode_block(block) == part


def test_citations_keep_their_spelling() -> None:
    raw = {"type": "page_location", "cited_text": "c", "document_title": "d", "start_page_number": 1}
    part = decode_block({"type": "text", "text": "x", "citations": [raw]})
    assert isinstance(part, TextPart)
    assert (part.citations[0].raw, part.citations[0].title, part.citations[0].cited_text) == (raw, "d", "c")


def test_a_system_message_keeps_its_own_fields() -> None:
    (message,) = decode_messages(
        [
            {
                "role": "system",
                "content": "be brief",
                "output_config": {"effort": "low"},
                "cache_control": {"type": "ephemeral"},
            }
        ]
    )
    assert (message.role, message.cache) == ("system", CacheHint())
    assert message.extras == {"anthropic_messages": {"output_config": {"effort": "low"}}}


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"content": "x"}, "messages.0.role"),
    ({"role": "tool", "content": "x"}, "messages.0.role"),
    ({"role": [], "content": "x"}, "messages.0.role"),
    ({"role": "user"}, "messages.0.content"),
    ({"role": "user", "content": 3}, "messages.0.content"),
    ({"role": "user", "content": ["x"]}, "messages.0.content.0"),
    ({"role": "user", "content": [{"text": "x"}]}, "messages.0.content.0.type"),
    ({"role": "user", "content": [{"type": "text"}]}, "messages.0.content.0.text"),
    (
        {"role": "user", "content": [{"type": "tool_use", "id": "i", "name": "n", "input": {}}]},
        "messages.0.content.0",
    ),
    ({"role": "assistant", "content": [{"type": "tool_result", "tool_use_id": "i"}]}, "messages.0.content.0"),
    ({"role": "user", "content": [{"type": "image"}]}, "messages.0.content.0.source"),
    (
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "i",
                    "content": [{"type": "tool_use", "id": "i", "name": "n"}],
                }
            ],
        },
        "messages.0.content.0.content.0",
    ),
]


@pytest.mark.parametrize(("message", "field"), FAULTS)
def test_the_field_at_fault_is_named_as_the_protocol_does(message: Any, field: str) -> None:
    with pytest.raises(FailureError) as caught:
        decode_messages([message])
    assert caught.value.failure.param == field


def test_empty_content_is_no_part() -> None:
    assert decode_content("", "x") == decode_content([], "x") == ()


def test_a_citation_that_is_no_object_is_refused_by_its_path() -> None:
    with pytest.raises(FailureError, match=r"content\.0\.citations\.1: expected an object, got a string"):
        decode_content([{"type": "text", "text": "a", "citations": [{"type": "x"}, "x"]}], "content")
