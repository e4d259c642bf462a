"""Text parts of a request, neutral → wire, and the marks that have no place there."""

from __future__ import annotations

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import CacheHint, Json, TextPart
from anykey.protocols.gemini_generate.extras import write_extras


def write_text(part: TextPart, path: str, log: LossLog) -> Json | None:
    """The part on the wire; None for an empty one, which Google refuses."""
    if part.cache is None and not part.citations and not part.extras:
        return {"text": part.text} if part.text else None
    drop_mark(part.cache, path, log)
    for index in range(len(part.citations)):
        log.dropped(f"{path}.citations[{index}]", "a request has no place for citations")
    entry: Json = {"text": part.text}
    write_extras(entry, part.extras, path, log)
    return entry if part.text or len(entry) > 1 else None


def drop_mark(hint: CacheHint | None, path: str, log: LossLog) -> None:
    """Name a cache mark."""
    if hint is not None:
        log.dropped(f"{path}.cache_control", "this upstream caches on its own and takes no marks")
