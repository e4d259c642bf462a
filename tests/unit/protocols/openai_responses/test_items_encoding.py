"""Messages as items of `input`."""

from typing import Any

import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.message import Message
from anykey.conversation.parts import (
    CacheHint,
    MediaPart,
    OpaquePart,
    OpaqueState,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from anykey.conversation.request import GenerateRequest
from anykey.protocols.openai_responses.dialect import Dialect
from anykey.protocols.openai_responses.items_decoding import InputReader
from anykey.protocols.openai_responses.items_encoding import InputWriter
from anykey.protocols.openai_responses.tools_decoding import ToolReader
from tests.unit.protocols.openai_responses.test_items_decoding import CLIENT_ITEMS

NAME = "openai_responses"
FULL = Dialect(reasoning_text=True, cache_breakpoints=True)


def write(
    *messages: Message, dialect: Dialect | None = None, instructions: Any = ()
) -> tuple[Any, list[Any], list[str]]:
    log = LossLog("request")
    request = GenerateRequest("m", messages, instructions=instructions)
    told, items = InputWriter(dialect or Dialect(), log).write(request)
    return told, items, [f"{loss.kind} {loss.path}" for loss in log.losses]


def again(*items: dict[str, Any]) -> list[Any]:
    messages = InputReader(ToolReader()).read(list(items))
    _, wire, losses = write(*messages, dialect=FULL)
    assert losses == []
    return wire


ITEMS: list[list[dict[str, Any]]] = [
    [{"type": "message", "role": "user", "content": "Hi"}],
    [{"type": "message", "role": "developer", "content": "Hi", "x": 1}],
    [
        {"type": "message", "role": "assistant", "content": "I look.", "phase": "commentary"},
        {"type": "message", "role": "assistant", "content": "So it is.", "phase": "final_answer"},
    ],
    [
        {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}", "namespace": "ns"},
        {"type": "custom_tool_call", "call_id": "d", "name": "g", "input": "text", "caller": {"type": "direct"}},
        {"type": "function_call_output", "call_id": "c", "output": "done"},
        {"type": "custom_tool_call_output", "call_id": "d", "output": "done"},
        {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
    ],
    [
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}},
        {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "QUJD"},
        {"type": "computer_call_output", "call_id": "x", "output": {}},
        {"type": "message", "role": "user", "content": [{"type": "odd", "x": 1}]},
    ],
]


@pytest.mark.parametrize("items", ITEMS)
def test_items_come_back(items: list[dict[str, Any]]) -> None:
    assert again(*items) == items


@pytest.mark.parametrize(("call", "output"), [row[:2] for row in CLIENT_ITEMS])
def test_client_run_tools_come_back(call: dict[str, Any], output: dict[str, Any]) -> None:
    wire_call, wire_output = again(call, output)
    assert {**wire_call, "status": "completed"} == {**call, "status": "completed"}
    assert {"call_id": "c", **wire_output} == {
        key: value for key, value in {**output, "call_id": "c"}.items() if key != "id"
    }


def test_client_run_tools_are_functions_where_the_server_does_not_know_them() -> None:
    call, output = CLIENT_ITEMS[1][:2]
    messages = InputReader(ToolReader()).read([call, output])
    _, wire, losses = write(*messages, dialect=Dialect(native_tools=False))
    assert [item["type"] for item in wire] == ["function_call", "function_call_output"]
    assert wire[0]["name"] == "shell"
    assert wire[1]["output"] == '[{"stdout":"a","stderr":""}]'
    assert losses == []


def test_arguments_that_fit_no_item_stay_a_function_call() -> None:
    _, wire, _ = write(Message("assistant", (ToolCallPart("c", "shell", "rm", "shell"),)))
    assert wire == [{"type": "function_call", "call_id": "c", "name": "shell", "arguments": "rm"}]


def test_what_a_shell_gave_elsewhere_is_its_output() -> None:
    call = Message("assistant", (ToolCallPart("c", "shell", "{}", "shell"),))
    _, wire, _ = write(call, Message("tool", (ToolResultPart("c", (TextPart("a"),), kind="shell"),)))
    assert wire[1]["output"] == [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]


def test_instructions() -> None:
    parts = (TextPart("a"), TextPart("x-anthropic-billing-header: 1"), TextPart("b"))
    assert write(instructions=parts) == ("a\n\nb", [], ["dropped instructions[1]"])
    marked = (TextPart("a", CacheHint()),)
    told, items, _ = write(instructions=marked, dialect=FULL)
    assert (told, items[0]["role"]) == (None, "developer")
    told, items, _ = write(instructions=(TextPart("a"),), dialect=Dialect(instructions=False, developer_role=False))
    assert (told, items) == (None, [{"type": "message", "role": "system", "content": "a"}])


def test_results_and_words_of_a_user_keep_their_order() -> None:
    user = Message("user", (ToolResultPart("c", (TextPart("1"),)), TextPart("Go on."), ToolResultPart("d", ())))
    _, wire, losses = write(
        Message("assistant", (ToolCallPart("c", "f", ""), ToolCallPart("d", "g", "x", "custom"))), user
    )
    assert [item["type"] for item in wire[2:]] == ["function_call_output", "message", "custom_tool_call_output"]
    assert wire[0]["arguments"] == "{}"
    assert losses == []


def test_pictures_of_results_may_have_to_follow() -> None:
    result = ToolResultPart("c", (MediaPart("image", "image/png", "QUJD"),))
    _, wire, losses = write(
        Message("tool", (result,)), Message("user", (TextPart("Hi"),)), dialect=Dialect(media_results=False)
    )
    assert [item.get("role") for item in wire] == [None, "user", "user"]
    assert losses == ["emulated messages[0].content[0].content[0]"]


def test_reasoning_goes_back_to_who_made_it() -> None:
    own = ReasoningPart("t", OpaqueState(NAME, "gAAA"))
    foreign = ReasoningPart("t", OpaqueState("anthropic_messages", "sig"))
    path = "messages[0].content[0]"
    item = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "t"}]}
    assert write(Message("assistant", (own,)))[1:] == ([{**item, "encrypted_content": "gAAA"}], [])
    assert write(Message("assistant", (foreign,)))[1:] == ([], [f"dropped {path}.state", f"dropped {path}"])
    assert write(Message("assistant", (foreign,)), dialect=FULL)[1:] == ([item], [f"dropped {path}.state"])
    assert write(Message("assistant", (own,)), dialect=Dialect(include_encrypted=False))[1] == []


@pytest.mark.parametrize(
    ("message", "losses"),
    [
        (Message("user", (TextPart("a"),), name="n"), ["dropped messages[0].name"]),
        (Message("assistant", (TextPart("a"),), name="n"), ["dropped messages[0].name"]),
        (Message("user", (TextPart("a"),), cache=CacheHint()), ["dropped messages[0].cache_control"]),
        (Message("user", (TextPart("a"),), extras={"openai_chat": {"x": 1}}), ["dropped messages[0].x"]),
        (Message("assistant", (ToolCallPart("c", "web", "{}", "hosted"),)), ["dropped messages[0].content[0]"]),
        (Message("assistant", (MediaPart("audio", file_id="f"),)), ["dropped messages[0].content[0]"]),
        (Message("assistant", (OpaquePart("openai_chat", "x", {}),)), ["dropped messages[0].content[0]"]),
        (Message("assistant", (ToolCallPart("c" * 65, "f", "{}"),)), ["emulated messages[0].content[0].id"]),
        (Message("assistant", (ToolCallPart("c", "a.b", "{}"),)), ["emulated messages[0].content[0].name"]),
        (
            Message("assistant", (ToolCallPart("c", "f", "{}", cache=CacheHint()),)),
            ["dropped messages[0].content[0].cache_control"],
        ),
        (
            Message("tool", (ToolResultPart("c", (), name="f"),), name="n"),
            ["dropped messages[0].content[0].name", "dropped messages[0].name"],
        ),
    ],
)
def test_what_is_not_carried_is_a_loss(message: Message, losses: list[str]) -> None:
    assert write(message)[2] == losses


def test_a_developer_may_have_to_be_the_system() -> None:
    _, wire, losses = write(Message("developer", (TextPart("a"),)), dialect=Dialect(developer_role=False))
    assert (wire[0]["role"], losses) == ("system", ["emulated messages[0].role"])


def test_texts_of_one_message_are_one_item() -> None:
    _, wire, _ = write(
        Message("assistant", (TextPart("a"), RefusalPart("b"), ToolCallPart("c", "f", "{}"), TextPart("d")))
    )
    assert [item["type"] for item in wire] == ["message", "function_call", "message"]
    assert [entry["type"] for entry in wire[0]["content"]] == ["output_text", "refusal"]


def test_what_a_message_says_of_itself_is_a_loss_where_nothing_of_it_is_left() -> None:
    block = OpaquePart("anthropic_messages", "x_block", {"type": "x_block"})
    extras = {"anthropic_messages": {"x": 1}}
    _, _, losses = write(Message("user", (block,), extras=extras), Message("user", (TextPart("a"),)))
    assert losses == ["dropped messages[0].content[0]", "dropped messages[0].x"]


def test_what_a_message_of_results_says_of_itself_is_a_loss_whoever_sends_it() -> None:
    call = Message("assistant", (ToolCallPart("c", "f", "{}"),))
    result = Message("user", (ToolResultPart("c", (TextPart("a"),)),), extras={"gemini_generate": {"x": 1}})
    _, _, losses = write(call, result)
    assert losses == ["dropped messages[1].x"]


def test_a_part_that_only_looks_like_a_text_is_no_string() -> None:
    block = {"type": "x_text", "text": "a"}
    _, items, _ = write(Message("user", (OpaquePart("openai_responses", "x_text", block),)))
    assert items == [{"type": "message", "role": "user", "content": [block]}]
