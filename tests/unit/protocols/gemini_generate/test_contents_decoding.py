from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.message import Message
from anykey.conversation.parts import (
    MediaPart,
    OpaqueState,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from anykey.protocols.gemini_generate.contents_decoding import decode_contents, decode_instructions
from anykey.protocols.gemini_generate.extras import synthetic_id

HI = Message("user", (TextPart("hi"),))


def call(name: str, call_id: str | None = None) -> dict[str, Any]:
    return {"functionCall": {"name": name, "args": {}, **({} if call_id is None else {"id": call_id})}}


def result(name: str, text: str, call_id: str | None = None) -> dict[str, Any]:
    return {
        "functionResponse": {"name": name, "response": {"output": text}, **({} if call_id is None else {"id": call_id})}
    }


def parts_of(contents: list[dict[str, Any]]) -> list[tuple[Part, ...]]:
    return [message.parts for message in decode_contents(contents)]


@pytest.mark.parametrize(
    "value",
    [
        "hi",
        ["hi"],
        {"parts": [{"text": "hi"}]},
        [{"role": "user", "parts": [{"text": "hi"}]}],
        [{"role": "function", "parts": [{"text": "hi"}]}],
        [{"role": "user", "parts": {"text": "hi"}}],
        [{"role": None, "parts": [{"text": "hi"}]}],
    ],
)
def test_contents_come_in_many_shapes(value: Any) -> None:
    assert decode_contents(value) == (HI,)


def test_what_a_content_says_besides_is_kept() -> None:
    messages = decode_contents([{"role": "model", "parts": [{"text": "yo"}], "some_key": 1}, {"role": "user"}])
    assert messages == (
        Message("assistant", (TextPart("yo"),), extras={"gemini_generate": {"someKey": 1}}),
        Message("user", ()),
    )


def test_an_empty_text_of_the_model_is_left_out_unless_it_is_signed() -> None:
    """The last chunk of a stream often holds one, and programs send all parts back."""
    (parts,) = parts_of([{"role": "model", "parts": [{"text": "yo"}, {"text": ""}, call("read", "1"), {"text": ""}]}])
    assert parts == (TextPart("yo"), ToolCallPart("1", "read", "{}"))
    (signed,) = parts_of([{"role": "model", "parts": [{"text": "", "thoughtSignature": "c2ln"}]}])
    assert signed == (ReasoningPart("", OpaqueState("gemini_generate", "c2ln", "end"), redacted=True),)


def test_calls_without_ids_get_one_from_their_place_and_results_the_same() -> None:
    contents = [
        {"role": "model", "parts": [call("a"), call("b"), call("a")]},
        {"role": "user", "parts": [result("a", "1"), result("a", "2"), result("b", "3")]},
    ]
    first, second, third = synthetic_id(0, 0, "a"), synthetic_id(0, 1, "b"), synthetic_id(0, 2, "a")
    assert parts_of(contents) == [
        (ToolCallPart(first, "a", "{}"), ToolCallPart(second, "b", "{}"), ToolCallPart(third, "a", "{}")),
        (
            ToolResultPart(first, (TextPart("1"),)),
            ToolResultPart(third, (TextPart("2"),)),
            ToolResultPart(second, (TextPart("3"),)),
        ),
    ]
    assert parts_of(contents) == parts_of(contents)


def test_results_are_paired_by_id_where_both_have_one() -> None:
    contents = [
        {"role": "model", "parts": [call("a", "x"), call("a", "y")]},
        {"role": "user", "parts": [result("a", "1", "y"), result("renamed", "2", "x")]},
    ]
    assert parts_of(contents)[1] == (
        ToolResultPart("y", (TextPart("1"),)),
        ToolResultPart("x", (TextPart("2"),), name="renamed"),
    )


def test_a_result_with_an_id_answers_a_call_without_one() -> None:
    contents = [{"role": "model", "parts": [call("a")]}, {"role": "user", "parts": [result("a", "1", "x")]}]
    assert parts_of(contents)[1] == (ToolResultPart(synthetic_id(0, 0, "a"), (TextPart("1"),)),)


def test_a_result_of_no_call_keeps_its_name() -> None:
    contents = [
        {"role": "model", "parts": [call("a", "x")]},
        {"role": "user", "parts": [result("a", "1", "z"), result("b", "2")]},
    ]
    assert parts_of(contents)[1] == (
        ToolResultPart("z", (TextPart("1"),), name="a"),
        ToolResultPart(synthetic_id("1.1", "b"), (TextPart("2"),), name="b"),
    )


def test_signatures_are_state_of_the_model_and_nothing_of_the_user() -> None:
    signed = {"text": "hi", "thoughtSignature": "QQ=="}
    assert parts_of([{"role": "model", "parts": [signed]}, {"role": "user", "parts": [signed]}]) == [
        (ReasoningPart("", OpaqueState("gemini_generate", "QQ==", "text"), redacted=True), TextPart("hi")),
        (TextPart("hi", extras={"gemini_generate": {"thoughtSignature": "QQ=="}}),),
    ]


UNREADABLE: list[tuple[Any, str]] = [
    (None, "contents: this field is required"),
    ([{"role": "system", "parts": []}], r"contents\[0\].role: expected 'user' or 'model', got 'system'"),
    ([{"role": "user", "parts": "hi"}], r"contents\[0\].parts: expected an array"),
    ([3], r"contents\[0\]: expected an object"),
    ([{"role": "user", "parts": [call("a")]}], r"contents\[0\].parts\[0\]: .* the user"),
    ([{"role": "user", "parts": [{"text": "a", "thought": True}]}], r"parts\[0\]: .* the user"),
    ([{"role": "model", "parts": [result("a", "1")]}], r"parts\[0\]: .* the model"),
    ([{"role": "model", "parts": [{"functionCall": {"args": {}}}]}], r"parts\[0\].functionCall.name"),
]


@pytest.mark.parametrize(("value", "named"), UNREADABLE)
def test_what_cannot_be_read_is_named(value: Any, named: str) -> None:
    with pytest.raises(FailureError, match=named):
        decode_contents(value)


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        (None, ()),
        ("", ()),
        ("be good", (TextPart("be good"),)),
        ({"text": "be good"}, (TextPart("be good"),)),
        ({"role": "user", "parts": [{"text": "be good"}]}, (TextPart("be good"),)),
        ({"parts": {"text": "be good"}}, (TextPart("be good"),)),
        ([{"text": "be good"}, "and kind"], (TextPart("be good"), TextPart("and kind"))),
        ({"role": "user"}, ()),
        (
            {"parts": [{"inlineData": {"mimeType": "image/png", "data": "QQ=="}}]},
            (MediaPart("image", "image/png", "QQ=="),),
        ),
    ],
)
def test_the_system_instruction_comes_in_many_shapes(value: Any, parts: tuple[Part, ...]) -> None:
    assert decode_instructions(value) == parts


def test_a_call_is_no_instruction() -> None:
    with pytest.raises(FailureError, match=r"systemInstruction.parts\[0\]"):
        decode_instructions({"parts": [call("a")]})
