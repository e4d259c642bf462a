"""Images, documents, sound and films of an upstream request. The service takes bytes, or an object of its own store (``s3://``);
it fetches no address. What the model could not be shown is refused, not left out."""

from __future__ import annotations

import base64
import re

from anykey.conversation.failures import invalid
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json, MediaPart
from anykey.protocols.bedrock_converse.extras import report

_FORMATS: dict[str, dict[str, str]] = {
    "image": {"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp"},
    "document": {
        "application/pdf": "pdf",
        "text/csv": "csv",
        "application/msword": "doc",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
        "application/vnd.ms-excel": "xls",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
        "text/html": "html",
        "text/markdown": "md",
        "text/plain": "txt",
    },
    "audio": {
        "audio/mpeg": "mp3",
        "audio/mp3": "mp3",
        "audio/wav": "wav",
        "audio/x-wav": "wav",
        "audio/wave": "wav",
        "audio/aac": "aac",
        "audio/flac": "flac",
        "audio/ogg": "ogg",
        "audio/opus": "opus",
        "audio/mp4": "mp4",
        "audio/m4a": "m4a",
        "audio/x-m4a": "m4a",
        "audio/webm": "webm",
        "audio/pcm": "pcm",
        "audio/l16": "pcm",
        "audio/pcm16": "pcm",
    },
    "video": {
        "video/mp4": "mp4",
        "video/quicktime": "mov",
        "video/x-matroska": "mkv",
        "video/webm": "webm",
        "video/x-flv": "flv",
        "video/mpeg": "mpeg",
        "video/x-ms-wmv": "wmv",
        "video/3gpp": "three_gp",
    },
}
_BEGINNINGS = {"JVBERi": "pdf", "iVBORw0KGgo": "png", "/9j/": "jpeg", "R0lGOD": "gif"}
"""How the base64 of a format begins, for media that do not say what they are."""
_ILLEGAL_IN_NAME = re.compile(r"[^A-Za-z0-9\-()\[\]]+")
_NAME_LIMIT = 200
_PLAIN_NAME = "document"


class MediaWriter:
    """Writes the media of one request: the names of its documents must differ."""

    __slots__ = ("_log", "_names")

    def __init__(self, log: LossLog) -> None:
        self._log = log
        self._names: set[str] = set()

    def write(self, part: MediaPart, path: str) -> Json:
        """A content block. FailureError (400) names a medium that cannot be sent."""
        if part.detail is not None:
            self._log.dropped(f"{path}.detail", "media have no level of detail here")
        report(part.extras, path, self._log)
        data = part.data
        if part.text is not None:
            data = base64.b64encode(part.text.encode(errors="replace")).decode()
        block: Json = {"format": _format(part, data, path), "source": self._source(part, data, path)}
        if part.kind == "document":
            block["name"] = self._name(part.title, path)
        elif part.title is not None:
            self._log.dropped(f"{path}.title", "only documents have a name here")
        return {part.kind: block}

    def _source(self, part: MediaPart, data: str | None, path: str) -> Json:
        if data is not None:
            return {"bytes": data}
        address = part.url or part.file_id or ""
        if address.startswith("s3://"):
            return {"s3Location": {"uri": address}}
        if part.file_id is not None:
            raise invalid("a file uploaded to another provider cannot be read by this one; send its bytes", path)
        raise invalid(f"this model takes no {part.kind} by address; send its bytes", path)

    def _name(self, title: str | None, path: str) -> str:
        """The name with the letters that are allowed; a number tells namesakes apart."""
        legal = _ILLEGAL_IN_NAME.sub(" ", title or _PLAIN_NAME).strip()[:_NAME_LIMIT].strip() or _PLAIN_NAME
        name, number = legal, 1
        while name in self._names:
            number += 1
            name = f"{legal[: _NAME_LIMIT - 8]} {number}"
        self._names.add(name)
        if title is not None and name != title:
            self._log.approximated(f"{path}.title", f"sent as {name!r}: names are plain and come once here")
        return name


def _format(part: MediaPart, data: str | None, path: str) -> str:
    """The word for the medium's type. FailureError (400) where there is none."""
    media_type = (part.media_type or "").partition(";")[0].strip().lower()
    known = _FORMATS[part.kind]
    found = known.get(media_type)
    if found is None and part.media_type is None:
        told = next((word for start, word in _BEGINNINGS.items() if (data or "").startswith(start)), None)
        found = told if told in known.values() else None
        if part.text is not None:
            found = "txt"
    if found is None and part.kind == "document" and media_type.startswith("text/"):
        found = "txt"
    if found is None:
        words = ", ".join(dict.fromkeys(known.values()))
        raise invalid(f"a {part.kind} of type {media_type or 'unknown'} is not supported; there are {words}", path)
    return found
