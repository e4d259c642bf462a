"""Content parts of a message: text, images, audio, files, video; and the marks that end a reusable prefix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from anykey.conversation.failures import invalid
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import (
    CacheHint,
    Json,
    MediaKind,
    MediaPart,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
)
from anykey.protocols.fields import Fields, kind_of
from anykey.protocols.openai_chat.dialect import Dialect
from anykey.protocols.openai_chat.extras import NAME, NO_FIELD, kept, write_extras
from anykey.protocols.openai_chat.parsed import is_object, list_of, objects_of

_AUDIO_TYPES = {"mp3": "audio/mpeg"}
_AUDIO_FORMATS = {"audio/mpeg": "mp3", "audio/x-wav": "wav", "audio/wave": "wav"}
_BREAKPOINT_TTLS = {None: None, "30m": "30m", "12h": "12h", "5m": None, "1h": "30m"}
_CONTROL_TTLS = {None: None, "5m": "5m", "1h": "1h", "30m": "1h", "12h": "1h"}
_MARKS = (("prompt_cache_breakpoint", "mode", "explicit"), ("cache_control", "type", "ephemeral"))
_UNMARKED = ("role", "function", "custom", "arguments")
"""Keys of a message and of a call, which ``prompt_cache_breakpoint`` cannot stand on."""
_DEFAULT_FILE_NAME = "document.pdf"


def decode_content(value: Any, path: str) -> list[Part]:
    """``content``: a string is one text part; null has none."""
    if value is None:
        return []
    if type(value) is str:
        return [TextPart(value)]
    if not isinstance(value, list):
        raise invalid(f"expected a string or an array, got {kind_of(value)}", path)
    return [decode_part(item, f"{path}[{index}]") for index, item in enumerate(list_of(value))]


def decode_part(value: Any, path: str) -> Part:
    """One entry of a content array. A type nobody here knows is kept whole."""
    if is_object(value) and len(value) == 2 and value.get("type") == "text" and type(value.get("text")) is str:
        return TextPart(value["text"])
    fields = Fields(value, path)
    kind = fields.required_text("type")
    read = _READERS.get(kind)
    if read is None:
        return OpaquePart(NAME, kind, value)
    return read(fields)


def read_cache(fields: Fields) -> CacheHint | None:
    """``prompt_cache_breakpoint`` or ``cache_control``, whichever the caller used."""
    for key, word, usual in _MARKS:
        mark = fields.nested(key)
        if mark is not None:
            said = mark.text(word)
            if said not in (None, usual):
                raise invalid(f"expected {usual!r}, got {said!r}", mark.at(word))
            return CacheHint(mark.text("ttl"), kept(mark.rest()))
    return None


def _read_text(fields: Fields) -> Part:
    return TextPart(fields.text("text") or "", read_cache(fields), extras=kept(fields.rest()))


def _read_refusal(fields: Fields) -> Part:
    return RefusalPart(fields.text("refusal") or "", kept(fields.rest()))


def _read_thinking(fields: Fields) -> Part:
    """``{"type": "thinking", "thinking": [{"type": "text", "text": …}]}``: reasoning inside the content array."""
    return ReasoningPart(thinking_text(fields.any("thinking")), extras=kept(fields.rest()))


def thinking_text(value: Any) -> str:
    """The text of a ``thinking`` entry, a string or a list of text entries."""
    if isinstance(value, str):
        return value
    return "".join(str(entry.get("text") or "") for entry in objects_of(value))


def _read_link(kind: MediaKind, key: str) -> Callable[[Fields], Part]:
    """A reader of ``{key: {"url": …}}`` or ``{key: {"file_id": …}}``; a bare string is taken for the object."""

    def read(fields: Fields) -> Part:
        value = fields.any(key)
        inner = Fields({"url": value} if isinstance(value, str) else value, fields.at(key))
        url = inner.text("url")
        file_id = inner.text("file_id") if url is None else None
        if url is None and file_id is None:
            raise invalid("this field is required", inner.at("url"))
        detail, cache = inner.text("detail"), read_cache(fields)
        inner_rest, rest = inner.rest(), fields.rest()
        extras = kept({**rest, key: inner_rest} if inner_rest else rest)
        if url is None:
            return MediaPart(kind, file_id=file_id, detail=detail, cache=cache, extras=extras)
        media_type, data = split_data_uri(url)
        if data is None:
            return MediaPart(kind, url=url, detail=detail, cache=cache, extras=extras)
        return MediaPart(kind, media_type, data, detail=detail, cache=cache, extras=extras)

    return read


def _read_audio(fields: Fields) -> Part:
    inner = fields.nested("input_audio")
    if inner is None:
        raise invalid("this field is required", fields.at("input_audio"))
    data, url, file_id = _only_source(inner, "data", "url", "file_id")
    word = inner.text("format")
    media_type = None if word is None else _AUDIO_TYPES.get(word, f"audio/{word}")
    cache, inner_rest, rest = read_cache(fields), inner.rest(), fields.rest()
    extras = kept({**rest, "input_audio": inner_rest} if inner_rest else rest)
    return MediaPart("audio", media_type, data, url, file_id, cache=cache, extras=extras)


def _only_source(inner: Fields, *keys: str) -> list[str | None]:
    """The first of ``keys`` that is said, at its place; a further one stays among what nobody read."""
    found: list[str | None] = [None] * len(keys)
    for place, key in enumerate(keys):
        if any(found):
            break
        found[place] = inner.text(key)
    if not any(value is not None for value in found):
        raise invalid("this field is required", inner.at(keys[0]))
    return found


def _read_file(fields: Fields) -> Part:
    inner = fields.nested("file")
    if inner is None:
        raise invalid("this field is required", fields.at("file"))
    file_data, file_id, title = inner.text("file_data"), inner.text("file_id"), inner.text("filename")
    url = inner.text("file_url") if file_data is None and file_id is None else None
    if file_data is None and file_id is None and url is None:
        raise invalid("file_data or file_id is required", inner.path)
    cache, inner_rest, rest = read_cache(fields), inner.rest(), fields.rest()
    if file_data is not None and file_id is not None:
        inner_rest["file_id"] = file_id
    extras = kept({**rest, "file": inner_rest} if inner_rest else rest)
    if file_data is None:
        return MediaPart("document", url=url, file_id=file_id, title=title, cache=cache, extras=extras)
    media_type, data = split_data_uri(file_data)
    return MediaPart("document", media_type, data or file_data, title=title, cache=cache, extras=extras)


_READERS: dict[str, Callable[[Fields], Part]] = {
    "text": _read_text,
    "refusal": _read_refusal,
    "thinking": _read_thinking,
    "image_url": _read_link("image", "image_url"),
    "video_url": _read_link("video", "video_url"),
    "input_audio": _read_audio,
    "file": _read_file,
}


def split_data_uri(url: str) -> tuple[str | None, str | None]:
    """(media type, base64) of a base64 ``data:`` URI; (None, None) of any other address."""
    if not url.startswith("data:"):
        return None, None
    head, comma, data = url[5:].partition(",")
    if not comma or not head.endswith(";base64"):
        return None, None
    return head[:-7] or None, data


def data_uri(part: MediaPart) -> str:
    """``part.data`` as a ``data:`` URI."""
    return f"data:{part.media_type or 'application/octet-stream'};base64,{part.data}"


def readable_text(value: Json) -> str | None:
    """What a person could read of another protocol's block (a search result, a document): title, source and text."""
    lines = [str(value[key]) for key in ("title", "source", "url", "tool_name") if isinstance(value.get(key), str)]
    content = value.get("content", value.get("text"))
    for entry in list_of(content) or [content]:
        text: Any = entry.get("text") if is_object(entry) else entry
        if isinstance(text, str) and text:
            lines.append(text)
    return "\n".join(lines) or None


class ContentWriter:
    """Writes parts into a content array for one upstream."""

    __slots__ = ("_dialect", "_log")

    def __init__(self, dialect: Dialect, log: LossLog) -> None:
        self._dialect = dialect
        self._log = log

    def write(self, part: Part, path: str) -> Json | None:
        """The part on the wire, None if it cannot stand there (the Loss is recorded)."""
        match part:
            case TextPart():
                return self.text(part, path)
            case MediaPart():
                return self._media(part, path)
            case OpaquePart():
                return self._opaque(part, path)
            case RefusalPart():
                entry = {"type": "refusal", "refusal": part.text}
                write_extras(entry, part.extras, path, self._log)
                return entry
            case _:
                self._log.dropped(path, f"a {type(part).__name__} cannot stand in this message")
                return None

    def text(self, part: TextPart, path: str) -> Json:
        entry: Json = {"type": "text", "text": part.text}
        if part.cache is not None:
            self.cache(entry, part.cache, path)
        if part.extras:
            write_extras(entry, part.extras, path, self._log)
        for index in range(len(part.citations)):
            self._log.dropped(f"{path}.citations[{index}]", "a request has no place for citations")
        return entry

    def cache(self, entry: Json, hint: CacheHint, path: str) -> None:
        """Mark the end of a reusable prefix, if this upstream has a mark for it."""
        dialect, log = self._dialect, self._log
        where = f"{path}.cache_control" if path else "cache_control"
        if dialect.cache_breakpoints and any(key in entry for key in _UNMARKED):
            log.dropped(where, "only parts of a content are marked here")
            return
        if not dialect.cache_breakpoints and not dialect.cache_control:
            log.dropped(where, "this upstream caches on its own and takes no marks")
            return
        key, mark, ttls = (
            ("prompt_cache_breakpoint", {"mode": "explicit"}, _BREAKPOINT_TTLS)
            if dialect.cache_breakpoints
            else ("cache_control", {"type": "ephemeral"}, _CONTROL_TTLS)
        )
        ttl = ttls.get(hint.ttl)
        if ttl is not None:
            mark["ttl"] = ttl
        if ttl != hint.ttl:
            log.approximated(f"{where}.ttl", f"sent as {ttl or 'the default lifetime'}")
        write_extras(mark, hint.extras, where, log)
        entry[key] = mark

    def _media(self, part: MediaPart, path: str) -> Json | None:
        match part.kind:
            case "image" | "video":
                entry = self._link(part, path)
            case "audio":
                entry = self._audio(part, path)
            case "document":
                entry = self._document(part, path)
        if part.title is not None and part.kind != "document":
            self._log.dropped(f"{path}.title", NO_FIELD)
        if entry is None:
            return {"type": "text", "text": f"[{_article(part.kind)} was left out here]"}
        if part.cache is not None:
            self.cache(entry, part.cache, path)
        write_extras(entry, part.extras, path, self._log)
        return entry

    def _link(self, part: MediaPart, path: str) -> Json | None:
        url = part.url if part.data is None else data_uri(part)
        if url is None and not (part.file_id and self._dialect.media_references):
            self._log.dropped(path, f"an {part.kind} by file id is known only to the provider that holds the file")
            return None
        if part.data is None and part.media_type is not None:
            self._log.dropped(f"{path}.media_type", "the address says it itself")
        key = f"{part.kind}_url"
        link: Json = {"url": url} if url is not None else self._reference(part, path)
        if part.detail is not None:
            link["detail"] = part.detail
        link.update(part.extras.get(NAME, {}).get(key, {}))
        return {"type": key, key: link}

    def _reference(self, part: MediaPart, path: str) -> Json:
        self._log.approximated(path, "a file id is known only to the provider that holds the file")
        return {"file_id": part.file_id}

    def _audio(self, part: MediaPart, path: str) -> Json | None:
        audio: Json
        if part.data is not None:
            audio = {"data": part.data}
        elif not self._dialect.media_references:
            self._log.dropped(path, "audio is taken as data only")
            return None
        else:
            audio = self._reference(part, path) if part.url is None else {"url": part.url}
        if part.media_type is not None:
            audio["format"] = _AUDIO_FORMATS.get(part.media_type, part.media_type.removeprefix("audio/"))
        audio.update(part.extras.get(NAME, {}).get("input_audio", {}))
        return {"type": "input_audio", "input_audio": audio}

    def _document(self, part: MediaPart, path: str) -> Json | None:
        log = self._log
        if part.text is not None:
            log.approximated(path, "a text document is sent as plain text")
            return {"type": "text", "text": f"{part.title}\n\n{part.text}" if part.title else part.text}
        if part.url is not None and not (self._dialect.media_references and self._dialect.file_parts):
            log.approximated(path, "a document by address is sent as text that names it")
            return {"type": "text", "text": f"Document {part.title or ''}: {part.url}".replace(" :", ":")}
        if not self._dialect.file_parts:
            log.dropped(path, "this upstream takes no files")
            return None
        file: Json = {}
        if part.data is not None:
            file["filename"] = part.title or _DEFAULT_FILE_NAME
            file["file_data"] = part.data if part.media_type is None else data_uri(part)
        else:
            file |= self._reference(part, path) if part.url is None else {"file_url": part.url}
            if part.title is not None:
                file["filename"] = part.title
        file.update(part.extras.get(NAME, {}).get("file", {}))
        return {"type": "file", "file": file}

    def _opaque(self, part: OpaquePart, path: str) -> Json | None:
        if part.origin == NAME:
            return part.value
        text = readable_text(part.value)
        if text is None:
            self._log.dropped(path, f"a {part.kind} block is known to {part.origin} only")
            return None
        self._log.approximated(path, f"a {part.kind} block is sent as its text")
        entry: Json = {"type": "text", "text": text}
        if part.cache is not None:
            self.cache(entry, part.cache, path)
        return entry


def _article(kind: MediaKind) -> str:
    return f"An {kind}" if kind in ("image", "audio") else f"A {kind}"
