"""A call's arguments that come in pieces: Vertex names a place in the object (``jsonPath``) and what is said there next."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import msgspec

from anykey.conversation.parts import Json
from anykey.protocols.gemini_generate.spelling import is_array, is_object

_STEP = re.compile(r"""\.(?P<name>[^.\[\]]+)|\[(?P<index>\d+)\]|\[(?P<quote>['"])(?P<key>.*?)(?P=quote)\]""")
_VALUES = ("stringValue", "numberValue", "boolValue", "nullValue")


class PartialArguments:
    """One call's arguments while they come in. ``exact`` is False once a piece could not be put into its place."""

    __slots__ = ("_object", "_said", "exact")

    def __init__(self) -> None:
        self._object: Json = {}
        self._said = False
        self.exact = True

    def feed(self, pieces: Any) -> None:
        """The ``partialArgs`` of one chunk. Text for a place that holds text already goes on there."""
        for piece in pieces if is_array(pieces) else ():
            steps = _steps(piece.get("jsonPath")) if is_object(piece) else None
            if steps is None or not self._put(steps, _value(piece)):
                self.exact = False
            self._said = True

    def text(self) -> str:
        """The arguments as JSON, empty where none were said."""
        return msgspec.json.encode(self._object).decode() if self._said else ""

    def _put(self, steps: list[str | int], value: Any) -> bool:
        place: Any = self._object
        for step, following in pairwise(steps):
            inner: Any = _at(place, step)
            if inner is None:
                inner = [] if isinstance(following, int) else {}
                if not _set(place, step, inner):
                    return False
            place = inner
        present = _at(place, steps[-1])
        if isinstance(present, str) and isinstance(value, str):
            value = present + value
        return _set(place, steps[-1], value)


def _steps(path: Any) -> list[str | int] | None:
    """``$.items[0].name`` → ``["items", 0, "name"]``; None for what is no such path."""
    if not isinstance(path, str) or not path.startswith("$"):
        return None
    steps: list[str | int] = []
    position = 1
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            return None
        steps.append(int(step["index"]) if step["index"] else step["name"] or step["key"] or "")
        position = step.end()
    return steps or None


def _value(piece: Json) -> Any:
    kind = next((key for key in _VALUES if key in piece), "nullValue")
    return None if kind == "nullValue" else piece[kind]


def _at(place: Any, step: str | int) -> Any:
    if isinstance(step, int):
        return place[step] if is_array(place) and step < len(place) else None
    return place.get(step) if is_object(place) else None


def _set(place: Any, step: str | int, value: Any) -> bool:
    """Put ``value`` at ``step``; an array grows by one at most, whatever index an upstream names."""
    if isinstance(step, int):
        if not is_array(place) or step > len(place):
            return False
        place[step : step + 1] = [value]
        return True
    if not is_object(place):
        return False
    place[step] = value
    return True
