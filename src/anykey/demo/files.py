"""How the demo model reads a file with the caller's own tool.

Law: pure. It finds the file a prompt asks for, the offered tool that reads files, the directory the program works
in, and, once the tool has answered, the first line of the file behind the program's line numbers.
"""

import re
from collections.abc import Iterable
from typing import Any, cast

from anykey.demo.prompt import Prompt, Tool
from anykey.demo.sample import sample

_FILE_ASKED = re.compile(
    r"\b(?:read|open|view|show|cat)\s+(?:me\s+)?(?:the\s+)?(?:file\s+|contents\s+of\s+)?[`'\"]?"
    r"([\w@~./\\:+-]*[./\\][\w./\\+-]*\w|README|LICENSE|Makefile|Dockerfile)",
    re.IGNORECASE,
)
# Claude Code says "Primary working directory: /x" in a list, OpenCode "Working directory: /x", Qwen Code
# "working in the directory: /x", Codex "<cwd>/x</cwd>".
_DIRECTORY = re.compile(
    r"(?:working(?: in the)? directory:|<cwd>|\bcwd:)\s*((?:/|[A-Za-z]:\\)[^\n<\"]*)", re.IGNORECASE
)
_READERS = ("read", "read_file", "readfile", "view", "view_file", "open_file")
_ABSOLUTE_NAMES = {"file_path", "filepath", "absolute_path"}
# Claude Code numbers lines `     1→text` or `1<tab>text`; OpenCode puts `1: text` or `00001| text` inside tags.
_NUMBER = re.compile(r"^\s*\d+(?:→|\t)")
_TAGGED_NUMBER = re.compile(r"^\s*\d+(?::|\|) ?")
_TAG = re.compile(r"^</?(?:file|content|path|type)>")


def file_asked_for(said: str) -> str | None:
    """The file that a prompt such as `read README.md` names, or None."""
    found = _FILE_ASKED.search(said)
    return found.group(1) if found else None


def reading_call(prompt: Prompt) -> tuple[str, dict[str, Any]] | None:
    """The tool name and arguments that read the file the prompt asks for, when a tool offered can."""
    name = file_asked_for(prompt.said)
    for tool in sorted(prompt.tools, key=_reader_rank) if name else ():
        parameter = path_parameter(tool)
        if name and parameter and _reader_rank(tool) <= len(_READERS):
            arguments = cast("dict[str, Any]", sample(tool.parameters) or {})
            return tool.name, {**arguments, parameter: path_for(prompt, tool, parameter, name)}
    return None


def first_line(result: str) -> str:
    """The first line with text in a tool result, without the tags and the line number around it."""
    tagged = False
    for line in result.splitlines():
        if _TAG.match(line.strip()):
            tagged = True
            continue
        text = _NUMBER.sub("", line)
        if tagged:
            text = _TAGGED_NUMBER.sub("", text)
        if text.strip():
            return text.strip()
    return ""


def working_directory(texts: Iterable[str]) -> str | None:
    """The directory that the first of the texts to name one says the program works in."""
    for text in texts:
        if found := _DIRECTORY.search(text):
            return found.group(1).strip()
    return None


def _reader_rank(tool: Tool) -> int:
    name = tool.name.lower()
    if name in _READERS:
        return _READERS.index(name)
    return len(_READERS) if "read" in name else len(_READERS) + 1


def properties(tool: Tool) -> dict[str, Any]:
    """The parameters of a tool by name, each with its schema."""
    schema: Any = tool.parameters
    return (cast("dict[str, Any]", schema) if isinstance(schema, dict) else {}).get("properties") or {}


def path_parameter(tool: Tool) -> str | None:
    """The parameter that takes the path of a file, or None."""
    texts = [name for name, schema in properties(tool).items() if is_string(schema)]
    named = [name for name in texts if "path" in name.lower() or "file" in name.lower()]
    return min(named, key=lambda name: "path" not in name.lower(), default=None)


def is_string(schema: Any) -> bool:
    """The schema allows a string."""
    kind = cast("dict[str, Any]", schema).get("type") if isinstance(schema, dict) else None
    return kind == "string" or (isinstance(kind, list) and "string" in kind)


def path_for(prompt: Prompt, tool: Tool, parameter: str, name: str) -> str:
    """The path as that parameter wants it: absolute, in the program's working directory, where it says so."""
    about = str(properties(tool)[parameter].get("description", "")).lower()
    wants_absolute = parameter.lower() in _ABSOLUTE_NAMES or "absolute" in about
    if not wants_absolute or name.startswith(("/", "~")) or name[1:3] == ":\\":
        return name
    directory = working_directory([prompt.system, *(turn.text for turn in prompt.turns)])
    if directory is None:
        return name
    separator = "\\" if ":\\" in directory else "/"
    return directory.rstrip(separator) + separator + name.removeprefix("./")
