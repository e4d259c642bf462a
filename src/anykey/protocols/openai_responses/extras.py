"""Keys without a neutral field: ours are written back, another protocol's are reported one by one."""

from __future__ import annotations

import hashlib

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Extras, Json, ProtocolName

NAME: ProtocolName = "openai_responses"
NO_FIELD = "Responses has no such field"


def kept(rest: Json) -> Extras:
    """``rest`` as the extras of a neutral value."""
    return {NAME: rest} if rest else {}


def own(extras: Extras) -> Json:
    """Our own keys among ``extras``; not to be changed."""
    return extras.get(NAME) or {}


def write_extras(target: Json, extras: Extras, path: str, log: LossLog) -> None:
    """Add our own keys to ``target`` unless it has them; each key of another protocol is a Loss at ``path``."""
    for origin, keys in extras.items():
        if origin == NAME:
            for key, value in keys.items():
                target.setdefault(key, value)
    log.foreign(extras, NAME, path, NO_FIELD)


def drop_extras(extras: Extras, path: str, log: LossLog) -> None:
    """Every key is a Loss: what they belonged to is sent in a form that has no place for them."""
    for keys in extras.values():
        for key in keys:
            log.dropped(f"{path}.{key}" if path else key, "the form this is sent in has no such field")


def synthetic_id(prefix: str, *seeds: object) -> str:
    """An id for what came without one: the same for the same content and position."""
    digest = hashlib.sha256("\x00".join(map(str, seeds)).encode("utf-8", "surrogatepass"))
    return f"{prefix}{digest.hexdigest()[:24]}"
