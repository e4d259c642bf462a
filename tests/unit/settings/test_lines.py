"""Keys are found on their lines, whatever stands between them."""

import json
import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from anykey.settings.lines import KeyLines

TEXT = '''# a comment = 1
title = "a [not.a.header] # no comment"

[server] # a comment
port = 4000
  host.name = 'x = 1'
[ providers . "my lab" ]
kind = """
[not.a.header]
fake = 1 \\"""
"""
models = [
  "a", # ] not the end
  'b',
]
api_key = { env = "A", file = "B" }
text = \'\'\'
more = 2\'\'\'
last = 1979-05-27T07:32:00Z
[[things]]
x = 1
[[things]]
x = 2
["a\\u0041"]
y = 1'''


def test_every_key_has_its_line() -> None:
    tomllib.loads(TEXT)
    lines = {".".join(path): line for path, line in KeyLines(TEXT).lines().items()}
    assert lines == {
        "title": 2,
        "server": 4,
        "server.port": 5,
        "server.host.name": 6,
        "providers.my lab": 7,
        "providers.my lab.kind": 8,
        "providers.my lab.models": 12,
        "providers.my lab.api_key": 16,
        "providers.my lab.text": 17,
        "providers.my lab.last": 19,
        "things": 20,
        "things.1": 20,
        "things.1.x": 21,
        "things.2": 22,
        "things.2.x": 23,
        "aA": 24,
        "aA.y": 25,
    }


def test_what_has_no_line_of_its_own_is_at_what_is_around_it() -> None:
    lines = KeyLines(TEXT)
    assert lines.line_of(("providers", "my lab", "api_key", "env")) == 16
    assert lines.line_of(("providers", "my lab", "absent")) == 7
    assert lines.line_of(("absent",)) == 0
    assert KeyLines("").line_of(("a",)) == 0


def test_a_table_that_is_only_implied() -> None:
    lines = KeyLines("[a.b.c]\nx = 1\n[a.b]\ny.z = 1")
    assert [lines.line_of(path) for path in (("a",), ("a", "b"), ("a", "b", "y"))] == [1, 3, 4]


def test_windows_line_ends() -> None:
    assert KeyLines('[a]\r\nb = "x"\r\n\r\nc = 1\r\n').line_of(("a", "c")) == 4


_names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
_plain = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
_values = st.recursive(
    st.integers(-9, 9) | st.booleans() | _plain, lambda inner: st.lists(inner, max_size=3), max_leaves=6
)


@given(st.dictionaries(_names, st.dictionaries(_names, _values, max_size=4), max_size=4))
def test_any_valid_file(tables: dict[str, dict[str, Any]]) -> None:
    """Written one key a line, each key is found on the line it was written on."""
    rows: list[str] = []
    wanted: dict[tuple[str, ...], int] = {}
    for table, keys in tables.items():
        rows.append(f"[{_quoted(table)}]")
        wanted[table,] = len(rows)
        for key, value in keys.items():
            rows.append(f"{_quoted(key)} = {json.dumps(value)}")
            wanted[table, key] = len(rows)
    text = "\n".join(rows)
    assert tomllib.loads(text) == tables
    assert KeyLines(text).lines() == wanted


def _quoted(text: str) -> str:
    """A basic string with every mark escaped that TOML forbids in one; JSON leaves DEL alone and pairs surrogates."""
    plain = [mark if " " <= mark != "\x7f" and mark not in '"\\' else f"\\U{ord(mark):08X}" for mark in text]
    return '"' + "".join(plain) + '"'
