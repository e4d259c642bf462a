"""Reading a file with the tool that each coding program offers."""

from typing import Any

import pytest

from anykey.demo.files import file_asked_for, first_line, reading_call, working_directory
from anykey.demo.prompt import Prompt, Tool, Turn

CLAUDE_READ = Tool(
    "Read",
    "Reads a file",
    {
        "type": "object",
        "properties": {
            "file_path": {"type": "string", "description": "The absolute path to the file to read"},
            "limit": {"type": "integer"},
        },
        "required": ["file_path"],
    },
)
OPENCODE_READ = Tool(
    "read",
    "",
    {"properties": {"filePath": {"type": "string", "description": "The absolute path"}}, "required": ["filePath"]},
)
CONTINUE_READ = Tool(
    "Read", "", {"properties": {"filepath": {"type": "string", "description": "The path to the file to read"}}}
)
SIMPLE_READ = Tool("view", "", {"properties": {"path": {"type": "string"}}, "required": ["path"]})


def prompt(said: str, *tools: Tool, system: str = "") -> Prompt:
    return Prompt(model="demo", digest="d", turns=(Turn("system", system), Turn("user", said)), tools=tools)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("read README.md and say its first line", "README.md"),
        ("Read note.txt.", "note.txt"),
        ("please open the file src/app.py", "src/app.py"),
        ("show me `docs/a b.md`", "docs/a"),
        ("read /etc/hostname", "/etc/hostname"),
        ("read LICENSE", "LICENSE"),
        ("I read a book. It was fine.", None),
        ("already.md", None),
    ],
)
def test_the_file_a_prompt_names(said: str, name: str | None) -> None:
    assert file_asked_for(said) == name


@pytest.mark.parametrize(
    ("tool", "system", "arguments"),
    [
        (
            CLAUDE_READ,
            "# Environment\n - Primary working directory: /srv/dev/p\n - Shell: bash",
            {"file_path": "/srv/dev/p/a.txt"},
        ),
        (OPENCODE_READ, "<env>\n  Working directory: /w\n</env>", {"filePath": "/w/a.txt"}),
        (CLAUDE_READ, "I'm currently working in the directory: /q", {"file_path": "/q/a.txt"}),
        (CLAUDE_READ, "<cwd>/c/</cwd>", {"file_path": "/c/a.txt"}),
        (CLAUDE_READ, "cwd: C:\\work", {"file_path": "C:\\work\\a.txt"}),
        (CLAUDE_READ, "", {"file_path": "a.txt"}),
        (SIMPLE_READ, "Working directory: /w", {"path": "a.txt"}),
    ],
)
def test_the_call_that_reads_it(tool: Tool, system: str, arguments: dict[str, str]) -> None:
    assert reading_call(prompt("read a.txt", tool, system=system)) == (tool.name, arguments)


def test_a_path_that_need_not_be_absolute_stays_as_said() -> None:
    tool = Tool("fetch_reader", "", {"properties": {"path": {"type": ["string", "null"]}}})
    assert reading_call(prompt("read ./a.txt", tool, system="cwd: /w")) == ("fetch_reader", {"path": "./a.txt"})


def test_the_plain_reader_is_preferred_and_others_are_not_used() -> None:
    board = Tool("board_read", "", {"properties": {"since": {"type": "string"}}})
    write = Tool("write", "", {"properties": {"path": {"type": "string"}}})
    media = Tool("read_media_file", "", {"properties": {"path": {"type": "string"}}})
    assert reading_call(prompt("read a.txt", board, write)) is None
    found = reading_call(prompt("read a.txt", board, write, media, SIMPLE_READ))
    assert found == ("view", {"path": "a.txt"})


def test_other_required_arguments_get_the_smallest_value() -> None:
    parameters: dict[str, Any] = {
        "properties": {"path": {"type": "string"}, "offset": {"type": "integer", "minimum": 1}},
        "required": ["path", "offset"],
    }
    assert reading_call(prompt("read a.txt", Tool("read", "", parameters))) == ("read", {"path": "a.txt", "offset": 1})


@pytest.mark.parametrize(
    ("result", "line"),
    [
        ("# anykey\nmore", "# anykey"),
        ("     1→# anykey\n     2→more", "# anykey"),
        ("1\tSECRET-WORD: zebra\n2\t", "SECRET-WORD: zebra"),
        ("<path>/w/a</path>\n<type>file</type>\n<content>\n1: # anykey\n</content>", "# anykey"),
        ("<file>\n00001| # anykey\n</file>", "# anykey"),
        ("\n\n  x\n", "x"),
        ("1: not a line number", "1: not a line number"),
        ("", ""),
    ],
)
def test_the_first_line_behind_numbers_and_tags(result: str, line: str) -> None:
    assert first_line(result) == line


def test_the_first_text_that_names_a_directory_counts() -> None:
    assert working_directory(["nothing", "Working directory: /a", "cwd: /b"]) == "/a"
    assert working_directory(["runs in the current working directory."]) is None
