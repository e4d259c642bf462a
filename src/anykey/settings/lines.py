"""Finds the line of a key in a TOML text that `tomllib` has already accepted.

`tomllib` gives values without their places. This scanner only looks for headers and keys; because the text is
known to be valid, it can step over values without understanding them.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence

Path = tuple[str, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_KEY = re.compile(r"[ \t]*(?:\"((?:[^\"\\\n]|\\.)*)\"|'([^'\n]*)'|([A-Za-z0-9_-]+))[ \t]*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^\"'#\[\]{}\n]+")


class KeyLines:
    """The lines (from 1) of all keys and table headers of one text."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {}
        self._implied: dict[Path, int] = {}
        self._text = text
        self._scan()

    def line_of(self, path: Sequence[str]) -> int:
        """Return the line of `path`, or of the nearest thing around it that has a line of its own, else 0."""
        for length in range(len(path), 0, -1):
            part = tuple(path[:length])
            line = self._lines.get(part, self._implied.get(part))
            if line is not None:
                return line
        return 0

    def lines(self) -> Mapping[Path, int]:
        """Return all paths written out, with their lines."""
        return self._lines

    def _scan(self) -> None:
        text, table, at = self._text, (), 0
        while (at := _match_end(_BLANK, text, at)) < len(text):
            if text[at] == "[":
                start = at + 2 if text.startswith("[[", at) else at + 1
                table, after = self._key_path(start)
                self._record(table, at)
                if start == at + 2:
                    table = self._entry(table)
                    self._record(table, at)
                at = after + (start - at)
            else:
                path, after = self._key_path(at)
                self._record(table + path, at)
                at = self._value_end(after + 1)

    def _entry(self, path: Path) -> Path:
        """The path of one more entry of the array of tables at `path`: entries are counted from 1."""
        number = 1
        while (*path, str(number)) in self._lines:
            number += 1
        return (*path, str(number))

    def _record(self, path: Path, at: int) -> None:
        line = self._text.count("\n", 0, at) + 1
        self._lines.setdefault(path, line)
        for length in range(1, len(path)):
            # `[a.b]` makes a table `a` that may never be written out itself.
            self._implied.setdefault(path[:length], line)

    def _key_path(self, at: int) -> tuple[Path, int]:
        """Read a dotted key; return its parts and the place of what follows it (`=` or `]`)."""
        parts: list[str] = []
        while True:
            found = _KEY.match(self._text, at)
            if found is None:
                return tuple(parts), at
            quoted, literal, bare = found.groups()
            parts.append(_unescaped(quoted) if quoted is not None else literal if literal is not None else bare)
            at = found.end()
            if not self._text.startswith(".", at):
                return tuple(parts), at
            at += 1

    def _value_end(self, at: int) -> int:
        """Return the place of the newline (or end) after the value that starts at `at`."""
        text, depth = self._text, 0
        while at < len(text):
            mark = text[at]
            if mark == "\n" and depth == 0:
                return at
            if mark == "#":
                at = text.find("\n", at) if "\n" in text[at:] else len(text)
                continue
            depth += (mark in "[{") - (mark in "]}")
            step = _STRING if mark in "\"'" else _PLAIN
            at = max(_match_end(step, text, at), at + 1)
        return at


def _match_end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _unescaped(quoted: str) -> str:
    """Undo the escapes of a basic string key; rare enough to leave to the TOML reader itself."""
    if "\\" not in quoted:
        return quoted

    return str(tomllib.loads(f'k = "{quoted}"')["k"])
