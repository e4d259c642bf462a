from typing import Any

import msgspec
import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.losses import LossLog
from anykey.conversation.message import Message
from anykey.conversation.parts import CacheHint, MediaPart, OpaquePart, TextPart, ToolCallPart, ToolResultPart
from anykey.conversation.request import GenerateRequest
from anykey.protocols.anthropic_messages.dialect import Dialect
from anykey.protocols.anthropic_messages.messages_encoding import encode_prompt
from anykey.protocols.anthropic_messages.parts_encoding import BlockWriter

MID = Dialect(mid_conversation_system=True)


def say(role: Any, *texts: str, **fields: Any) -> Message:
    return Message(role, tuple(TextPart(text) for text in texts), **fields)


def encode(
    *messages: Message, dialect: Dialect | None = None, instructions: tuple[Any, ...] = ()
) -> tuple[Any, Any, list[str]]:
    log = LossLog("request")
    dialect = dialect or Dialect()
    request = GenerateRequest("m", messages, instructions)
    prompt = encode_prompt(request, dialect, BlockWriter(dialect, log))
    system, wire = msgspec.json.decode(msgspec.json.encode(list(prompt)))
    return system, wire, [f"{loss.kind} {loss.path}" for loss in log.losses]


def test_leading_system_text_is_the_system_field_in_order() -> None:
    system, wire, losses = encode(
        say("system", "b"), say("developer", "c", cache=CacheHint()), say("user", "hi"), instructions=(TextPart("a"),)
    )
    assert system == [
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b"},
        {"type": "text", "text": "c", "cache_control": {"type": "ephemeral"}},
    ]
    assert wire == [{"role": "user", "content": "hi"}]
    assert losses == ["approximated messages[1].role"]


def test_later_system_text_keeps_its_place_or_becomes_marked_user_text() -> None:
    later = say("system", "be brief", extras={"anthropic_messages": {"output_config": {"effort": "low"}}})
    talk = (say("user", "hi"), later, say("user", "go on"))
    _, wire, losses = encode(*talk, dialect=MID)
    assert wire[1] == {"role": "system", "content": "be brief", "output_config": {"effort": "low"}}
    assert (len(wire), losses) == (3, [])
    _, wire, losses = encode(*talk)
    assert [block["text"] for block in wire[0]["content"]] == [
        "hi",
        "<system-instruction>\nbe brief\n</system-instruction>",
        "go on",
    ]
    assert losses == ["emulated messages[1].role", "dropped messages[1].output_config"]


def test_a_leading_system_message_with_blocks_of_our_own_stays_a_message() -> None:
    addition = OpaquePart("anthropic_messages", "tool_addition", {"type": "tool_addition"})
    system, wire, _ = encode(Message("system", (addition,)), say("user", "hi"), dialect=MID)
    assert (system, wire[0]) == ([], {"role": "system", "content": [{"type": "tool_addition"}]})
    _, wire, losses = encode(Message("system", (addition,)), say("user", "hi"))
    assert wire == [{"role": "user", "content": "hi"}]
    assert losses == ["emulated messages[0].role", "dropped messages[0].content"]


def test_roles_alternate_and_results_come_first() -> None:
    call = Message("assistant", (ToolCallPart("a", "t", "{}"), ToolCallPart("b", "t", "{}")))
    results = [Message("tool", (ToolResultPart(name, (TextPart(name),)),)) for name in ("a", "b")]
    _, wire, _ = encode(
        say("user", "x"), say("assistant", "one"), call, say("user", "early"), *results, say("user", "late")
    )
    assert [message["role"] for message in wire] == ["user", "assistant", "user"]
    assert [block["type"] for block in wire[1]["content"]] == ["text", "tool_use", "tool_use"]
    assert [block.get("tool_use_id") or block["text"] for block in wire[2]["content"]] == ["a", "b", "early", "late"]


def test_repeated_ids_are_made_unique_with_their_results() -> None:
    turn = (
        Message("assistant", (ToolCallPart("f:0", "t", "{}"),)),
        Message("tool", (ToolResultPart("f:0", (TextPart("r"),)),)),
    )
    _, wire, _ = encode(say("user", "x"), *turn, *turn)
    calls = [message["content"][0]["id"] for message in wire if message["role"] == "assistant"]
    results = [message["content"][0]["tool_use_id"] for message in wire[1:] if message["role"] == "user"]
    assert calls == results == ["f_0", "f_0_2"]


def test_empty_messages_are_not_sent_and_none_left_is_the_callers_fault() -> None:
    _, wire, _ = encode(say("user", ""), say("user", "hi"), say("assistant"))
    assert wire == [{"role": "user", "content": "hi"}]
    for talk in ((), (say("system", "x"),), (say("user", ""),)):
        with pytest.raises(FailureError, match="messages: "):
            encode(*talk)


def test_names_media_in_system_text_and_sounds_of_the_model_are_named() -> None:
    image = MediaPart("image", url="https://x")
    system, _, losses = encode(Message("system", (TextPart("a"), image)), say("user", "hi", name="Ann"))
    assert (len(system), losses) == (1, ["dropped messages[0].content[1]", "dropped messages[1].name"])
    spoken = Message("assistant", (MediaPart("audio", file_id="a"), TextPart("said")))
    _, wire, losses = encode(say("user", "hi"), spoken, say("user", "more"))
    assert (wire[1]["content"], losses) == ("said", ["dropped messages[1].content[0]"])


def test_a_begun_answer() -> None:
    talk = (say("user", "hi"), say("assistant", "I think  "))
    _, wire, losses = encode(*talk)
    assert (wire[-1], losses) == ({"role": "assistant", "content": "I think"}, ["approximated messages[1]"])
    _, wire, losses = encode(*talk, dialect=Dialect(prefill=False))
    assert ([message["role"] for message in wire], losses) == (
        ["user", "assistant", "user"],
        ["approximated messages[1]"],
    )
    _, wire, _ = encode(say("user", "hi"), say("assistant", "  "))
    assert wire == [{"role": "user", "content": "hi"}]


def test_a_hint_on_a_message_of_the_user_is_written_on_it() -> None:
    _, wire, _ = encode(say("user", "hi", cache=CacheHint()))
    assert wire == [{"role": "user", "content": "hi", "cache_control": {"type": "ephemeral"}}]


def test_what_stands_on_a_message_without_content_is_lost_by_name() -> None:
    kept = {"anthropic_messages": {"x_new": 1}}
    _, wire, losses = encode(say("user", "hi"), say("assistant", "", extras=kept), say("user", "there"))
    assert [message["role"] for message in wire] == ["user"]
    assert losses == ["dropped messages[1]"]


def test_messages_of_which_nothing_is_left_are_told_apart_from_none() -> None:
    foreign = OpaquePart("openai_chat", "tool_result", {"type": "tool_result"})
    with pytest.raises(FailureError, match=r"nothing in them can be sent to this model: messages\[0\]"):
        encode(Message("user", (foreign,)))


def test_a_picture_of_the_model_is_shown_by_the_user_after_the_results() -> None:
    picture = MediaPart("image", "image/png", "aGk=")
    made = Message("assistant", (picture, ToolCallPart("1", "f", "{}")))
    _, wire, losses = encode(say("user", "draw"), made, Message("user", (ToolResultPart("1"), TextPart("go on"))))
    assert [block["type"] for block in wire[1]["content"]] == ["tool_use"]
    assert [block["type"] for block in wire[2]["content"]] == ["tool_result", "text", "image", "text"]
    assert losses == ["emulated messages[1].content[0]"]
    _, wire, losses = encode(say("user", "draw"), Message("assistant", (picture,)))
    assert (len(wire), losses[-1]) == (1, "dropped messages")


def test_the_billing_line_is_left_out_unless_the_server_knows_it() -> None:
    line = TextPart("x-anthropic-billing-header: cch=1;")
    system, _, losses = encode(say("user", "hi"), instructions=(line, TextPart("Be.")))
    assert ([block["text"] for block in system], losses) == (["Be."], ["dropped system[0]"])
    system, _, losses = encode(say("user", "hi"), instructions=(line,), dialect=Dialect(billing_header=True))
    assert (len(system), losses) == (1, [])
