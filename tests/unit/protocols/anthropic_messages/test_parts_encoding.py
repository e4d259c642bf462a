from typing import Any

import msgspec
import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import (
    CacheHint,
    Citation,
    OpaquePart,
    OpaqueState,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from anykey.protocols.anthropic_messages.dialect import Dialect
from anykey.protocols.anthropic_messages.messages_decoding import decode_block
from anykey.protocols.anthropic_messages.parts_encoding import BlockWriter, own_extras, shorten, tool_input


def encode(*parts: Part) -> tuple[list[Any], list[str]]:
    log = LossLog("request")
    blocks = BlockWriter(Dialect(), log).blocks(parts, "messages[0].parts")
    wire = msgspec.json.decode(msgspec.json.encode(blocks))
    return wire, [f"{loss.kind} {loss.path.removeprefix('messages[0].parts')}" for loss in log.losses]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}, "new": 1},
        {"type": "text", "text": "x", "citations": [{"type": "char_location", "cited_text": "c"}]},
        {"type": "thinking", "thinking": "t", "signature": "s+/="},
        {"type": "redacted_thinking", "data": "d"},
        {"type": "tool_use", "id": "i", "name": "n", "input": {"a": [1.0, 1e-7]}, "caller": {"type": "direct"}},
        {"type": "tool_result", "tool_use_id": "i", "is_error": True, "cache_control": {"type": "ephemeral"}},
        {
            "type": "tool_result",
            "tool_use_id": "i",
            "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        },
        {
            "type": "web_search_tool_result",
            "tool_use_id": "i",
            "content": [{"encrypted_content": "e"}],
            "cache_control": {"type": "ephemeral"},
        },
    ],
)
def test_a_block_comes_back(block: dict[str, Any]) -> None:
    assert encode(decode_block(block)) == ([block], [])


@pytest.mark.parametrize(
    ("part", "block", "losses"),
    [
        (TextPart(""), None, []),
        (TextPart("", CacheHint()), None, ["dropped [0]"]),
        (
            TextPart("x", citations=(Citation("openai_chat", {}),)),
            {"type": "text", "text": "x"},
            ["dropped [0].citations"],
        ),
        (ReasoningPart("t"), None, ["dropped [0]"]),
        (ReasoningPart("t", OpaqueState("openai_chat", "s")), None, ["dropped [0]"]),
        (RefusalPart("no"), {"type": "text", "text": "no"}, ["approximated [0]"]),
        (OpaquePart("openai_chat", "audio", {}), None, ["dropped [0]"]),
        (ToolCallPart("i", "n", ""), {"type": "tool_use", "id": "i", "name": "n", "input": {}}, []),
        (
            ToolCallPart("i", "n", "[1]"),
            {"type": "tool_use", "id": "i", "name": "n", "input": {"_raw": "[1]"}},
            ["approximated [0].arguments"],
        ),
        (
            ToolCallPart("i", "n", '{"a'),
            {"type": "tool_use", "id": "i", "name": "n", "input": {"_raw": '{"a'}},
            ["approximated [0].arguments"],
        ),
        (
            ToolCallPart("i", "n", "*** p", "custom"),
            {"type": "tool_use", "id": "i", "name": "n", "input": {"input": "*** p"}},
            ["emulated [0]"],
        ),
        (
            ToolCallPart("i", "n", "{}", "legacy_function"),
            {"type": "tool_use", "id": "i", "name": "n", "input": {}},
            ["approximated [0].kind"],
        ),
        (ToolCallPart("i", "n", "{}", "hosted"), None, ["dropped [0]"]),
        (
            ToolCallPart("f:0", "n", "{}"),
            {"type": "tool_use", "id": "f_0", "name": "n", "input": {}},
            ["approximated [0].id"],
        ),
        (ToolResultPart("i", (), name="n"), {"type": "tool_result", "tool_use_id": "i"}, ["dropped [0].name"]),
        (TextPart("x", extras={"openai_chat": {"a": 1}}), {"type": "text", "text": "x"}, ["dropped [0].a"]),
    ],
)
def test_parts_of_other_protocols(part: Part, block: Any, losses: list[str]) -> None:
    assert encode(part) == ([] if block is None else [block], losses)


def test_the_spelling_of_arguments_is_kept() -> None:
    value, legal = tool_input(ToolCallPart("i", "n", ' {"a": 1.50, "b":12345678901234567890123}'))
    assert legal
    assert msgspec.json.encode(value) == b' {"a": 1.50, "b":12345678901234567890123}'


def test_one_plain_text_is_a_string() -> None:
    assert shorten([{"type": "text", "text": "a"}]) == "a"
    assert shorten([{"type": "text", "text": "a", "cache_control": {}}]) != "a"
    assert own_extras({"anthropic_messages": {"a": 1}, "openai_chat": {"b": 1}}) == {"a": 1}
