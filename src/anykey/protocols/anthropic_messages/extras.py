"""Keys without a neutral field: kept under this protocol's name, written back by it, a Loss when another protocol's."""

from __future__ import annotations

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Extras, Json, ProtocolName

NAME: ProtocolName = "anthropic_messages"


def keep(rest: Json) -> Extras:
    """What nobody read of an object, as its struct's ``extras``."""
    return {NAME: rest} if rest else {}


def put(target: Json, extras: Extras, path: str, log: LossLog) -> None:
    """Write our own keys of ``extras`` into ``target`` (fields already there win); name every other protocol's key."""
    for origin, keys in extras.items():
        if origin == NAME:
            for key, value in keys.items():
                target.setdefault(key, value)
    log.foreign(extras, NAME, path, "Messages has no such field")


def report_foreign(extras: Extras, path: str, log: LossLog) -> None:
    """Name every key of another protocol; our own are written elsewhere."""
    if extras:
        put({}, extras, path, log)
