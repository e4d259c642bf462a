from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.message import Message
from anykey.conversation.parts import (
    CacheHint,
    Citation,
    MediaPart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from anykey.conversation.verify import check_request
from tests.unit.protocols.openai_chat.samples import decode

ANNOTATION = {
    "type": "url_citation",
    "url_citation": {"url": "https://x", "title": "X", "start_index": 0, "end_index": 2},
}


def read(*values: dict[str, Any]) -> tuple[Message, ...]:
    request = decode(messages=list(values))
    check_request(request)
    return request.messages


@pytest.mark.parametrize("role", ["user", "system", "developer"])
def test_text_is_one_part(role: str) -> None:
    (message,) = read({"role": role, "content": "hi", "name": "ann"})
    assert (message.role, message.parts, message.name) == (role, (TextPart("hi"),), "ann")
    assert read({"role": role, "content": "hi"})[0].parts == (TextPart("hi"),)


CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ({"content": "hi"}, (TextPart("hi"),)),
        ({"content": None}, ()),
        ({}, ()),
        ({"content": ""}, ()),
        ({"content": "hi", "tool_calls": [CALL]}, (TextPart("hi"), ToolCallPart("1", "f", "{}"))),
        ({"content": None, "refusal": "no"}, (RefusalPart("no"),)),
        ({"content": "hi", "reasoning_content": "so"}, (ReasoningPart("so"), TextPart("hi"))),
        ({"content": None, "audio": {"id": "a1"}}, (MediaPart("audio", file_id="a1"),)),
        (
            {"content": "hi", "images": [{"type": "image_url", "image_url": {"url": "https://x/y"}}]},
            (TextPart("hi"), MediaPart("image", url="https://x/y")),
        ),
        ({"content": "hi", "refusal": None, "annotations": [], "tool_calls": None}, (TextPart("hi"),)),
        (
            {"content": "hi", "annotations": [ANNOTATION]},
            (TextPart("hi", citations=(Citation("openai_chat", ANNOTATION, "https://x", "X", None, 0, 2),)),),
        ),
        (
            {"content": "hi", "function_call": {"name": "", "arguments": ""}, "audio": {"id": "", "data": ""}},
            (TextPart("hi"),),
        ),
    ],
)
def test_what_an_assistant_said(said: dict[str, Any], parts: tuple[Part, ...]) -> None:
    assert read({"role": "assistant", **said})[0] == Message("assistant", parts)


def test_sound_that_came_whole_keeps_its_id() -> None:
    (message,) = read({"role": "assistant", "audio": {"id": "a", "data": "AA", "transcript": "t"}})
    assert message.parts == (
        MediaPart("audio", data="AA", extras={"openai_chat": {"audio": {"transcript": "t", "id": "a"}}}),
    )


def test_a_citation_of_another_kind_is_kept_raw() -> None:
    (message,) = read({"role": "assistant", "content": None, "annotations": [{"type": "file", "file": {}}]})
    assert message.parts == (TextPart("", citations=(Citation("openai_chat", {"type": "file", "file": {}}),)),)


def test_tool_results_are_text_or_parts() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}
    plain, rich = read(
        {"role": "tool", "tool_call_id": "1", "content": "ok"},
        {"role": "tool", "tool_call_id": "2", "content": [image]},
    )
    assert plain == Message("tool", (ToolResultPart("1", (TextPart("ok"),)),))
    assert rich.parts == (ToolResultPart("2", (MediaPart("image", "image/png", "AA"),)),)


def test_a_legacy_result_finds_its_call() -> None:
    call, result, orphan = read(
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "ok"},
        {"role": "function", "name": "g", "content": "ok"},
    )
    part, answer = call.parts[0], result.parts[0]
    assert isinstance(part, ToolCallPart)
    assert isinstance(answer, ToolResultPart)
    assert part.kind == "legacy_function"
    assert (answer.call_id, answer.name) == (part.id, "f")
    assert isinstance(orphan.parts[0], ToolResultPart)
    assert orphan.parts[0].call_id != part.id


def test_unknown_keys_and_a_mark_on_the_message_are_kept() -> None:
    (message,) = read({"role": "assistant", "content": "x", "prefix": True, "cache_control": {"type": "ephemeral"}})
    assert message.extras == {"openai_chat": {"prefix": True}}
    assert message.cache == CacheHint()


@pytest.mark.parametrize(
    ("message", "path"),
    [
        ({"content": "x"}, "messages[0].role"),
        ({"role": "robot", "content": "x"}, "messages[0].role"),
        ({"role": "tool", "content": "x"}, "messages[0].tool_call_id"),
        ({"role": "user", "content": [{"type": "text", "text": 3}]}, "messages[0].content[0].text"),
        ({"role": "assistant", "tool_calls": [{"type": "function"}]}, "messages[0].tool_calls[0].function"),
        ("hi", "messages[0]"),
    ],
)
def test_the_field_at_fault_is_named(message: Any, path: str) -> None:
    with pytest.raises(FailureError) as caught:
        decode(messages=[message])
    assert caught.value.failure.param == path
    assert caught.value.failure.kind == "invalid_request"
