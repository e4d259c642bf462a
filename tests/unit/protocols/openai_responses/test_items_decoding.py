"""Items of `input` as messages: whose they are, what belongs together, what cannot be read."""

from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.message import Message
from anykey.conversation.parts import (
    MediaPart,
    OpaquePart,
    OpaqueState,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from anykey.protocols.openai_responses.compaction import HEADING, SUMMARISE, summary_item
from anykey.protocols.openai_responses.items_decoding import InputReader
from anykey.protocols.openai_responses.tools_decoding import ToolReader

CALL = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}", "status": "completed"}
OUTPUT = {"type": "function_call_output", "id": "fco_1", "call_id": "c1", "output": "done"}


def read(*items: Any) -> tuple[Message, ...]:
    return InputReader(ToolReader()).read(list(items))


def test_a_string_is_what_the_user_said() -> None:
    assert InputReader(ToolReader()).read("Hi") == (Message("user", (TextPart("Hi"),)),)


@pytest.mark.parametrize("role", ["user", "system", "developer"])
def test_messages_with_and_without_a_type(role: Any) -> None:
    wanted = (Message(role, (TextPart("Hi"),)),)
    assert read({"role": role, "content": "Hi"}) == wanted
    assert (
        read({"type": "message", "id": "m", "role": role, "content": [{"type": "input_text", "text": "Hi"}]}) == wanted
    )
    marked = read({"type": "message", "role": role, "content": "Hi", "metadata": {"a": 1}, "status": "completed"})
    assert marked[0].extras == {"openai_responses": {"metadata": {"a": 1}}}


def test_a_turn_of_the_assistant_is_one_message() -> None:
    messages = read(
        {"role": "user", "content": "Go"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "content": None, "encrypted_content": "gAAA"},
        {
            "type": "message",
            "role": "assistant",
            "phase": "commentary",
            "content": [{"type": "output_text", "text": "I look.", "annotations": [], "logprobs": []}],
        },
        CALL,
        {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "*** Begin", "namespace": "functions"},
        OUTPUT,
        {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "ok"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
    )
    assert messages == (
        Message("user", (TextPart("Go"),)),
        Message(
            "assistant",
            (
                ReasoningPart("", OpaqueState("openai_responses", "gAAA"), redacted=True),
                TextPart("I look.", extras={"openai_responses": {"message": {"phase": "commentary"}}}),
                ToolCallPart("c1", "f", "{}"),
                ToolCallPart("c2", "patch", "*** Begin", "custom", namespace="functions"),
            ),
        ),
        Message(
            "tool",
            (
                ToolResultPart("c1", (TextPart("done"),)),
                ToolResultPart("c2", (TextPart("ok"),), kind="custom"),
            ),
        ),
        Message("assistant", (RefusalPart("No."),)),
    )


def test_a_call_keeps_what_has_no_field() -> None:
    (message,) = read(
        {**CALL, "namespace": "ns", "status": "incomplete", "caller": {"type": "direct"}, "arguments": {"a": 1}}
    )
    assert message.parts == (
        ToolCallPart(
            "c1",
            "f",
            '{"a":1}',
            namespace="ns",
            extras={"openai_responses": {"status": "incomplete", "caller": {"type": "direct"}}},
        ),
    )


CLIENT_ITEMS: list[tuple[dict[str, Any], dict[str, Any], str, str, str]] = [
    (
        {
            "type": "apply_patch_call",
            "call_id": "c",
            "operation": {"type": "delete_file", "path": "a"},
            "status": "completed",
        },
        {"type": "apply_patch_call_output", "call_id": "c", "status": "failed", "output": "no such file"},
        "apply_patch",
        '{"operation":{"type":"delete_file","path":"a"}}',
        "no such file",
    ),
    (
        {"type": "shell_call", "call_id": "c", "action": {"commands": ["ls"], "timeout_ms": 5}},
        {"type": "shell_call_output", "call_id": "c", "output": [{"stdout": "a", "stderr": ""}]},
        "shell",
        '{"commands":["ls"],"timeout_ms":5}',
        '[{"stdout":"a","stderr":""}]',
    ),
    (
        {"type": "local_shell_call", "call_id": "c", "action": {"type": "exec", "command": ["ls"], "env": {}}},
        {"type": "local_shell_call_output", "id": "c", "output": "a"},
        "local_shell",
        '{"command":["ls"],"env":{}}',
        "a",
    ),
    (
        {"type": "tool_search_call", "call_id": "c", "execution": "client", "arguments": {"query": "q"}},
        {"type": "tool_search_output", "call_id": "c", "execution": "client", "tools": []},
        "tool_search",
        '{"query":"q"}',
        "[]",
    ),
]


@pytest.mark.parametrize(("call", "output", "kind", "arguments", "text"), CLIENT_ITEMS)
def test_tools_that_the_client_runs(call: Any, output: Any, kind: Any, arguments: str, text: str) -> None:
    first, second = read(call, output)
    assert first.parts == (ToolCallPart("c", kind, arguments, kind),)
    assert second.parts == (ToolResultPart("c", (TextPart(text),), is_error=kind == "apply_patch", kind=kind),)


def test_found_tools_can_be_called() -> None:
    tools = ToolReader()
    found: dict[str, Any] = {
        "type": "namespace",
        "name": "ns",
        "tools": [{"type": "function", "name": "f", "defer_loading": True}],
    }
    call, output = CLIENT_ITEMS[3][0], {**CLIENT_ITEMS[3][1], "tools": [found]}
    InputReader(tools).read([call, output])
    assert [(tool.name, getattr(tool, "namespace", None)) for tool in tools.tools] == [("f", "ns")]
    assert tools.layout() == {"loaded": [["ns", "f"]]}


def test_additional_tools_are_tools_and_remember_their_place() -> None:
    tools = ToolReader()
    item = {
        "type": "additional_tools",
        "id": "at_1",
        "role": "developer",
        "tools": [{"type": "custom", "name": "exec"}],
    }
    messages = InputReader(tools).read(
        [{"role": "developer", "content": "Be good."}, item, {"role": "user", "content": "Hi"}]
    )
    assert [message.role for message in messages] == ["developer", "user"]
    assert [tool.name for tool in tools.tools] == ["exec"]
    assert tools.layout() == {"additional_tools": [[1, [[None, "exec"]]]]}


def test_what_the_provider_ran_is_kept_whole_in_its_place() -> None:
    search: dict[str, Any] = {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "q"},
    }
    server: dict[str, Any] = {"type": "tool_search_call", "call_id": None, "execution": "server", "arguments": {}}
    found: dict[str, Any] = {"type": "tool_search_output", "call_id": None, "execution": "server", "tools": []}
    shell: dict[str, Any] = {
        "type": "shell_call",
        "call_id": "s",
        "action": {"commands": []},
        "environment": {"type": "container_auto"},
    }
    shown: dict[str, Any] = {"type": "shell_call_output", "call_id": "s", "output": []}
    screen: dict[str, Any] = {"type": "computer_call_output", "call_id": "x", "output": {"type": "computer_screenshot"}}
    turn, user = read(search, server, found, shell, shown, {"role": "assistant", "content": "So."}, screen)
    assert turn.parts == (
        *(OpaquePart("openai_responses", item["type"], item) for item in (search, server, found, shell, shown)),
        TextPart("So."),
    )
    assert user == Message("user", (OpaquePart("openai_responses", "computer_call_output", screen),))


def test_a_picture_that_was_made_is_a_medium() -> None:
    (message,) = read({"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "QUJD"})
    rest = {"id": "ig_1", "status": "completed"}
    assert message.parts == (
        MediaPart("image", "image/png", "QUJD", extras={"openai_responses": {"image_generation_call": rest}}),
    )


def test_compaction() -> None:
    foreign: dict[str, Any] = {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAA"}
    assert read(foreign)[0].parts == (OpaquePart("openai_responses", "compaction", foreign),)
    assert read(summary_item("Käse")) == (Message("user", (TextPart(HEADING + "Käse"),)),)
    reader = InputReader(ToolReader())
    assert reader.read([{"type": "compaction_trigger"}]) == (Message("user", (TextPart(SUMMARISE),)),)
    assert reader.compaction


def test_settings_that_change_on_the_way() -> None:
    reader = InputReader(ToolReader())
    update = {"type": "configuration_update", "reasoning": {"effort": "high"}}
    reader.read([update, {"role": "user", "content": "x"}, {**update, "reasoning": {"effort": "low"}}])
    assert reader.updates == {"reasoning": {"effort": "low"}}


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([OUTPUT], r"input\[0\]\.call_id: no call with the call_id 'c1'"),
        ([{"type": "item_reference", "id": "rs_1"}], r"input\[0\]: an item can be referred to"),
        ([{"id": "rs_1"}], r"input\[0\]: an item can be referred to"),
        ([{"role": "tool", "content": "x"}], r"input\[0\]\.role: 'tool' is not a role"),
        ([{"type": 3}], r"input\[0\]\.type: expected a string"),
        (["x"], r"input\[0\]: expected an object"),
        ([{**CALL, "name": None}], r"input\[0\]\.name: this field is required"),
        ([{"type": "compaction", "encrypted_content": "akc1.!"}], r"input\[0\]\.encrypted_content"),
    ],
)
def test_what_cannot_be_read_is_named(items: list[Any], message: str) -> None:
    with pytest.raises(FailureError, match=message):
        read(*items)


def test_an_output_may_name_its_call_by_id() -> None:
    with pytest.raises(FailureError, match="call_id: this field is required"):
        read(CALL, {"type": "function_call_output", "output": "x"})


def test_an_unknown_item_is_kept_whole() -> None:
    item: dict[str, Any] = {"type": "agent_message", "content": [{"text": "x"}]}
    assert read(item)[0].parts == (OpaquePart("openai_responses", "agent_message", item),)
    (message,) = read({"role": "assistant", "content": [{"type": "odd", "x": 1}]})
    wrapped = {"type": "message", "role": "assistant", "content": [{"type": "odd", "x": 1}]}
    assert message.parts == (OpaquePart("openai_responses", "message", wrapped),)


@pytest.mark.parametrize("kind", [{}, {"type": "message"}])
def test_what_a_message_says_besides_is_kept(kind: dict[str, str]) -> None:
    (message,) = read({**kind, "role": "user", "content": "Hi", "x": 1})
    assert message.extras == {"openai_responses": {"x": 1}}
