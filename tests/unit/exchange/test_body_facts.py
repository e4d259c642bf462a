"""What a body says, in each of the four protocols, and that nothing it says can do harm."""

import base64
import json
import time
from typing import Any

import pytest

from anykey.conversation.estimate import IMAGE_TOKENS, PDF_TOKENS
from anykey.conversation.parts import Json
from anykey.exchange.body_facts import BodyFacts, read_body

PNG = base64.b64encode(
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (300).to_bytes(4, "big") + (250).to_bytes(4, "big") + bytes(60_000)
).decode()
PNG_TOKENS = 100  # of 300 by 250 pixels, 750 a token
WORDS = "four and four is a sentence of forty eight bytes"
SEARCH: list[Json] = [
    {"type": "web_search_20250305", "name": "web_search"},
    {"type": "web_search"},
    {"googleSearch": {}},
]


def facts(**body: Any) -> BodyFacts:
    return read_body(json.dumps(body).encode())


def user(content: Any) -> list[Any]:
    return [{"role": "user", "content": content}]


@pytest.mark.parametrize(
    "body",
    [
        {"messages": user(WORDS)},
        {"messages": user([{"type": "text", "text": WORDS}])},
        {"input": WORDS},
        {"input": user([{"type": "input_text", "text": WORDS}])},
        {"contents": [{"role": "user", "parts": [{"text": WORDS}]}]},
        {
            "messages": [
                {"role": "assistant", "content": [{"type": "thinking", "thinking": WORDS, "signature": "s" * 999}]}
            ]
        },
        {"messages": [{"role": "tool", "tool_call_id": "c", "content": WORDS}]},
        {"input": [{"type": "function_call_output", "call_id": "c", "output": WORDS}]},
        {
            "input": [
                {
                    "type": "reasoning",
                    "summary": [{"type": "summary_text", "text": WORDS}],
                    "encrypted_content": "e" * 999,
                }
            ]
        },
    ],
)
def test_forty_eight_bytes_are_twelve_tokens_and_a_message_four(body: dict[str, Any]) -> None:
    assert facts(**body).tokens == 12 + 4


@pytest.mark.parametrize(
    "body",
    [
        {"system": WORDS},
        {"system": [{"type": "text", "text": WORDS, "cache_control": {"type": "ephemeral"}}]},
        {"instructions": WORDS},
        {"systemInstruction": {"parts": [{"text": WORDS}]}},
        {"system_instruction": {"parts": [{"text": WORDS}]}},
    ],
)
def test_system_texts_count_and_are_heard(body: dict[str, Any]) -> None:
    found = facts(**body)
    assert (found.tokens, found.system) == (12, WORDS)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"},
        {"inlineData": {"mimeType": "image/png", "data": PNG}},
        {"inline_data": {"mime_type": "image/png", "data": PNG}},
    ],
)
def test_a_picture_costs_what_it_shows_and_not_its_bytes(part: dict[str, Any]) -> None:
    key, inner = ("contents", "parts") if "type" not in part else ("messages", "content")
    found = facts(**{key: [{"role": "user", inner: [part]}]})
    assert (found.images, found.tokens) == (1, PNG_TOKENS + 4)


def test_pictures_of_the_newest_turn_only() -> None:
    picture = {"type": "image", "source": {"type": "url", "url": "https://example.com/x.png"}}
    said = [*user([picture]), {"role": "assistant", "content": "seen"}]
    assert facts(messages=said).images == 0
    assert facts(messages=[*said, *user([picture, picture])]).images == 2
    result = {"type": "tool_result", "tool_use_id": "t", "content": [picture]}
    found = facts(messages=[*said, *user([result])])
    assert found.images == 1
    assert found.tokens > 2 * IMAGE_TOKENS
    items = [
        *user([{"type": "input_image", "image_url": "https://example.com/x.png"}]),
        {"type": "function_call", "arguments": "{}"},
    ]
    assert facts(input=items).images == 0


def test_documents_cost_by_their_size() -> None:
    pdf = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "A" * 133_000}}
    assert facts(messages=user([pdf])).tokens == 2 * PDF_TOKENS + 4
    assert (
        facts(input=user([{"type": "input_file", "file_data": "data:application/pdf;base64,AAAA"}])).tokens
        == PDF_TOKENS + 4
    )


def test_tools_are_counted() -> None:
    function = {"type": "function", "function": {"name": "read", "parameters": {"type": "object"}}}
    assert facts(tools=[function, function]).tools == 2
    assert facts(tools=[{"functionDeclarations": [{"name": "a"}, {"name": "b"}]}, {"googleSearch": {}}]).tools == 3
    assert facts(tools=[]).tools == facts().tools == 0
    assert facts(tools=[function]).tokens > 10


@pytest.mark.parametrize("tool", SEARCH)
def test_a_hosted_web_search(tool: dict[str, Any]) -> None:
    assert facts(tools=[tool]).web_search
    assert not facts(tools=[{"type": "function", "function": {"name": "web_search"}}]).web_search


def test_chats_own_web_search() -> None:
    assert facts(web_search_options={}).web_search


@pytest.mark.parametrize(
    ("body", "thinking", "effort"),
    [
        ({}, False, ""),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, True, ""),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}, True, "max"),
        ({"thinking": {"type": "disabled"}, "output_config": {"effort": "high"}}, False, "high"),
        ({"output_config": {"effort": "high"}}, False, "high"),
        ({"reasoning": {"effort": "high", "summary": "auto"}}, True, "high"),
        ({"reasoning": {"effort": "none"}}, False, "none"),
        ({"reasoning": {"summary": "auto"}}, False, ""),
        ({"reasoning_effort": "low"}, True, "low"),
        ({"reasoning_effort": "minimal"}, False, "minimal"),
        ({"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}}, False, ""),
        ({"generationConfig": {"thinkingConfig": {"thinkingBudget": -1}}}, True, ""),
        ({"generationConfig": {"thinkingConfig": {"thinkingLevel": "HIGH"}}}, True, "high"),
        ({"generationConfig": {"thinkingConfig": {"includeThoughts": True}}}, True, ""),
    ],
)
def test_thinking_and_effort(body: dict[str, Any], thinking: bool, effort: str) -> None:
    found = facts(**body)
    assert (found.thinking, found.effort) == (thinking, effort)


@pytest.mark.parametrize(
    "body",
    [
        {"max_tokens": 7},
        {"max_completion_tokens": 7},
        {"max_output_tokens": 7},
        {"generationConfig": {"maxOutputTokens": 7}},
    ],
)
def test_the_limit_of_the_answer(body: dict[str, Any]) -> None:
    assert facts(**body).max_tokens == 7


def test_what_the_user_said_last() -> None:
    said = [*user("first"), {"role": "assistant", "content": "then"}, *user([{"type": "text", "text": "last"}])]
    assert facts(messages=[{"role": "system", "content": "be brief"}, *said]).asked == "last"
    assert facts(messages=[{"role": "system", "content": "be brief"}, *said]).system == "be brief"
    assert facts(input="only").asked == "only"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"messages": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"messages": {"role": 1}, "tools": 7, "max_tokens": "many", "thinking": 3, "reasoning": [], "system": {"a": 1}}',
        b'{"messages": [3, null, "text", {"content": {"x": 1}}, {"role": ["user"]}], "input": false}',
        b'{"contents": [{"parts": [{"inlineData": 7}]}], "generationConfig": []}',
    ],
)
def test_a_malformed_body_says_what_it_can_and_raises_nothing(body: bytes) -> None:
    found = read_body(body)
    assert found.tokens >= 1
    assert (found.max_tokens, found.thinking, found.images) == (None, False, 0)


def test_it_is_quick_even_for_what_is_large() -> None:
    """Bars with room for a busy machine: usually a quarter of a millisecond, and 30 ms for 64 MB."""
    turns = [*user("x" * 700), {"role": "assistant", "content": [{"type": "text", "text": "y" * 700}]}] * 50
    usual = json.dumps({"messages": turns, "tools": [{"name": "t", "input_schema": {"type": "object"}}] * 12}).encode()
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * (64 << 20)}}
    large = json.dumps({"messages": user([picture])}).encode()
    assert len(usual) > 70_000
    assert min(_timed(usual) for _ in range(7)) < 0.004
    assert min(_timed(large) for _ in range(2)) < 0.5


def _timed(body: bytes) -> float:
    began = time.perf_counter()
    read_body(body)
    return time.perf_counter() - began


def test_parts_inside_parts_end_somewhere() -> None:
    deep = '{"content": [' * 400 + "]}" * 400
    assert read_body(b'{"messages": [' + deep.encode() + b"]}").tokens > 0
