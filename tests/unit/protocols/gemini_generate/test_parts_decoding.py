from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.parts import (
    MediaPart,
    OpaquePart,
    OpaqueState,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from anykey.protocols.gemini_generate.parts_decoding import PartRead, place_signature, read_part

CALL = ToolCallPart("c", "f", '{"file_path":"x"}')
IMAGE = MediaPart("image", "image/png", "QQ==")


def own(**keys: Any) -> dict[str, Any]:
    return {"gemini_generate": {key.replace("__", "."): value for key, value in keys.items()}}


def state(data: str, place: str) -> OpaqueState:
    return OpaqueState("gemini_generate", data, place)


@pytest.mark.parametrize(
    ("wire", "part"),
    [
        ({"text": "hi"}, TextPart("hi")),
        ({"text": "hi", "mediaResolution": 1}, TextPart("hi", extras=own(mediaResolution=1))),
        ({"text": "hm", "thought": True}, ReasoningPart("hm")),
        ({"text": "hi", "thought": False}, TextPart("hi")),
        ({"functionCall": {"id": "c", "name": "f", "args": {"file_path": "x"}}}, CALL),
        ({"function_call": {"id": "c", "name": "f", "args": {"file_path": "x"}}}, CALL),
        ({"functionCall": {"name": "f"}}, ToolCallPart("", "f", "")),
        (
            {"functionCall": {"name": "f", "args": {}, "x": 1}},
            ToolCallPart("", "f", "{}", extras=own(functionCall__x=1)),
        ),
        ({"inline_data": {"mime_type": "image/png", "data": "QQ"}}, IMAGE),
        (
            {"fileData": {"fileUri": "files/1"}, "videoMetadata": {"fps": 2}},
            MediaPart("image", file_id="files/1", extras=own(videoMetadata={"fps": 2})),
        ),
        (
            {"executableCode": {"code": "1"}},
            OpaquePart("gemini_generate", "executableCode", {"executableCode": {"code": "1"}}),
        ),
        ({"tool_call": {"id": "t"}}, OpaquePart("gemini_generate", "toolCall", {"toolCall": {"id": "t"}})),
        ({"somethingNew": 1}, OpaquePart("gemini_generate", "somethingNew", {"somethingNew": 1})),
        ({"text": None}, TextPart("")),
    ],
)
def test_a_part_is_read(wire: dict[str, Any], part: Part) -> None:
    assert read_part(wire, "p") == PartRead(part, None)


@pytest.mark.parametrize(
    ("response", "text", "is_error"),
    [
        ({"output": "ok"}, "ok", False),
        ({"result": "ok"}, "ok", False),
        ({"error": "no"}, "no", True),
        ({"error": {"code": 1}}, '{"code":1}', True),
        ({"output": [1]}, '{"output":[1]}', False),
        ({"files": ["a"], "error": "x"}, '{"files":["a"],"error":"x"}', False),
        ({}, "{}", False),
    ],
)
def test_a_result_says_what_the_tool_answered(response: dict[str, Any], text: str, is_error: bool) -> None:
    expected = ToolResultPart("c", (TextPart(text),), is_error, "f")
    assert read_part({"functionResponse": {"id": "c", "name": "f", "response": response}}, "p").part == expected
    assert read_part({"function_response": {"id": "c", "name": "f", "response": response}}, "p").part == expected


def test_a_result_may_hold_media_and_say_more() -> None:
    inner = {
        "name": "f",
        "response": {"output": ""},
        "parts": [{"inlineData": {"mimeType": "image/png", "data": "QQ=="}}],
    }
    read = read_part({"functionResponse": {**inner, "scheduling": "SILENT"}}, "p").part
    assert read == ToolResultPart("", (IMAGE,), name="f", extras=own(functionResponse__scheduling="SILENT"))


def test_a_signature_is_read_in_either_alphabet() -> None:
    assert read_part({"text": "hi", "thought_signature": "-_8"}, "p") == PartRead(TextPart("hi"), "+/8=")
    assert read_part({"text": "hi", "thoughtSignature": ""}, "p") == PartRead(TextPart("hi"), None)


@pytest.mark.parametrize(
    ("wire", "named"),
    [
        ({"text": 1}, "p.text"),
        ({"functionCall": {"name": "f", "args": []}}, "p.functionCall.args"),
        ({"functionResponse": {"response": {}}}, "p.functionResponse.name"),
        ({"inlineData": {"mimeType": "a"}}, "p.inlineData.data"),
        ({"text": "a", "thoughtSignature": 1}, "p.thoughtSignature"),
        ("x", "p: expected an object"),
    ],
)
def test_what_cannot_be_read_is_named(wire: Any, named: str) -> None:
    with pytest.raises(FailureError, match=named):
        read_part(wire, "p")


def placed(*reads: PartRead) -> list[Part]:
    parts: list[Part] = []
    for read in reads:
        place_signature(parts, read)
    return parts


@pytest.mark.parametrize(("part", "place"), [(CALL, "call"), (TextPart("a"), "text"), (IMAGE, "media")])
def test_a_signature_is_the_state_of_the_reasoning_before_its_part(part: Part, place: str) -> None:
    assert placed(PartRead(part, "s")) == [ReasoningPart("", state("s", place), redacted=True), part]
    thought = PartRead(ReasoningPart("hm"), None)
    assert placed(thought, PartRead(part, "s")) == [ReasoningPart("hm", state("s", place)), part]
    signed = PartRead(ReasoningPart("hm"), "t")
    assert placed(signed, PartRead(part, "s")) == [
        ReasoningPart("hm", state("t", "thought")),
        ReasoningPart("", state("s", place), redacted=True),
        part,
    ]


def test_a_signature_on_an_empty_text_stands_alone() -> None:
    assert placed(PartRead(TextPart("a"), None), PartRead(TextPart(""), "s")) == [
        TextPart("a"),
        ReasoningPart("", state("s", "end"), redacted=True),
    ]
