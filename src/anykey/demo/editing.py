"""How the demo model writes a file with the caller's own tool.

Law: pure. `edit FILE: TEXT` makes a file, `edit FILE: OLD => NEW` changes a line of one. The tool is the first of those
offered that can: a patch tool as Codex has it (free text, or a function in its place), one that replaces text, one that
writes whole files.
"""

import json
import re
from typing import Any, NamedTuple, cast

from anykey.demo.files import path_for, path_parameter, properties
from anykey.demo.prompt import Prompt, Tool
from anykey.demo.sample import sample

_EDIT_ASKED = re.compile(r"\bedit\s+[`'\"]?([^\s:`'\"]+)[`'\"]?:[ \t]*(.+)", re.IGNORECASE)
_PATCH_TOOL = "apply_patch"
_CONTENT_NAMES = ("content", "contents", "file_text", "text")


class _Edit(NamedTuple):
    """`old` is the line to change, None where the file is made."""

    file: str
    old: str | None
    new: str


def editing_call(prompt: Prompt) -> tuple[str, str] | None:
    """The tool name and its arguments, JSON or free text, that make the edit the prompt asks for, when a tool can."""
    found = _EDIT_ASKED.search(prompt.said)
    if not found:
        return None
    old, arrow, new = found.group(2).strip().partition("=>")
    edit = _Edit(found.group(1), old.strip() if arrow else None, new.strip() if arrow else old.strip())
    for tool in sorted(prompt.tools, key=lambda tool: _PATCH_TOOL not in tool.name):
        if tool.free_text and _PATCH_TOOL in tool.name:
            return tool.name, _patch(edit)
        arguments = None if tool.free_text else _arguments(prompt, tool, edit)
        if arguments:
            filled = {**cast("dict[str, Any]", sample(tool.parameters) or {}), **arguments}
            return tool.name, json.dumps(filled, ensure_ascii=False, separators=(",", ":"))
    return None


def _arguments(prompt: Prompt, tool: Tool, edit: _Edit) -> dict[str, Any] | None:
    """What to fill in of a function's parameters, or None when it cannot make the edit."""
    known = properties(tool)
    if _PATCH_TOOL in tool.name:
        if "operation" in known:
            kind = "create_file" if edit.old is None else "update_file"
            return {"operation": {"type": kind, "path": edit.file, "diff": _diff(edit)}}
        return {"input" if "input" in known else "patch": _patch(edit)}
    parameter = path_parameter(tool)
    if parameter is None:
        return None
    path = {parameter: path_for(prompt, tool, parameter, edit.file)}
    if edit.old is None:
        content = next((name for name in _CONTENT_NAMES if name in known), None)
        return {**path, content: edit.new + "\n"} if content else None
    before = next((name for name in known if name.startswith("old")), None)
    after = next((name for name in known if name.startswith("new")), None)
    return {**path, before: edit.old, after: edit.new} if before and after else None


def _patch(edit: _Edit) -> str:
    verb = "Add" if edit.old is None else "Update"
    return f"*** Begin Patch\n*** {verb} File: {edit.file}\n{_diff(edit)}*** End Patch\n"


def _diff(edit: _Edit) -> str:
    return f"+{edit.new}\n" if edit.old is None else f"@@\n-{edit.old}\n+{edit.new}\n"
