"""Reasoning items."""

from typing import Any

import pytest

from anykey.conversation.parts import OpaqueState, ReasoningPart
from anykey.protocols.fields import Fields
from anykey.protocols.openai_responses.reasoning import decode_reasoning, encode_reasoning, plain_reasoning

NAME = "openai_responses"
STATE = OpaqueState(NAME, "gAAA")
PIECES = [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}]
ITEMS: list[tuple[dict[str, Any], ReasoningPart]] = [
    ({"summary": [], "encrypted_content": "gAAA"}, ReasoningPart("", STATE, redacted=True)),
    ({"summary": PIECES[:1], "encrypted_content": "gAAA"}, ReasoningPart("a", STATE)),
    ({"summary": PIECES}, ReasoningPart("a\n\nb", extras={NAME: {"summary": PIECES}})),
    (
        {"summary": [], "content": [{"type": "reasoning_text", "text": "t"}]},
        ReasoningPart("t", extras={NAME: {"summary": [], "content": [{"type": "reasoning_text", "text": "t"}]}}),
    ),
    (
        {"summary": [{"type": "summary_text", "text": "a", "x": 1}]},
        ReasoningPart("a", extras={NAME: {"summary": [{"type": "summary_text", "text": "a", "x": 1}]}}),
    ),
]


@pytest.mark.parametrize(("wire", "part"), ITEMS)
def test_an_item_is_read_and_comes_back(wire: dict[str, Any], part: ReasoningPart) -> None:
    assert decode_reasoning(Fields(wire)) == part
    assert encode_reasoning(part) == {"type": "reasoning", **wire}


def test_an_item_that_says_nothing_without_its_id_is_left_out() -> None:
    assert decode_reasoning(Fields({"summary": [], "content": None})) is None
    assert decode_reasoning(Fields({"summary": [{"type": "summary_text"}]})) is not None  # a piece without text yet


def test_the_common_item_needs_no_cursor() -> None:
    item: dict[str, Any] = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [],
        "content": None,
        "encrypted_content": "gAAA",
    }
    assert plain_reasoning(item) == ReasoningPart("", STATE, redacted=True)
    for odd in ({"summary": PIECES}, {"x": 1}, {"encrypted_content": 3}, {"content": PIECES}):
        assert plain_reasoning({**item, **odd}) is None
