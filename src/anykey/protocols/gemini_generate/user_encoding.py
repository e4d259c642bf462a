"""What the user said and what tools answered, neutral → wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from anykey.conversation.failures import invalid
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json, MediaPart, OpaquePart, Part, TextPart, ToolResultPart
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.extras import NAME, write_extras
from anykey.protocols.gemini_generate.media_encoding import MediaWriter
from anykey.protocols.gemini_generate.texts_encoding import drop_mark, write_text
from anykey.protocols.names import sent_name

_Object = msgspec.json.Decoder(dict[str, msgspec.Raw])


class UserWriter:
    """Writes the parts of users' and tools' messages. ``names`` knows the tool of each call, by id."""

    __slots__ = ("_dialect", "_log", "_media", "_names")

    def __init__(self, dialect: Dialect, log: LossLog, names: Mapping[str, str]) -> None:
        self._dialect = dialect
        self._log = log
        self._names = names
        self._media = MediaWriter(dialect, log)

    def write(self, target: list[Json], parts: tuple[Part, ...], path: str) -> None:
        """Append ``parts`` to a content."""
        shown: list[Json] = []  # media that tools returned, after the results
        for index, part in enumerate(parts):
            where = f"{path}[{index}]"
            if isinstance(part, ToolResultPart):
                target.append(self._result(part, where, shown))
            elif (entry := self._entry(part, where)) is not None:
                target.append(entry)
        target += shown

    def _entry(self, part: Part, path: str) -> Json | None:
        match part:
            case TextPart():
                return write_text(part, path, self._log)
            case MediaPart():
                return self._media.write(part, path)
            case OpaquePart(origin=origin) if origin == NAME:
                drop_mark(part.cache, path, self._log)
                return part.value
            case OpaquePart():
                self._log.dropped(path, f"a {part.kind} block is known to {part.origin} only")
                return None
            case _:
                self._log.dropped(path, f"a {type(part).__name__} cannot stand in a content of the user")
                return None

    def _result(self, part: ToolResultPart, path: str, shown: list[Json]) -> Json:
        response: Json = {"id": part.call_id} if self._dialect.call_ids and part.call_id else {}
        response["name"] = self._name(part, path)
        media: list[Json] = []
        texts: list[str] = []
        for index, item in enumerate(part.content):
            where = f"{path}.content[{index}]"
            entry = self._entry(item, where)
            if entry is None:
                continue
            if isinstance(item, TextPart) or "text" in entry:
                texts.append(entry["text"])
                self._rest_of_text(entry, where)
            elif self._dialect.tool_result_media == "native":
                media.append(entry)
            else:
                kind = item.kind
                self._log.emulated(where, f"the {kind} is shown after the tool results")
                shown += [{"text": f"The {kind} that tool call {part.call_id} returned:"}, entry]
                texts.append(f"[The {kind} follows.]")
        response["response"] = _response("\n".join(texts), is_error=part.is_error)
        if media:
            response["parts"] = media
        if part.call_id and not self._dialect.call_ids:
            self._log.emulated(f"{path}.call_id", "calls and results are matched by name and order here")
        drop_mark(part.cache, path, self._log)
        result: Json = {"functionResponse": response}
        if part.extras:
            write_extras(result, part.extras, path, self._log)
        return result

    def _name(self, part: ToolResultPart, path: str) -> str:
        """Google wants the tool, others name the call. FailureError (400) names an id that no call has."""
        known = self._names.get(part.call_id)
        if known is None and part.name is None:
            raise invalid(f"no tool call before it has the id {part.call_id!r}", path)
        if known is not None and part.name is not None and sent_name(part.name) != known:
            self._log.dropped(f"{path}.name", "the name of the call it answers is sent")
        return known or sent_name(part.name or "")

    def _rest_of_text(self, entry: Json, path: str) -> None:
        for key in entry:
            if key != "text":
                self._log.dropped(f"{path}.{key}", "the text of a result is nothing but text")


def _response(text: str, *, is_error: bool) -> Any:
    """The ``response`` object: a text that is a JSON object is the object itself, any other stands under its word."""
    value: Any = text
    if text.lstrip()[:1] == "{":
        encoded = text.encode(errors="replace")
        try:
            members = _Object.decode(encoded)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            members = None
        if members is not None and (is_error or not _is_word(members)):
            value = msgspec.Raw(encoded)
    if is_error:
        return {"error": value}
    return {"output": text} if isinstance(value, str) else value


def _is_word(members: dict[str, msgspec.Raw]) -> bool:
    """The object would be read as the text in it."""
    if len(members) != 1:
        return False
    key, value = next(iter(members.items()))
    return key == "error" or (key in ("output", "result") and bytes(value)[:1] == b'"')
