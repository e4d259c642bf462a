"""Content parts of a message and of a tool's output, wire to neutral; and the marks that end a reusable prefix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from anykey.conversation.failures import invalid
from anykey.conversation.parts import CacheHint, Citation, Json, MediaPart, OpaquePart, Part, RefusalPart, TextPart
from anykey.protocols.fields import Fields, kind_of
from anykey.protocols.openai_responses.extras import NAME, kept
from anykey.protocols.openai_responses.shapes import is_object, list_of, text_of

TEXT_TYPES = frozenset({"input_text", "output_text", "text", "summary_text"})


def decode_content(value: Any, path: str) -> list[Part]:
    """``content``: a string is one text part; null has none."""
    if type(value) is str:
        return [TextPart(value)]
    if value is None:
        return []
    if type(value) is not list:
        raise invalid(f"expected a string or an array, got {kind_of(value)}", path)
    return [decode_part(item, path, index) for index, item in enumerate(value)]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] - parsed JSON


def decode_part(value: Any, path: str, index: int) -> Part:
    """One entry of a content array. A type nobody here knows is kept whole."""
    if is_object(value) and text_of(value.get("type")) in TEXT_TYPES and type(value.get("text")) is str:
        length = len(value)  # the commonest shapes without a cursor
        if length == 2 or (length == 4 and value.get("annotations") == value.get("logprobs") == []):
            return TextPart(value["text"])
        if length == 3 and value.get("annotations") == []:
            return TextPart(value["text"])
    fields = Fields(value, f"{path}[{index}]")
    kind = fields.required_text("type")
    read = _READERS.get(kind)
    return OpaquePart(NAME, kind, value) if read is None else read(fields)


def read_cache(fields: Fields) -> CacheHint | None:
    """``prompt_cache_breakpoint: {mode: "explicit", ttl}``."""
    mark = fields.nested("prompt_cache_breakpoint")
    if mark is None:
        return None
    mode = mark.text("mode")
    if mode not in (None, "explicit"):
        raise invalid(f"expected 'explicit', got {mode!r}", mark.at("mode"))
    return CacheHint(mark.text("ttl"), kept(mark.rest()))


def decode_citation(value: Any) -> Citation:
    """An annotation. Only ``url_citation`` has an address; offsets are characters of the text (facts: Responses, annotations)."""
    raw: Json = value if is_object(value) else {"value": value}
    return Citation(
        NAME,
        raw,
        url=text_of(raw.get("url")),
        title=text_of(raw.get("title")) or text_of(raw.get("filename")),
        start=_offset(raw.get("start_index")),
        end=_offset(raw.get("end_index")),
    )


def _offset(value: Any) -> int | None:
    return value if type(value) is int else None


def _read_text(fields: Fields) -> Part:
    text, cache = fields.text("text") or "", read_cache(fields)
    citations = tuple(decode_citation(entry) for entry in fields.array("annotations") or ())
    if not list_of(logprobs := fields.any("logprobs")):
        logprobs = None
    rest = fields.rest()
    return TextPart(text, cache, citations, kept({**rest, "logprobs": logprobs} if logprobs else rest))


def _read_refusal(fields: Fields) -> Part:
    return RefusalPart(fields.text("refusal") or "", kept(fields.rest()))


def _read_image(fields: Fields) -> Part:
    value = fields.any("image_url")
    if is_object(value):  # as Chat spells it, which several servers take
        inner = Fields(value, fields.at("image_url"))
        value = inner.required_text("url")
    url, file_id = text_of(value), fields.text("file_id")
    detail, cache, extras = fields.text("detail"), read_cache(fields), kept(fields.rest())
    if url is None:
        if file_id is None:
            raise invalid("image_url or file_id is required", fields.path)
        return MediaPart("image", file_id=file_id, detail=detail, cache=cache, extras=extras)
    media_type, data = split_data_uri(url)
    if data is None:
        return MediaPart("image", url=url, detail=detail, cache=cache, extras=extras)
    return MediaPart("image", media_type, data, detail=detail, cache=cache, extras=extras)


def _read_file(fields: Fields) -> Part:
    data, url, file_id = fields.text("file_data"), fields.text("file_url"), fields.text("file_id")
    title, detail, cache = fields.text("filename"), fields.text("detail"), read_cache(fields)
    extras = kept(fields.rest())
    if data is not None:
        media_type, decoded = split_data_uri(data)
        return MediaPart(
            "document", media_type, decoded or data, title=title, detail=detail, cache=cache, extras=extras
        )
    if url is not None:
        return MediaPart("document", url=url, title=title, detail=detail, cache=cache, extras=extras)
    if file_id is None:
        raise invalid("file_data, file_url or file_id is required", fields.path)
    return MediaPart("document", file_id=file_id, title=title, detail=detail, cache=cache, extras=extras)


def _read_audio(fields: Fields) -> Part:
    inner = fields.nested("input_audio")
    if inner is None:
        raise invalid("this field is required", fields.at("input_audio"))
    data, word = inner.required_text("data"), inner.text("format")
    media_type = None if word is None else "audio/mpeg" if word == "mp3" else f"audio/{word}"
    cache, inner_rest, rest = read_cache(fields), inner.rest(), fields.rest()
    extras = kept({**rest, "input_audio": inner_rest} if inner_rest else rest)
    return MediaPart("audio", media_type, data, cache=cache, extras=extras)


def _read_video(fields: Fields) -> Part:
    url = fields.required_text("video_url")
    media_type, data = split_data_uri(url)
    cache, extras = read_cache(fields), kept(fields.rest())
    if data is None:
        return MediaPart("video", url=url, cache=cache, extras=extras)
    return MediaPart("video", media_type, data, cache=cache, extras=extras)


_READERS: dict[str, Callable[[Fields], Part]] = {
    **dict.fromkeys(TEXT_TYPES, _read_text),
    "refusal": _read_refusal,
    "input_image": _read_image,
    "input_file": _read_file,
    "input_audio": _read_audio,
    "input_video": _read_video,
}


def split_data_uri(url: str) -> tuple[str | None, str | None]:
    """(media type, base64) of a base64 ``data:`` URI; (None, None) of any other address."""
    if not url.startswith("data:"):
        return None, None
    head, comma, data = url[5:].partition(",")
    if not comma or not head.endswith(";base64"):
        return None, None
    return head[:-7] or None, data
