from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.message import Message
from anykey.conversation.parts import (
    CacheHint,
    Citation,
    MediaPart,
    OpaquePart,
    OpaqueState,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from anykey.protocols.openai_chat.dialect import Dialect
from tests.unit.protocols.openai_chat.samples import FULL, PLAIN, asking, assistant, decode, encode, user

CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
IMAGE = MediaPart("image", "image/png", "AA")
IMAGE_WIRE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}


def messages(*values: Message, dialect: Dialect = PLAIN, **fields: Any) -> tuple[list[dict[str, Any]], list[str]]:
    body, losses = encode(asking(*values, **fields), dialect)
    return body["messages"], losses


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": "hi"},
        {"role": "user", "content": "hi", "name": "ann"},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "user", "content": [{"type": "text", "text": "a"}, IMAGE_WIRE]},
        {"role": "system", "content": "be brief"},
        {"role": "developer", "content": "be brief"},
        {"role": "assistant", "content": "hi"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "assistant", "content": "hi", "tool_calls": [CALL, {**CALL, "id": "2"}]},
        {"role": "assistant", "content": None, "refusal": "no"},
        {"role": "assistant", "content": "hi", "reasoning_content": "so"},
        {"role": "assistant", "content": None, "audio": {"id": "a1"}},
        {"role": "assistant", "content": "hi", "images": [IMAGE_WIRE]},
        {"role": "assistant", "content": "hi", "prefix": True},
        {
            "role": "assistant",
            "content": "hi",
            "annotations": [{"type": "url_citation", "url_citation": {"url": "https://x", "start_index": 0}}],
        },
        {
            "role": "assistant",
            "content": None,
            "reasoning_details": [
                {"type": "reasoning.text", "text": "a", "signature": "s", "format": "anthropic-claude-v1", "index": 0},
                {"type": "reasoning.odd", "x": 1},
            ],
            "tool_calls": [CALL, {"type": "mcp", "x": 1}],
        },
        {"role": "tool", "tool_call_id": "1", "content": "ok"},
        {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "a"}, IMAGE_WIRE]},
        {"role": "function", "name": "f", "content": "ok"},
        {"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "odd"}]},
        {"role": "system", "content": [{"type": "text", "text": "a"}, {"type": "odd"}]},
    ],
)
def test_a_message_of_this_protocol_comes_back(message: dict[str, Any]) -> None:
    body, losses = encode(decode(messages=[message]), FULL)
    assert body["messages"] == [message]
    assert losses == []


def test_a_legacy_call_and_its_result_stay_legacy() -> None:
    wire = [
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "ok"},
    ]
    assert encode(decode(messages=wire))[0]["messages"] == wire


def test_instructions_are_one_system_message_without_the_billing_line() -> None:
    told, losses = messages(
        user(TextPart("hi")),
        instructions=(TextPart("x-anthropic-billing-header: cch=1"), TextPart("A"), TextPart("B", CacheHint())),
    )
    assert told[0] == {"role": "system", "content": "A\n\nB"}
    assert losses == ["dropped:system[0]", "dropped:system[2].cache_control"]


def test_instructions_stay_parts_where_their_marks_are_taken() -> None:
    told, losses = messages(
        instructions=(TextPart("A"), TextPart("B", CacheHint())), dialect=Dialect(cache_control=True)
    )
    marked = {"type": "text", "text": "B", "cache_control": {"type": "ephemeral"}}
    assert told == [{"role": "system", "content": [{"type": "text", "text": "A"}, marked]}]
    assert losses == []


def test_a_developer_is_the_system_where_only_that_is_known() -> None:
    told, losses = messages(Message("developer", (TextPart("A"),)), dialect=Dialect(developer_role=False))
    assert told == [{"role": "system", "content": "A"}]
    assert losses == ["emulated:messages[0].role"]


def test_system_text_in_the_middle_stays_there() -> None:
    told, losses = messages(user(TextPart("a")), Message("system", (TextPart("b"), IMAGE)), user(TextPart("c")))
    assert [message["role"] for message in told] == ["user", "system", "user"]
    assert losses == ["dropped:messages[1].content[1]"]


def test_tool_results_come_first_one_message_each() -> None:
    told, losses = messages(
        assistant(ToolCallPart("1", "f", "{}"), ToolCallPart("2", "f", "{}")),
        user(ToolResultPart("1", (TextPart("a"),)), ToolResultPart("2", (TextPart("b"),)), TextPart("go on")),
    )
    assert told[1:] == [
        {"role": "tool", "tool_call_id": "1", "content": "a"},
        {"role": "tool", "tool_call_id": "2", "content": "b"},
        {"role": "user", "content": "go on"},
    ]
    assert losses == []


def test_images_of_results_follow_after_all_of_them() -> None:
    told, losses = messages(
        user(ToolResultPart("1", (TextPart("a"), IMAGE)), ToolResultPart("2", (TextPart("b"),))),
        Message("tool", (ToolResultPart("3"),)),
        assistant(TextPart("seen")),
    )
    assert [message["role"] for message in told] == ["tool", "tool", "tool", "user", "assistant"]
    assert told[0]["content"][1]["text"] == "[The image follows in the next user message.]"
    assert told[3]["content"] == [{"type": "text", "text": "The image that tool call 1 returned:"}, IMAGE_WIRE]
    assert losses == ["emulated:messages[0].content[0].content[1]"]


def test_images_of_results_lead_the_user_message_that_follows() -> None:
    told, _ = messages(user(ToolResultPart("1", (IMAGE,)), TextPart("what is it?")))
    assert [message["role"] for message in told] == ["tool", "user"]
    assert told[1]["content"][1:] == [IMAGE_WIRE, {"type": "text", "text": "what is it?"}]
    native, losses = messages(user(ToolResultPart("1", (IMAGE,))), dialect=FULL)
    assert native == [{"role": "tool", "tool_call_id": "1", "content": [IMAGE_WIRE]}]
    assert losses == []


@pytest.mark.parametrize(
    ("content", "told"),
    [((TextPart("boom"),), "Error: boom"), ((TextPart("error: boom"),), "error: boom"), ((), "Error")],
)
def test_an_error_says_so(content: tuple[TextPart, ...], told: str) -> None:
    out, losses = messages(user(ToolResultPart("1", content, is_error=True)))
    assert out == [{"role": "tool", "tool_call_id": "1", "content": told}]
    assert losses == ["emulated:messages[0].content[0].is_error"]


def test_foreign_blocks_in_results_become_text() -> None:
    reference = OpaquePart("anthropic_messages", "tool_reference", {"type": "tool_reference", "tool_name": "read"})
    blob = OpaquePart("anthropic_messages", "blob", {"x": 1})
    told, losses = messages(user(ToolResultPart("1", (reference, blob))))
    assert [entry["text"] for entry in told[0]["content"]] == ["read", '{"x":1}']
    assert len(losses) == 2


def test_order_between_text_and_calls_is_a_loss() -> None:
    told, losses = messages(assistant(ToolCallPart("1", "f", ""), TextPart("then")))
    assert told == [{"role": "assistant", "content": "then", "tool_calls": [CALL]}]
    assert losses == ["approximated:messages[0].content[1]"]
    assert messages(user(TextPart("a"), ToolResultPart("1")))[1] == ["approximated:messages[0].content[1]"]


THOUGHT = ReasoningPart("so", OpaqueState("anthropic_messages", "sig"))


@pytest.mark.parametrize(
    ("echo", "first", "second"), [("always", True, True), ("tool_turn", False, True), ("never", False, False)]
)
def test_reasoning_goes_back_when_the_upstream_wants_it(echo: Any, first: bool, second: bool) -> None:
    told, losses = messages(
        assistant(THOUGHT, TextPart("a")),
        user(TextPart("b")),
        assistant(THOUGHT, ToolCallPart("1", "f", "{}")),
        user(ToolResultPart("1")),
        dialect=Dialect(echo_reasoning=echo),
    )
    assert ("reasoning_content" in told[0], "reasoning_content" in told[2]) == (first, second)
    assert losses == [
        "dropped:messages[0].content[0]" + (".state" if first else ""),
        "dropped:messages[2].content[0]" + (".state" if second else ""),
    ]


@pytest.mark.parametrize(
    ("dialect", "sent"),
    [
        (Dialect(echo_reasoning="always"), {"reasoning_content": ""}),
        (Dialect(echo_reasoning="tool_turn", reasoning_field="reasoning"), {"reasoning": ""}),
        (Dialect(echo_reasoning="always", empty_reasoning=False), {}),
        (Dialect(echo_reasoning="always", reasoning_details=True), {}),
        (Dialect(echo_reasoning="always", reasoning_field="none"), {}),
        (Dialect(), {}),
    ],
)
def test_reasoning_before_a_call_that_nobody_knows_is_empty(dialect: Dialect, sent: Any) -> None:
    told, losses = messages(assistant(ToolCallPart("1", "f", "{}")), dialect=dialect)
    assert {key: told[0][key] for key in told[0] if key.startswith("reasoning")} == sent
    assert losses == []
    said, _ = messages(assistant(TextPart("a")), dialect=dialect)
    assert not any(key.startswith("reasoning") for key in said[0])


@pytest.mark.parametrize(
    ("part", "loss"),
    [
        (ToolCallPart("s", "web_search", "{}", "hosted"), "dropped:messages[0].content[0]"),
        (OpaquePart("anthropic_messages", "web_search_tool_result", {}), "dropped:messages[0].content[0]"),
        (MediaPart("document", text="x"), "dropped:messages[0].content[0]"),
        (TextPart("x", citations=(Citation("anthropic_messages", {}),)), "dropped:messages[0].content[0].citations[0]"),
        (TextPart("x", extras={"anthropic_messages": {"y": 1}}), "dropped:messages[0].content[0].y"),
        (
            ToolCallPart("1", "f", "{}", extras={"anthropic_messages": {"caller": 1}}),
            "dropped:messages[0].content[0].caller",
        ),
        (ToolCallPart("1", "f", "{}", cache=CacheHint()), "dropped:messages[0].content[0].cache_control"),
        (ToolCallPart("1", "f.x", "{}"), "emulated:messages[0].content[0].name"),
        (RefusalPart("no", {"anthropic_messages": {"y": 1}}), "dropped:messages[0].content[0].y"),
    ],
)
def test_what_an_assistant_message_cannot_say_is_a_loss(part: Part, loss: str) -> None:
    assert messages(assistant(part), Message("user", (TextPart("go on"),)))[1] == [loss]


def test_a_conversation_of_which_nothing_is_left_is_refused() -> None:
    with pytest.raises(FailureError, match=r"nothing in them can be sent to this model: messages\[0\]"):
        messages(assistant(MediaPart("document", text="x")))


def test_what_belongs_to_a_whole_message_of_results_is_a_loss() -> None:
    turn = Message(
        "user", (ToolResultPart("1", name="f", cache=CacheHint()),), "ann", CacheHint(), {"openai_chat": {"x": 1}}
    )
    told, losses = messages(assistant(ToolCallPart("1", "f", "{}")), turn)
    assert told[1] == {"role": "tool", "tool_call_id": "1", "content": ""}
    assert losses == [
        "dropped:messages[1].content[0].cache_control",
        "dropped:messages[1].content[0].name",
        "dropped:messages[1].name",
        "dropped:messages[1].cache_control",
        "dropped:messages[1].x",
    ]


def test_an_empty_message_is_still_a_message() -> None:
    assert messages(user(), assistant())[0] == [
        {"role": "user", "content": ""},
        {"role": "assistant", "content": ""},
    ]


def test_a_message_of_which_nothing_is_left_is_not_sent() -> None:
    """Moonshot, for one, answers 400: a message of the assistant must not be empty."""
    told, losses = messages(user(TextPart("hi")), assistant(ToolCallPart("1", "web_search", "{}", "hosted")))
    assert [message["role"] for message in told] == ["user"]
    assert losses == ["dropped:messages[1].content[0]"]


def test_an_assistant_that_only_thought_has_content_all_the_same() -> None:
    thought = ReasoningPart("so", OpaqueState("anthropic_messages", "s"))
    body, _ = encode(asking(user(TextPart("hi")), assistant(thought), user(TextPart("on"))), FULL)
    assert body["messages"][1]["content"] == ""
    assert body["messages"][1]["reasoning_details"]


def test_a_text_after_a_refusal_is_sent_before_it() -> None:
    sent, losses = messages(assistant(RefusalPart("no"), TextPart("but")))
    assert sent == [{"role": "assistant", "content": "but", "refusal": "no"}]
    assert losses == ["approximated:messages[0].content[1]"]


def test_what_a_picture_of_the_assistant_says_besides_is_a_loss() -> None:
    picture = MediaPart("image", "image/png", "AA", title="t", extras={"gemini_generate": {"x": 1}})
    sent, losses = messages(assistant(TextPart("a"), picture))
    assert sent == [{"role": "assistant", "content": "a", "images": [IMAGE_WIRE]}]
    assert losses == ["dropped:messages[0].content[1].x", "dropped:messages[0].content[1].title"]
