"""The text of a free-text tool where it stands in for a function's arguments: ``{"input": "…"}``, cut at any letter.

The text is told while it comes in, so it is told before anyone knows whether the JSON around it is whole. What has no
``input`` first is kept until its end: another key may come before it, and what is no such object at all is told as it is.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec

OPENING = '{"input":"'
_SPACE = " \t\n\r"
_MAY_FOLLOW_SPACE = frozenset({0, 1, 8, 9})
"""Positions of ``OPENING`` before which JSON allows white space: its two quotes that open, the brace and the colon."""

_TOKEN = re.compile(
    r"""
      (?P<plain> [^"\\]+ )
    | (?P<end> " )
    | \\u (?P<unit> [0-9a-fA-F]{4} )
    | (?P<cut> \\ (?: u [0-9a-fA-F]{0,3} )? \Z )
    | \\ (?P<letter> . )
    """,
    re.VERBOSE | re.DOTALL,
)
"""What a JSON string is made of, and what another fragment may complete; every letter is part of one of them."""

_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_HALF = "\ufffd"
"""Stands for half of a surrogate pair, which is no text."""

_OBJECT = msgspec.json.Decoder(dict[str, Any])


class FreeTextReader:
    """Reads one call's arguments. ``feed`` and ``close`` return the text that is known since the last call; after ``close``
    ``exact`` tells whether the arguments were ``{"input": text}`` and nothing else."""

    __slots__ = ("_cut", "_high", "_kept", "_matched", "_state", "exact")

    def __init__(self) -> None:
        self.exact = True
        self._state: Literal["opening", "text", "after", "unknown"] = "opening"
        self._matched = 0  # letters of OPENING
        self._kept: list[str] = []  # what may have to be told as it is; after the text, what follows it
        self._cut = ""  # an escape that is not whole yet
        self._high = 0  # the first half of a surrogate pair

    def feed(self, fragment: str) -> str:
        """The text that ``fragment`` completes, perhaps none."""
        if self._state == "text":
            return self._read_text(fragment)
        self._kept.append(fragment)
        return self._read_opening(fragment) if self._state == "opening" else ""

    def close(self) -> str:
        """The text that could not be told before the end: all of it, where the arguments did not begin with it."""
        kept = "".join(self._kept)
        if self._state in ("text", "after"):
            self.exact &= kept.strip(_SPACE) == "}"
            return ""
        self.exact = False
        try:
            members = _OBJECT.decode(kept or "{}")
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return kept
        if not members:
            return ""  # no arguments: some upstreams write an empty object, others nothing
        text = members.get("input")
        if not isinstance(text, str):
            return kept
        self.exact = len(members) == 1
        return text

    def _read_opening(self, fragment: str) -> str:
        for position, letter in enumerate(fragment, 1):
            if letter == OPENING[self._matched]:
                self._matched += 1
                if self._matched == len(OPENING):
                    self._state = "text"
                    self._kept.clear()
                    return self._read_text(fragment[position:])
            elif letter not in _SPACE or self._matched not in _MAY_FOLLOW_SPACE:
                self._state = "unknown"
                break
        return ""

    def _read_text(self, fragment: str) -> str:
        fragment, self._cut = self._cut + fragment, ""
        told: list[str] = []
        for token in _TOKEN.finditer(fragment):
            kind, value = token.lastgroup, token[token.lastgroup or 0]
            if kind == "unit":
                told.append(self._unit(int(value, 16)))
                continue
            if kind == "cut":
                self._cut = value
                break
            if self._high:
                told.append(self._half())
            if kind == "plain":
                told.append(value)
            elif kind == "letter":
                told.append(self._escape(value))
            else:
                self._state = "after"
                self._kept.append(fragment[token.end() :])
                break
        return "".join(told)

    def _escape(self, letter: str) -> str:
        """What ``\\`` and ``letter`` mean; an escape that JSON does not have is told as it is written."""
        meaning = _ESCAPES.get(letter)
        if meaning is None:
            self.exact = False
            return "\\" + letter
        return meaning

    def _unit(self, unit: int) -> str:
        """What a UTF-16 code unit completes: nothing, if it is the first half of a pair."""
        is_low = 0xDC00 <= unit < 0xE000
        if is_low and self._high:
            high, self._high = self._high, 0
            return chr(0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00))
        before = self._half() if self._high else ""
        if is_low:
            return before + self._half()
        if 0xD800 <= unit < 0xDC00:
            self._high = unit
            return before
        return before + chr(unit)

    def _half(self) -> str:
        """Half a pair stands alone."""
        self._high = 0
        self.exact = False
        return _HALF
