"""One turn of the conversation."""

from __future__ import annotations

from typing import Literal

import msgspec

from anykey.conversation.parts import CacheHint, Extras, Part

Role = Literal["system", "developer", "user", "assistant", "tool"]


class Message(msgspec.Struct, frozen=True):
    """Parts in the order they were said. Tool results may stand in a ``user`` message (Messages) or in one ``tool``
    message each (Chat); encoders accept both. ``system``/``developer`` messages may stand anywhere."""

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None
    cache: CacheHint | None = None
    extras: Extras = {}
