"""Pictures, sound, films and documents of a request, neutral → wire, for one upstream. The gateway downloads nothing."""

from __future__ import annotations

from anykey.conversation.failures import invalid
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json, MediaPart
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.extras import drop_extras, write_extras
from anykey.protocols.gemini_generate.media import encode_media, is_own_file, is_youtube
from anykey.protocols.gemini_generate.texts_encoding import drop_mark

_RESOLUTIONS = {"low": "MEDIA_RESOLUTION_LOW", "medium": "MEDIA_RESOLUTION_MEDIUM", "high": "MEDIA_RESOLUTION_HIGH"}


class MediaWriter:
    """``write`` gives one part."""

    __slots__ = ("_dialect", "_log")

    def __init__(self, dialect: Dialect, log: LossLog) -> None:
        self._dialect = dialect
        self._log = log

    def write(self, part: MediaPart, path: str) -> Json:
        """The part. FailureError (400) names it where the upstream cannot get at it: by address, or by another's file id."""
        drop_mark(part.cache, path, self._log)
        self._check(part, path)
        entry = encode_media(part)
        if entry is None:
            return self._text(part, path)
        if part.title is not None:
            if self._dialect.display_names:
                next(iter(entry.values()))["displayName"] = part.title
            else:
                self._log.dropped(f"{path}.title", "media have no title here")
        if part.detail is not None:
            self._detail(entry, part.detail, path)
        write_extras(entry, part.extras, path, self._log)
        return entry

    def _check(self, part: MediaPart, path: str) -> None:
        if part.url is not None and not (self._dialect.image_urls or is_youtube(part.url) or is_own_file(part.url)):
            raise invalid(f"this model takes no {part.kind} by address; send its data", path)
        if part.file_id is not None and not is_own_file(part.file_id):
            raise invalid("a file id is known only to the provider that holds the file; send its data", path)

    def _text(self, part: MediaPart, path: str) -> Json:
        self._log.approximated(path, "a text document is sent as plain text")
        if part.detail is not None:
            self._log.dropped(f"{path}.detail", "plain text has none")
        drop_extras(part.extras, path, self._log)
        return {"text": f"{part.title}\n\n{part.text}" if part.title else part.text}

    def _detail(self, entry: Json, detail: str, path: str) -> None:
        level = _RESOLUTIONS.get(detail) if self._dialect.media_resolution else None
        if level is None:
            self._log.dropped(f"{path}.detail", "this model has no such resolution for one medium")
        else:
            entry["mediaResolution"] = {"level": level}
