"""Content parts of a message and of a tool's output, neutral to wire, for one upstream."""

from __future__ import annotations

from typing import Any

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import (
    CacheHint,
    Extras,
    Json,
    MediaPart,
    OpaquePart,
    Part,
    RefusalPart,
    TextPart,
    ToolResultPart,
)
from anykey.protocols.openai_responses.content import TEXT_TYPES
from anykey.protocols.openai_responses.dialect import Dialect
from anykey.protocols.openai_responses.extras import NAME, own, write_extras
from anykey.protocols.openai_responses.shapes import is_object, list_of

_AUDIO_FORMATS = {"audio/mpeg": "mp3", "audio/x-wav": "wav", "audio/wave": "wav"}
_TTLS = {None: None, "30m": "30m", "12h": "12h", "5m": None, "1h": "30m"}
_FILE_ID = "a file id is known only to the provider that holds the file"
_DEFAULT_FILE_NAME = "document.pdf"


class ContentWriter:
    """Writes what a user said and what a tool gave (``input_*`` parts), and texts of the assistant (``output_text``)."""

    __slots__ = ("_dialect", "_log")

    def __init__(self, dialect: Dialect, log: LossLog) -> None:
        self._dialect = dialect
        self._log = log

    def input(self, part: Part, path: str) -> Json | None:
        """The part on the wire, None if it cannot stand there (the Loss is recorded)."""
        match part:
            case TextPart():
                entry: Json = {"type": "input_text", "text": part.text}
                if part.citations:
                    self._drop_citations(part, path)
                return self._finish(entry, part.cache, part.extras, path)
            case MediaPart():
                return self._media(part, path)
            case OpaquePart():
                return self._opaque(part, path)
            case _:
                self._log.dropped(path, f"a {type(part).__name__} cannot stand in this message")
                return None

    def output(self, part: TextPart | RefusalPart, path: str) -> Json:
        """A text or a refusal of the assistant; what the item around it says of itself is not written here."""
        if isinstance(part, RefusalPart):
            entry: Json = {"type": "refusal", "refusal": part.text}
            return self._finish(entry, None, _without_item(part.extras), path)
        annotations = [citation.raw for citation in part.citations if citation.origin == NAME]
        if len(annotations) < len(part.citations):
            self._drop_citations(part, path)
        entry = {"type": "output_text", "text": part.text, "annotations": annotations}
        return self._finish(entry, part.cache, _without_item(part.extras), path)

    def output_of(self, result: ToolResultPart, path: str) -> tuple[str | list[Json], list[Json]]:
        """What a tool gave, and the media that have to be shown in a message after it."""
        entries: list[Json] = []
        media: list[Json] = []
        for index, part in enumerate(result.content):
            entry = self.input(part, f"{path}.content[{index}]")
            if entry is None:
                continue
            if entry["type"] == "input_text" or self._dialect.media_results:
                entries.append(entry)
                continue
            kind = part.kind if isinstance(part, MediaPart) else "block"
            self._log.emulated(f"{path}.content[{index}]", f"the {kind} is shown in a user message after the results")
            entries.append({"type": "input_text", "text": f"[The {kind} follows in the next user message.]"})
            media += [{"type": "input_text", "text": f"The {kind} that call {result.call_id} returned:"}, entry]
        if result.is_error:
            self._mark_error(entries, path)
        if result.cache is not None:
            self.cache(entries[-1] if entries else {}, result.cache, path)
        if len(entries) > 1 and not self._dialect.media_results:
            self._log.approximated(f"{path}.content", "a tool's output is one text here")
            return "\n".join(entry["text"] for entry in entries), media
        return collapse(entries), media

    def cache(self, entry: Json, hint: CacheHint, path: str) -> None:
        """Mark the end of a reusable prefix, if this upstream has a mark for it and there is a part to mark."""
        where = f"{path}.cache_control"
        if not self._dialect.cache_breakpoints or not entry:
            self._log.dropped(where, "this upstream caches on its own and takes no mark here")
            return
        mark: Json = {"mode": "explicit"}
        ttl = _TTLS.get(hint.ttl)
        if ttl is not None:
            mark["ttl"] = ttl
        if ttl != hint.ttl:
            self._log.approximated(f"{where}.ttl", f"sent as {ttl or 'the default lifetime'}")
        write_extras(mark, hint.extras, where, self._log)
        entry["prompt_cache_breakpoint"] = mark

    def _finish(self, entry: Json, cache: CacheHint | None, extras: Extras, path: str) -> Json:
        if cache is not None:
            self.cache(entry, cache, path)
        if extras:
            write_extras(entry, extras, path, self._log)
        return entry

    def _drop_citations(self, part: TextPart, path: str) -> None:
        for index, citation in enumerate(part.citations):
            if citation.origin != NAME:
                self._log.dropped(f"{path}.citations[{index}]", "a request has no place for another's citations")

    def _mark_error(self, entries: list[Json], path: str) -> None:
        self._log.emulated(f"{path}.is_error", "the text itself says that it is an error")
        for entry in entries:
            if entry["type"] == "input_text":
                if not entry["text"].lower().startswith("error"):
                    entry["text"] = f"Error: {entry['text']}"
                return
        entries.insert(0, {"type": "input_text", "text": "Error"})

    def _media(self, part: MediaPart, path: str) -> Json:
        match part.kind:
            case "image":
                entry = self._image(part, path)
            case "document":
                entry = self._document(part, path)
            case "audio":
                entry = self._audio(part, path)
            case "video":
                entry = self._video(part, path)
        if part.title is not None and part.kind != "document":
            self._log.dropped(f"{path}.title", "only files have names here")
        if entry is None:
            return {"type": "input_text", "text": f"[A part of kind {part.kind} was left out here]"}
        if part.detail is not None:
            if entry["type"] in ("input_image", "input_file"):
                entry["detail"] = part.detail
            else:
                self._log.dropped(f"{path}.detail", "only images and files have it")
        extras = {origin: keys for origin, keys in part.extras.items() if part.kind != "audio" or origin != NAME}
        return self._finish(entry, part.cache, extras, path)

    def _image(self, part: MediaPart, path: str) -> Json:
        if part.file_id is not None:
            self._log.approximated(path, _FILE_ID)
            return {"type": "input_image", "file_id": part.file_id}
        self._note_type(part, path)
        return {"type": "input_image", "image_url": part.url if part.data is None else data_uri(part)}

    def _note_type(self, part: MediaPart, path: str) -> None:
        if part.data is None and part.media_type is not None:
            self._log.dropped(f"{path}.media_type", "the address says it itself")

    def _document(self, part: MediaPart, path: str) -> Json:
        if part.text is not None:
            self._log.approximated(path, "a text document is sent as plain text")
            return {"type": "input_text", "text": f"{part.title}\n\n{part.text}" if part.title else part.text}
        if part.url is not None and not self._dialect.file_urls:
            self._log.approximated(path, "a document by address is sent as text that names it")
            return {"type": "input_text", "text": f"Document{' ' + part.title if part.title else ''}: {part.url}"}
        entry: Json = {"type": "input_file"}
        if part.data is not None:
            entry["filename"] = part.title or _DEFAULT_FILE_NAME
            entry["file_data"] = part.data if part.media_type is None else data_uri(part)
            return entry
        if part.title is not None:
            entry["filename"] = part.title
        if part.url is not None:
            self._note_type(part, path)
            entry["file_url"] = part.url
        else:
            self._log.approximated(path, _FILE_ID)
            entry["file_id"] = part.file_id
        return entry

    def _audio(self, part: MediaPart, path: str) -> Json | None:
        if part.data is None or not self._dialect.audio:
            self._log.dropped(path, "this upstream takes no sound, or no sound by address")
            return None
        audio: Json = {"data": part.data}
        if part.media_type is not None:
            audio["format"] = _AUDIO_FORMATS.get(part.media_type, part.media_type.removeprefix("audio/"))
        rest = dict(own(part.extras))
        audio.update(rest.pop("input_audio", {}))
        return {"type": "input_audio", "input_audio": audio, **rest}

    def _video(self, part: MediaPart, path: str) -> Json | None:
        url = part.url if part.data is None else data_uri(part)
        if url is None or not self._dialect.video:
            self._log.dropped(path, "this upstream takes no video")
            return None
        self._note_type(part, path)
        return {"type": "input_video", "video_url": url}

    def _opaque(self, part: OpaquePart, path: str) -> Json | None:
        if part.origin == NAME:
            return part.value
        text = readable_text(part.value)
        if text is None:
            self._log.dropped(path, f"a {part.kind} block is known to {part.origin} only")
            return None
        self._log.approximated(path, f"a {part.kind} block is sent as its text")
        return self._finish({"type": "input_text", "text": text}, part.cache, {}, path)


def collapse(entries: list[Json]) -> str | list[Json]:
    """Content as it is most widely understood: one plain text is a string."""
    if not entries:
        return ""
    first = entries[0]
    plain = first.keys() == _PLAIN_INPUT or (first.keys() == _PLAIN_OUTPUT and not first["annotations"])
    plain = plain and first["type"] in TEXT_TYPES
    return first["text"] if len(entries) == 1 and plain else entries


_PLAIN_INPUT = {"type", "text"}
_PLAIN_OUTPUT = {"type", "text", "annotations"}


def data_uri(part: MediaPart) -> str:
    """``part.data`` as a ``data:`` URI."""
    return f"data:{part.media_type or 'application/octet-stream'};base64,{part.data}"


def readable_text(value: Json) -> str | None:
    """What a person could read of another protocol's block (a search result, a document): title, source and text."""
    lines = [str(value[key]) for key in ("title", "source", "url", "tool_name") if isinstance(value.get(key), str)]
    content: Any = value.get("content", value.get("text"))
    for entry in list_of(content) or [content]:
        text: Any = entry.get("text") if is_object(entry) else entry
        if isinstance(text, str) and text:
            lines.append(text)
    return "\n".join(lines) or None


def _without_item(extras: Extras) -> Extras:
    """Extras of a part without what they keep of its item."""
    keys = extras.get(NAME)
    if keys is None or "message" not in keys:
        return extras
    return {**extras, NAME: {key: value for key, value in keys.items() if key != "message"}}
