import pytest

from anykey.conversation.parts import (
    Citation,
    Json,
    MediaPart,
    OpaquePart,
    OpaqueState,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
)
from anykey.protocols.bedrock_converse.answer_parts import decode_block, decode_citation

SERVER: Json = {"toolUse": {"toolUseId": "s", "name": "search", "input": {}, "type": "server_tool_use"}}
LOCATED = {"location": {"documentPage": {"documentIndex": 0, "start": 1, "end": 2}}}


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ({"text": "a"}, TextPart("a")),
        ({"toolUse": {"toolUseId": "t", "name": "n", "input": {"a": 1}}}, ToolCallPart("t", "n", '{"a":1}')),
        (SERVER, OpaquePart("bedrock_converse", "toolUse", SERVER)),
        (
            {"reasoningContent": {"reasoningText": {"text": "Hm", "signature": "s"}}},
            ReasoningPart("Hm", OpaqueState("bedrock_converse", "s")),
        ),
        ({"reasoningContent": {"reasoningText": {"text": "Hm"}}}, ReasoningPart("Hm")),
        (
            {"reasoningContent": {"redactedContent": "eA=="}},
            ReasoningPart("", OpaqueState("bedrock_converse", "eA=="), redacted=True),
        ),
        ({"image": {"format": "png", "source": {"bytes": "iVBO"}}}, MediaPart("image", "image/png", "iVBO")),
        (
            {"citationsContent": {"content": [{"text": "a"}, {"text": "b"}], "citations": [LOCATED]}},
            TextPart("ab", citations=(Citation("bedrock_converse", LOCATED),)),
        ),
        ({"audio": {}}, OpaquePart("bedrock_converse", "audio", {"audio": {}})),
        ({}, OpaquePart("bedrock_converse", "", {})),
    ],
)
def test_blocks(block: Json, part: Part) -> None:
    assert decode_block(block) == part


def test_a_citation_of_another_shape_says_nothing() -> None:
    assert decode_citation("x") == Citation("bedrock_converse", {})
