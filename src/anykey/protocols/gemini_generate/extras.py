"""Keys without a neutral field: ours are written back, another protocol's are reported one by one.

A key that stood deeper than the object it is kept for is kept under its path (``generationConfig.speechConfig``).
"""

from __future__ import annotations

import hashlib
from typing import Any

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Extras, Json, ProtocolName
from anykey.protocols.gemini_generate.spelling import is_object

NAME: ProtocolName = "gemini_generate"
NO_FIELD = "generateContent has no such field"


def kept(rest: Json) -> Extras:
    """``rest`` as the extras of a neutral value."""
    return {NAME: rest} if rest else {}


def write_extras(target: Json, extras: Extras, path: str, log: LossLog) -> None:
    """Add our own keys to ``target`` unless it has them; each key of another protocol is a Loss at ``path``."""
    for origin, keys in extras.items():
        if origin == NAME:
            for key, value in keys.items():
                _put(target, key, value)
    log.foreign(extras, NAME, path, NO_FIELD)


def _put(target: Json, key: str, value: object) -> None:
    """``value`` where its path leads; a key that only looks like a path stands as it is."""
    *outer, last = key.split(".")
    place = target
    for step in outer:
        inner: Any = place.setdefault(step, {})
        if not is_object(inner):
            target.setdefault(key, value)
            return
        place = inner
    place.setdefault(last, value)


def drop_extras(extras: Extras, path: str, log: LossLog) -> None:
    """Every key is a Loss: what they belonged to is sent in a form that has no place for them."""
    for keys in extras.values():
        for key in keys:
            log.dropped(f"{path}.{key}" if path else key, "the form this is sent in has no such field")


def synthetic_id(*seeds: object) -> str:
    """An id for a call that came without one: the same for the same content and position."""
    digest = hashlib.sha256("\x00".join(map(str, seeds)).encode("utf-8", "surrogatepass"))
    return f"call_{digest.hexdigest()[:24]}"
