"""Collects breaches while parsed JSON is looked through, so that one fault does not hide the next."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, cast

import msgspec

from anykey.conversation.parts import Json
from anykey.protocols.sse import SseEvent


class Inspection:
    """``breaches`` in the order they were found."""

    def __init__(self) -> None:
        self.breaches: list[str] = []

    def hold(self, holds: bool, breach: str) -> bool:
        """Record ``breach`` unless ``holds``; ``holds``."""
        if not holds:
            self.breaches.append(breach)
        return holds

    def text(self, value: Json, key: str, where: str = "") -> str:
        """The text at ``key``, which must be there and not empty."""
        found = value.get(key)
        good = self.hold(isinstance(found, str) and found != "", f"{where}{key} is no text: {_shown(found)}")
        return str(found) if good else ""

    def among(self, value: Json, key: str, allowed: Collection[object], where: str = "") -> None:
        """The value at ``key`` is one of ``allowed``."""
        found = value.get(key)
        known = isinstance(found, str | None) and found in allowed
        self.hold(known, f"{where}{key} is {_shown(found)}, not one of {', '.join(sorted(map(str, allowed)))}")

    def count(self, value: Json, key: str, where: str = "") -> int:
        """The number at ``key``, which must be there, whole and not negative."""
        found = value.get(key)
        good = type(found) is int and found >= 0
        self.hold(good, f"{where}{key} is no count: {_shown(found)}")
        return cast("int", found) if good else 0

    def object(self, value: Json, key: str, where: str = "") -> Json:
        """The object at ``key``, which must be there."""
        found = value.get(key)
        good = self.hold(isinstance(found, dict), f"{where}{key} is no object: {_shown(found)}")
        return cast("Json", found) if good else {}

    def objects(self, value: Json, key: str, where: str = "") -> Iterator[tuple[str, Json]]:
        """Each object of the array at ``key``, which must be there, with its place (``content[0].``)."""
        found = value.get(key)
        if not self.hold(isinstance(found, list), f"{where}{key} is no array: {_shown(found)}"):
            return
        for index, entry in enumerate(cast("list[Any]", found)):
            place = f"{where}{key}[{index}]"
            if self.hold(isinstance(entry, dict), f"{place} is no object"):
                yield f"{place}.", entry

    def json_object(self, text: Any, where: str) -> None:
        """``text`` spells a JSON object."""
        self.hold(isinstance(text, str) and is_json_object(text), f"{where} spells no JSON object: {_shown(text)}")

    def event(self, record: SseEvent, place: int) -> Json:
        """The object that an event carries."""
        value = parsed(record.data)
        good = self.hold(isinstance(value, dict), f"event {place} carries no JSON object: {_shown(record.data)}")
        return value if good else {}


def parsed(body: bytes) -> Any:
    """The value that ``body`` spells; None where it spells none."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def is_json_object(text: str) -> bool:
    return isinstance(parsed(text.encode(errors="replace")), dict)


def _shown(value: object) -> str:
    """The beginning of a value, for a sentence."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
