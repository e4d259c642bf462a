"""Calls of client-run tools as items and as functions."""

import json
from typing import Any

import pytest

from anykey.conversation.parts import ToolCallPart
from anykey.protocols.openai_responses.client_tools import CLIENT_TOOLS, arguments_of, call_fields, is_client_call

CALLS: list[tuple[Any, str, dict[str, Any]]] = [
    (
        "apply_patch",
        '{"operation":{"type":"delete_file","path":"a"}}',
        {"type": "apply_patch_call", "operation": {"type": "delete_file", "path": "a"}},
    ),
    ("shell", '{"commands":["ls"]}', {"type": "shell_call", "action": {"commands": ["ls"]}}),
    (
        "local_shell",
        '{"env":{},"command":["ls"]}',
        {"type": "local_shell_call", "action": {"type": "exec", "env": {}, "command": ["ls"]}},
    ),
    ("tool_search", '{"query":"q"}', {"type": "tool_search_call", "execution": "client", "arguments": {"query": "q"}}),
]


@pytest.mark.parametrize(("kind", "arguments", "fields"), CALLS)
def test_a_call_is_an_item_and_back(kind: Any, arguments: str, fields: dict[str, Any]) -> None:
    item = call_fields(ToolCallPart("c", kind, arguments, kind))
    assert item == {"call_id": "c", **fields}
    assert json.loads(arguments_of(CLIENT_TOOLS[kind], item[CLIENT_TOOLS[kind].key])) == json.loads(arguments)


def test_a_model_may_leave_out_what_is_around_the_operation() -> None:
    item = call_fields(ToolCallPart("c", "apply_patch", '{"type":"delete_file","path":"a"}', "apply_patch"))
    assert item["operation"] == {"type": "delete_file", "path": "a"}


@pytest.mark.parametrize("arguments", ["{", "[1]", "[" * 100_000])
def test_arguments_that_are_no_object_make_no_item(arguments: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        call_fields(ToolCallPart("c", "shell", arguments, "shell"))


def test_who_runs_a_call() -> None:
    search = {"type": "tool_search_call"}
    assert is_client_call({**search, "execution": "client"})
    assert is_client_call({**search, "call_id": "c"})
    assert not is_client_call({**search, "execution": "server", "call_id": "c"})
    assert not is_client_call(search)
    assert is_client_call({"type": "shell_call"})
    assert is_client_call({"type": "shell_call", "environment": {"type": "local"}})
    assert not is_client_call({"type": "shell_call", "environment": {"type": "container_auto"}})
