"""Reads golden cases out of Markdown: a heading is a case, its fenced blocks say what goes in and what must come out.

The format is told in README.md beside this file. A file that does not keep to it is refused with its name and line, so that
no case is silently left out.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.eventstream import event, exception

CASES = Path(__file__).parent / "cases"
ANY = "<any>"
"""In an expected value: whatever stands there is right."""

_DIRECTION = re.compile(r"client: (\w+) · upstream: (\w+)(?: · dialect: (\{.*\}))?")
_FENCE = re.compile(r"```(json|sse|events|text) ([a-z ]+?)(?: status (\d{3}))?(?: (crlf|cut))?")
_SECTIONS = {
    "client request": ("json",),
    "upstream request": ("json",),
    "upstream reply": ("json", "sse", "events", "text"),
    "upstream reply headers": ("json",),
    "client reply": ("json", "sse"),
    "client reply headers": ("json",),
    "client reply folded": ("json",),
    "losses": ("text",),
}


class UnreadableCase(Exception):
    """A case file does not keep to the format."""


@dataclass(frozen=True)
class Block:
    """``text`` as it stands in the file. ``flag``: ``crlf`` (line ends of the wire) or ``cut`` (it ends in mid-event)."""

    language: str
    text: str
    status: int = 200
    flag: str | None = None

    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def is_stream(self) -> bool:
        return self.language in ("sse", "events")

    def wire(self) -> bytes:
        """The bytes an upstream would send."""
        if self.language == "events":
            return b"".join(_frame(line) for line in self.text.splitlines() if line.strip())
        if self.language != "sse":
            return self.text.encode()
        text = self.text if self.flag == "cut" else f"{self.text}\n\n"
        return (text.replace("\n", "\r\n") if self.flag == "crlf" else text).encode()


def _frame(line: str) -> bytes:
    """`name {…}` as a message of an event stream; `!name …` as an exception with that text."""
    name, _, rest = line.partition(" ")
    return exception(name[1:], rest) if name.startswith("!") else event(name, json.loads(rest))


@dataclass
class Case:
    """One heading of a file. ``blocks`` by the name of their section."""

    file: str
    name: str
    line: int
    client: str = ""
    upstream: str = ""
    dialect: dict[str, Any] = field(default_factory=dict[str, Any])
    blocks: dict[str, Block] = field(default_factory=dict[str, Block])

    @property
    def id(self) -> str:
        return f"{self.file}: {self.name}"

    def losses(self) -> list[str]:
        """``kind:path`` of every loss the case allows, sorted."""
        block = self.blocks.get("losses")
        return sorted(line.strip() for line in block.text.splitlines() if line.strip()) if block else []


def read_all() -> list[Case]:
    """Every case of every file in ``cases/``."""
    return [case for path in sorted(CASES.glob("*.md")) for case in read_cases(path.stem, path.read_text("utf-8"))]


def read_cases(file: str, text: str) -> list[Case]:
    """The cases of one file. UnreadableCase names the line that cannot be read."""
    cases: list[Case] = []
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if line.startswith("## "):
            cases.append(Case(file, line[3:].strip(), number))
        elif line.startswith("client: ") and cases:
            _read_direction(cases[-1], line, number)
        elif line.startswith("```"):
            number = _read_block(cases[-1] if cases else None, file, lines, number)
    for case in cases:
        _check(case, f"{file}.md:{case.line}")
    if len({case.name for case in cases}) < len(cases):
        raise UnreadableCase(f"{file}.md: two cases have the same name")
    return cases


def _read_direction(case: Case, line: str, number: int) -> None:
    found = _DIRECTION.fullmatch(line.strip())
    if found is None or case.client:
        raise UnreadableCase(f"{case.file}.md:{number}: expected one 'client: … · upstream: …' line, got {line!r}")
    case.client, case.upstream = found[1], found[2]
    case.dialect = json.loads(found[3]) if found[3] else {}


def _read_block(case: Case | None, file: str, lines: list[str], number: int) -> int:
    """Read the block whose opening fence is line ``number``; the number of the line after its end."""
    where = f"{file}.md:{number}"
    found = _FENCE.fullmatch(lines[number - 1].strip())
    if case is None or found is None or found[1] not in _SECTIONS.get(found[2], ()):
        raise UnreadableCase(f"{where}: no such section: {lines[number - 1]!r}")
    if found[2] in case.blocks:
        raise UnreadableCase(f"{where}: a second {found[2]!r} in {case.name!r}")
    try:
        end = lines.index("```", number)
    except ValueError:
        raise UnreadableCase(f"{where}: the block is not closed") from None
    block = Block(found[1], "\n".join(lines[number:end]), int(found[3] or 200), found[4])
    if block.language == "json":
        try:
            block.json()
        except ValueError as error:
            raise UnreadableCase(f"{where}: {error}") from None
    case.blocks[found[2]] = block
    return end + 1


def _check(case: Case, where: str) -> None:
    """A case must ask something and expect something."""
    given = case.blocks.keys() & {"client request", "upstream reply"}
    expected = case.blocks.keys() & {"upstream request", "client reply"}
    if not case.client or not given or not expected:
        raise UnreadableCase(f"{where}: {case.name!r} needs a direction, something given and something expected")
    if "upstream request" in expected and "client request" not in given:
        raise UnreadableCase(f"{where}: {case.name!r} expects an upstream request of no client request")


@dataclass(frozen=True)
class Record:
    """One server-sent event as a client reads it. ``data`` is parsed unless it is no JSON (``[DONE]``)."""

    event: str
    data: Any


def read_events(text: str) -> list[Record]:
    """A stream of ours, strictly: every record ends with a blank line and has an ``event``, one ``data``, or is a comment."""
    if text and not text.endswith("\n\n"):
        raise AssertionError(f"the stream ends within a record: {text[-80:]!r}")
    return [_read_record(block) for block in text.split("\n\n")[:-1]]


def _read_record(block: str) -> Record:
    name, data = "", ""
    for line in block.split("\n"):
        key, _, value = line.partition(": ")
        match key:
            case "event":
                name = value
            case "data":
                data = value
            case _ if line.startswith(":"):
                return Record(":", line[1:].strip())
            case _:
                raise AssertionError(f"not a line of a stream: {line!r}")
    try:
        return Record(name, json.loads(data))
    except ValueError:
        return Record(name, data)


def masked(actual: Any, expected: Any) -> Any:
    """``actual`` with ANY wherever ``expected`` says so, ready to be compared and shown."""
    if expected == ANY:
        return ANY
    if isinstance(actual, dict) and isinstance(expected, dict):
        return {key: masked(value, expected.get(key)) for key, value in actual.items()}  # pyright: ignore[reportUnknownVariableType,reportUnknownMemberType,reportUnknownArgumentType] - parsed JSON
    if isinstance(actual, list) and isinstance(expected, list) and len(actual) == len(expected):  # pyright: ignore[reportUnknownArgumentType] - parsed JSON
        return [masked(one, other) for one, other in zip(actual, expected, strict=True)]  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType] - parsed JSON
    return actual  # pyright: ignore[reportUnknownVariableType] - parsed JSON
