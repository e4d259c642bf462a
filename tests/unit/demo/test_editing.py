"""An edit, in the form of each kind of tool that can make it."""

import json
from typing import Any

import pytest

from anykey.demo.editing import editing_call
from anykey.demo.prompt import Prompt, Tool, Turn

NEW = "edit src/a.txt: hello there"
CHANGE = "please edit `a.txt`: old line => new line"
CREATED = "*** Begin Patch\n*** Add File: src/a.txt\n+hello there\n*** End Patch\n"
UPDATED = "*** Begin Patch\n*** Update File: a.txt\n@@\n-old line\n+new line\n*** End Patch\n"


def tool(name: str, *parameters: str) -> Tool:
    properties = {parameter: {"type": "string"} for parameter in parameters}
    return Tool(name, "", {"type": "object", "properties": properties, "required": list(parameters)})


def called(said: str, *tools: Tool) -> tuple[str, Any] | None:
    turns = (Turn("system", "Working directory: /there"), Turn("user", said))
    found = editing_call(Prompt(model="demo", digest="d", turns=turns, tools=tools))
    return (found[0], json.loads(found[1])) if found and found[1].startswith("{") else found


WRITE = tool("Write", "file_path", "content")
EDIT = tool("edit", "filePath", "oldString", "newString")
PATCH = Tool("apply_patch", free_text=True)
OPERATION = Tool("apply_patch", "", {"type": "object", "properties": {"operation": {"type": "object"}}})


@pytest.mark.parametrize(("said", "patch"), [(NEW, CREATED), (CHANGE, UPDATED)])
def test_a_patch_is_free_text_or_stands_in_a_function(said: str, patch: str) -> None:
    assert called(said, WRITE, EDIT, PATCH) == ("apply_patch", patch)
    assert called(said, tool("apply_patch", "input")) == ("apply_patch", {"input": patch})
    assert called(said, tool("apply_patch", "patch")) == ("apply_patch", {"patch": patch})


def test_a_patch_as_an_operation() -> None:
    created = {"type": "create_file", "path": "src/a.txt", "diff": "+hello there\n"}
    assert called(NEW, OPERATION) == ("apply_patch", {"operation": created})
    updated = {"type": "update_file", "path": "a.txt", "diff": "@@\n-old line\n+new line\n"}
    assert called(CHANGE, OPERATION) == ("apply_patch", {"operation": updated})


def test_whole_files_and_replacements() -> None:
    assert called(NEW, EDIT, WRITE) == ("Write", {"file_path": "/there/src/a.txt", "content": "hello there\n"})
    changed = {"filePath": "/there/a.txt", "oldString": "old line", "newString": "new line"}
    assert called(CHANGE, WRITE, EDIT) == ("edit", changed)


@pytest.mark.parametrize("said", ["edit a.txt", "edit: a.txt", "read a.txt", "the editor said: no"])
def test_other_sentences_edit_nothing(said: str) -> None:
    assert called(said, WRITE, EDIT, PATCH) is None


def test_tools_that_cannot_edit_are_left_alone() -> None:
    assert called(NEW, tool("read", "path"), Tool("exec", free_text=True)) is None
