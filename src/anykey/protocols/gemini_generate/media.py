"""``inlineData`` and ``fileData``, both ways."""

from __future__ import annotations

import re
from typing import Any

from anykey.conversation.parts import Json, MediaKind, MediaPart
from anykey.protocols.fields import Fields
from anykey.protocols.gemini_generate.extras import NAME, kept
from anykey.protocols.gemini_generate.spelling import nested

_OWN_FILE = re.compile(r"(files/|gs://|https://generativelanguage\.googleapis\.com/.*/?files/)")
_YOUTUBE = re.compile(r"https://(www\.|m\.)?(youtube\.com|youtu\.be)/")
_URL_SAFE = str.maketrans("-_", "+/")


def standard_base64(text: str) -> str:
    """The same bytes in the standard alphabet with padding: Google's SDKs write the URL-safe one, other providers refuse it."""
    if "-" in text or "_" in text:
        text = text.translate(_URL_SAFE)
    lack = -len(text) % 4
    return text + "=" * lack if lack else text


def kind_of_media(media_type: str | None, url: str | None = None) -> MediaKind:
    """What ``media_type`` is, a document if nothing else; an address without a type is a picture, or a film on YouTube."""
    family = (media_type or "").partition("/")[0]
    if family in ("image", "audio", "video"):
        return family  # pyright: ignore[reportReturnType] - one of the three
    if media_type is None and url is not None:
        return "video" if is_youtube(url) else "image"
    return "document"


def is_youtube(url: str) -> bool:
    """Google's servers read films there by address, whatever else they do not fetch."""
    return _YOUTUBE.match(url) is not None


def is_own_file(file_id: str) -> bool:
    """A file that Google holds: of the Files API or of Cloud Storage."""
    return _OWN_FILE.match(file_id) is not None


def decode_inline(fields: Fields) -> MediaPart:
    """The part that holds ``inlineData``; what ``fields`` has besides is left to the caller."""
    blob = nested(fields, "inlineData") or Fields({}, fields.at("inlineData"))
    media_type, data, title = blob.text("mimeType"), blob.required_text("data"), blob.text("displayName")
    return MediaPart(
        kind_of_media(media_type), media_type, standard_base64(data), title=title, extras=_inner("inlineData", blob)
    )


def decode_file(fields: Fields) -> MediaPart:
    """The part that holds ``fileData``: a file that Google holds is a file id, anything else an address."""
    file = nested(fields, "fileData") or Fields({}, fields.at("fileData"))
    media_type, uri, title = file.text("mimeType"), file.required_text("fileUri"), file.text("displayName")
    own = is_own_file(uri)
    return MediaPart(
        kind_of_media(media_type, uri),
        media_type,
        url=None if own else uri,
        file_id=uri if own else None,
        title=title,
        extras=_inner("fileData", file),
    )


def _inner(key: str, fields: Fields) -> dict[str, Json]:
    return kept({f"{key}.{name}": value for name, value in fields.rest().items()})


def encode_media(part: MediaPart) -> Json | None:
    """``inlineData`` of a medium's bytes, ``fileData`` of its address or id; None for a text document. Extras and title are the
    caller's to write."""
    if part.data is not None:
        return {"inlineData": {"mimeType": part.media_type or _usual_type(part), "data": part.data}}
    uri = part.url or part.file_id
    if uri is None:
        return None
    file: Json = {"fileUri": uri}
    if part.media_type is not None:
        file["mimeType"] = part.media_type
    return {"fileData": file}


def _usual_type(part: MediaPart) -> str:
    usual: dict[str, Any] = {"image": "image/png", "audio": "audio/wav", "video": "video/mp4"}
    return usual.get(part.kind, "application/pdf")


def own_extras(part: MediaPart) -> Json:
    """Keys of this protocol that stood beside or in the medium."""
    return part.extras.get(NAME, {})
