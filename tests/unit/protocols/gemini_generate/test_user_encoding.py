from typing import Any

import msgspec
import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import CacheHint, MediaPart, OpaquePart, Part, ReasoningPart, TextPart, ToolResultPart
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.parts_decoding import read_part
from anykey.protocols.gemini_generate.user_encoding import UserWriter

IMAGE = MediaPart("image", "image/png", "QQ==")
WIRE_IMAGE = {"inlineData": {"mimeType": "image/png", "data": "QQ=="}}


def written(*parts: Part, dialect: Dialect | None = None) -> tuple[Any, list[str]]:
    log, target = LossLog("request"), list[dict[str, Any]]()
    UserWriter(dialect or Dialect(), log, {"c": "f"}).write(target, parts, "messages[1].parts")
    return msgspec.json.decode(msgspec.json.encode(target)), [loss.code for loss in log.losses]


def response_of(*content: Any, is_error: bool = False) -> Any:
    return written(ToolResultPart("c", content, is_error))[0][0]["functionResponse"]["response"]


def test_a_result_names_the_tool_of_its_call() -> None:
    assert written(ToolResultPart("c", (TextPart("ok"),))) == (
        [{"functionResponse": {"id": "c", "name": "f", "response": {"output": "ok"}}}],
        [],
    )
    assert written(ToolResultPart("c", (TextPart("ok"),)), dialect=Dialect(call_ids=False)) == (
        [{"functionResponse": {"name": "f", "response": {"output": "ok"}}}],
        ["emulated:messages.parts.call_id"],
    )


def test_a_result_of_no_call_needs_a_name() -> None:
    assert written(ToolResultPart("z", name="g"))[0][0]["functionResponse"]["name"] == "g"
    assert written(ToolResultPart("c", name="g"))[1] == ["dropped:messages.parts.name"]
    with pytest.raises(FailureError, match=r"messages\[1\].parts\[0\]: no tool call .* 'z'"):
        written(ToolResultPart("z"))


@pytest.mark.parametrize(
    ("text", "response"),
    [
        ("ok", {"output": "ok"}),
        ("", {"output": ""}),
        ('{"files":["a"]}', {"files": ["a"]}),
        ("{}", {}),
        ("{not json", {"output": "{not json"}),
        ("[1]", {"output": "[1]"}),
        ('{"output":"a"}', {"output": '{"output":"a"}'}),
        ('{"error":1}', {"output": '{"error":1}'}),
        ('{"output":[1]}', {"output": [1]}),
    ],
)
def test_a_text_that_is_an_object_is_sent_as_one_and_read_back(text: str, response: dict[str, Any]) -> None:
    assert response_of(TextPart(text)) == response
    read = read_part({"functionResponse": {"name": "f", "response": response}}, "p").part
    assert isinstance(read, ToolResultPart)
    assert read.content == ((TextPart(text),) if text else ())
    assert not read.is_error


def test_an_error_stands_under_its_word() -> None:
    assert response_of(TextPart("no"), is_error=True) == {"error": "no"}
    assert response_of(TextPart('{"code":1}'), is_error=True) == {"error": {"code": 1}}
    assert response_of(TextPart("a"), TextPart("b"), is_error=True) == {"error": "a\nb"}


def test_media_of_results_stand_inside_where_they_may_else_after() -> None:
    result = ToolResultPart("c", (TextPart("see"), IMAGE))
    native, losses = written(result, TextPart("hi"), dialect=Dialect(tool_result_media="native"))
    assert native[0]["functionResponse"] == {
        "id": "c",
        "name": "f",
        "response": {"output": "see"},
        "parts": [WIRE_IMAGE],
    }
    assert losses == []
    beside, losses = written(result, ToolResultPart("c"), dialect=Dialect(tool_result_media="user_followup"))
    assert beside[0]["functionResponse"]["response"] == {"output": "see\n[The image follows.]"}
    assert [next(iter(entry)) for entry in beside] == ["functionResponse", "functionResponse", "text", "inlineData"]
    assert beside[2:] == [{"text": "The image that tool call c returned:"}, WIRE_IMAGE]
    assert losses == ["emulated:messages.parts.content"]


def test_our_own_parts_and_keys_go_back() -> None:
    assert written(
        OpaquePart("gemini_generate", "x", {"x": 1}),
        ToolResultPart("c", extras={"gemini_generate": {"functionResponse.scheduling": "SILENT"}}),
    ) == (
        [{"x": 1}, {"functionResponse": {"id": "c", "name": "f", "response": {"output": ""}, "scheduling": "SILENT"}}],
        [],
    )


def test_what_has_no_place_is_named() -> None:
    wire, losses = written(
        ToolResultPart(
            "c",
            (TextPart("a", extras={"gemini_generate": {"x": 1}}), OpaquePart("anthropic_messages", "k", {})),
            cache=CacheHint(),
            extras={"openai_chat": {"y": 1}},
        ),
        OpaquePart("anthropic_messages", "search_result", {}),
        ReasoningPart("hm"),
        TextPart(""),
    )
    assert len(wire) == 1
    assert losses == [
        "dropped:messages.parts.content.x",
        "dropped:messages.parts.content",
        "dropped:messages.parts.cache_control",
        "dropped:messages.parts.y",
        "dropped:messages.parts",
        "dropped:messages.parts",
    ]
