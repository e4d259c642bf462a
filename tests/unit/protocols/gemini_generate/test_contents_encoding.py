from typing import Any

import msgspec
import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.losses import LossLog
from anykey.conversation.message import Message
from anykey.conversation.parts import (
    CacheHint,
    MediaPart,
    OpaquePart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from anykey.conversation.request import GenerateRequest
from anykey.protocols.gemini_generate.contents_encoding import ContentsWriter
from anykey.protocols.gemini_generate.dialect import Dialect

HI = Message("user", (TextPart("hi"),))


def written(*messages: Message, instructions: tuple[Part, ...] = ()) -> tuple[dict[str, Any], list[str]]:
    log, body = LossLog("request"), dict[str, Any]()
    ContentsWriter(Dialect(), log).write(body, GenerateRequest("m", messages, instructions))
    return msgspec.json.decode(msgspec.json.encode(body)), [loss.code for loss in log.losses]


def test_instructions_and_leading_system_messages_are_the_system_instruction() -> None:
    body, losses = written(
        Message("system", (TextPart("b"),)), Message("developer", (TextPart("c"),)), HI, instructions=(TextPart("a"),)
    )
    assert body == {
        "systemInstruction": {"parts": [{"text": "a"}, {"text": "b"}, {"text": "c"}]},
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
    }
    assert losses == ["approximated:messages.role"]


def test_a_later_system_message_is_marked_text_of_the_user() -> None:
    body, losses = written(HI, Message("system", (TextPart("stop"),)))
    assert body["contents"] == [
        {"role": "user", "parts": [{"text": "hi"}, {"text": "<system-instruction>\nstop\n</system-instruction>"}]}
    ]
    assert losses == ["approximated:messages.role"]


def test_messages_of_one_role_are_one_content() -> None:
    body, losses = written(
        HI,
        Message("assistant", (TextPart("a"), ToolCallPart("1", "f", "{}"))),
        Message("assistant", (ToolCallPart("2", "g", "{}"),)),
        Message("tool", (ToolResultPart("1", (TextPart("x"),)),)),
        Message("tool", (ToolResultPart("2", (TextPart("y"),)),)),
        HI,
    )
    assert [(content["role"], len(content["parts"])) for content in body["contents"]] == [
        ("user", 1),
        ("model", 3),
        ("user", 3),
    ]
    assert [part["functionResponse"]["name"] for part in body["contents"][2]["parts"][:2]] == ["f", "g"]
    assert losses == []


def test_what_has_no_place_is_named() -> None:
    mark = CacheHint()
    body, losses = written(
        Message(
            "system", (MediaPart("image", data="QQ=="), TextPart("be good", mark)), extras={"openai_chat": {"x": 1}}
        ),
        Message("user", (TextPart("hi"),), "ann", mark, {"openai_chat": {"y": 1}, "gemini_generate": {"z": 1}}),
        instructions=(TextPart("x-anthropic-billing-header: abc"), OpaquePart("gemini_generate", "k", {"k": 1})),
    )
    assert body == {
        "systemInstruction": {"parts": [{"k": 1}, {"text": "be good"}]},
        "contents": [{"role": "user", "parts": [{"text": "hi"}], "z": 1}],
    }
    assert losses == [
        "dropped:instructions",
        "dropped:messages.x",
        "dropped:messages.parts",
        "dropped:messages.parts.cache_control",
        "dropped:messages.name",
        "dropped:messages.cache_control",
        "dropped:messages.y",
    ]


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ((), "at least one message"),
        ((Message("system", (TextPart("a"),)),), "at least one message"),
        ((Message("assistant", (ReasoningPart("hm"),)),), r"nothing in them .* thoughts without a signature"),
    ],
)
def test_nothing_to_say_is_the_callers_fault(messages: tuple[Message, ...], message: str) -> None:
    with pytest.raises(FailureError, match=message):
        written(*messages)


def test_a_history_that_begins_with_calls_has_a_word_of_the_user_first() -> None:
    call, result = ToolCallPart("c1", "f", "{}"), ToolResultPart("c1", (TextPart("ok"),))
    body, losses = written(Message("assistant", (call,)), Message("tool", (result,)))
    assert [content["role"] for content in body["contents"]] == ["user", "model", "user"]
    assert body["contents"][0]["parts"] == [{"text": "."}]
    assert losses == ["emulated:messages"]


def test_a_history_that_begins_with_a_text_of_the_model_stays() -> None:
    body, losses = written(Message("assistant", (TextPart("Welcome."),)), HI)
    assert [content["role"] for content in body["contents"]] == ["model", "user"]
    assert losses == []


def test_what_a_content_without_parts_says_of_itself_is_a_loss() -> None:
    empty = Message("user", (TextPart(""),), extras={"gemini_generate": {"x": 1}})
    body, losses = written(empty, Message("assistant", (TextPart("a"),)), HI)
    assert [content["role"] for content in body["contents"]] == ["model", "user"]
    assert losses == ["dropped:contents.x"]
