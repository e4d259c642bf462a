"""Images and documents of an upstream request. What the model could not be shown is refused, not left out."""

from __future__ import annotations

import base64
import binascii

from anykey.conversation.failures import invalid
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json, MediaPart
from anykey.protocols.anthropic_messages.dialect import Dialect
from anykey.protocols.anthropic_messages.extras import NAME, put

IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_PDF_START = "JVBERi"  # base64 of "%PDF-"


def encode_medium(part: MediaPart, path: str, dialect: Dialect, log: LossLog) -> Json | None:
    """A block, or None with a Loss. FailureError (400): the model would not see what it is asked about."""
    if part.kind in ("audio", "video"):
        raise invalid(f"{part.kind} is not supported by the protocol of this model", path)
    if part.detail is not None:
        log.dropped(f"{path}.detail", "images have no level of detail here")
    own = part.extras.get(NAME, {}).get("source") if part.extras else None
    source = _image_source(part, path, log) if part.kind == "image" else _document_source(part, path)
    if source is None:
        return None
    if own:
        source = _own_source(source, own)
    elif "file_id" in source:
        raise invalid("a file uploaded to another provider cannot be read by this one; send its bytes", path)
    if part.kind == "document" and not dialect.documents:
        return _document_as_text(part, source, path, log)
    block: Json = {"type": part.kind, "source": source}
    if part.title is not None:
        if part.kind == "document":
            block["title"] = part.title
        else:
            log.dropped(f"{path}.title", "images have no title here")
    if part.extras:
        put(block, part.extras, path, log)
    return block


def _own_source(source: Json, own: Json) -> Json:
    """A source with the keys that only this protocol knows; ``content`` says its text under another name."""
    if own.get("type") == "content":
        source = {"content": source["data"]}
    return {**source, **own}


def _image_source(part: MediaPart, path: str, log: LossLog) -> Json | None:
    if part.data is None and part.media_type is not None:
        log.dropped(f"{path}.media_type", "whoever holds the image says it himself")
    if part.url is not None:
        return {"type": "url", "url": part.url}
    if part.file_id is not None:
        return {"type": "file", "file_id": part.file_id}
    media_type = "image/jpeg" if part.media_type == "image/jpg" else part.media_type
    if part.data is None or media_type not in IMAGE_TYPES:
        log.dropped(path, f"{media_type or 'an image of unknown type'} is not among {', '.join(sorted(IMAGE_TYPES))}")
        return None
    if media_type != part.media_type:
        log.approximated(f"{path}.media_type", "sent under its registered name, image/jpeg")
    return {"type": "base64", "media_type": media_type, "data": part.data}


def _document_source(part: MediaPart, path: str) -> Json:
    if part.text is not None:
        return {"type": "text", "media_type": part.media_type or "text/plain", "data": part.text}
    if part.url is not None:
        return {"type": "url", "url": part.url}
    if part.file_id is not None:
        return {"type": "file", "file_id": part.file_id}
    data, media_type = part.data or "", part.media_type
    if media_type == "application/pdf" or (media_type is None and data.startswith(_PDF_START)):
        return {"type": "base64", "media_type": "application/pdf", "data": data}
    if media_type is None or not media_type.startswith("text/"):
        raise invalid(f"documents of type {media_type or 'unknown'} are not supported; send a PDF or plain text", path)
    try:
        text = base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise invalid("the document's data is not base64 of UTF-8 text", path) from None
    return {"type": "text", "media_type": "text/plain", "data": text}


def _document_as_text(part: MediaPart, source: Json, path: str, log: LossLog) -> Json:
    text = source.get("data") if source.get("type") == "text" else source.get("content")
    if not isinstance(text, str):
        raise invalid("this upstream takes no documents but plain text", path)
    log.emulated(path, "sent as text, because this upstream takes no documents")
    if part.extras:
        put({}, {name: keys for name, keys in part.extras.items() if name != NAME}, path, log)
    title = f' title="{part.title}"' if part.title else ""
    return {"type": "text", "text": f"<document{title}>\n{text}\n</document>"}
