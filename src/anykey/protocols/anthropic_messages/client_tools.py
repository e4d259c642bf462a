"""Tools that Anthropic defines and the client runs: a shell, an editor, a memory. The model was trained on them, so the wire has
a type and no schema; every other model is offered a function with the schema that Anthropic documents for its calls.
"""

from __future__ import annotations

from typing import NamedTuple

from anykey.conversation.parts import Json

_PATH: Json = {"type": "string", "description": "Absolute path of the file or directory."}
_RANGE: Json = {
    "type": "array",
    "items": {"type": "integer"},
    "minItems": 2,
    "maxItems": 2,
    "description": "First and last line to view, counted from 1; -1 stands for the end. For the command view.",
}


class ClientTool(NamedTuple):
    """What a model that does not know the tool has to be told."""

    description: str
    parameters: Json


def _commands(words: list[str], fields: Json) -> Json:
    command: Json = {"type": "string", "enum": words, "description": "What to do."}
    return {"type": "object", "properties": {"command": command, **fields}, "required": ["command"]}


_TEXTS: Json = {
    "file_text": {"type": "string", "description": "The content of the new file. For the command create."},
    "old_str": {"type": "string", "description": "The text to replace, which must occur once. For str_replace."},
    "new_str": {"type": "string", "description": "The text that takes its place. For str_replace."},
    "insert_line": {
        "type": "integer",
        "description": "The line after which to insert, 0 for the beginning. For insert.",
    },
}

_BASH = ClientTool(
    "Runs a command in a bash session that lasts from call to call, and answers with its output.",
    {
        "type": "object",
        "properties": {
            "command": {"type": "string", "description": "The command to run. Needed unless restart is true."},
            "restart": {"type": "boolean", "description": "Starts the session anew."},
        },
    },
)
_EDITOR = ClientTool(
    "Views, creates and edits text files.",
    _commands(
        ["view", "create", "str_replace", "insert"],
        {
            "path": _PATH,
            "view_range": _RANGE,
            **_TEXTS,
            "insert_text": {"type": "string", "description": "The text to insert. For the command insert."},
        },
    ),
)
_OLDER_EDITOR = ClientTool(
    "Views, creates and edits text files, and undoes the last edit.",
    _commands(
        ["view", "create", "str_replace", "insert", "undo_edit"], {"path": _PATH, "view_range": _RANGE, **_TEXTS}
    ),
)
_MEMORY = ClientTool(
    "Keeps notes from one conversation to the next, in files under /memories.",
    _commands(
        ["view", "create", "str_replace", "insert", "delete", "rename"],
        {
            "path": _PATH,
            "view_range": _RANGE,
            **_TEXTS,
            "insert_text": {"type": "string", "description": "The text to insert. For the command insert."},
            "old_path": {"type": "string", "description": "What to rename."},
            "new_path": {"type": "string", "description": "Its new path."},
        },
    ),
)
_TOOLS = {
    "bash_20": _BASH,
    "text_editor_20241": _OLDER_EDITOR,
    "text_editor_20250124": _OLDER_EDITOR,
    "text_editor_20": _EDITOR,
    "memory_20": _MEMORY,
}


def client_tool(kind: str) -> ClientTool | None:
    """The tool of a wire type (``bash_20250124``); None for one that the provider runs, or that nobody here knows."""
    return next((tool for prefix, tool in _TOOLS.items() if kind.startswith(prefix)), None)
