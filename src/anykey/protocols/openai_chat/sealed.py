"""Reasoning state beside the text of a message: ``encrypted_content``, one text that stands for all that was thought in it.

Ark's newer models answer with a summary in ``reasoning_content`` and the thought itself in here; whoever sends both back gets it
read instead of the summary, and whoever sends neither gets a model that has forgotten (byteplus.md §4).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from anykey.conversation.parts import OpaqueState, Part, ReasoningPart
from anykey.protocols.openai_chat.extras import NAME

KEY = "encrypted_content"


def sealed_state(data: str) -> OpaqueState:
    """``encrypted_content`` as the state of a part."""
    return OpaqueState(NAME, data, KEY)


def is_sealed(state: OpaqueState | None) -> bool:
    """Whether ``state`` stands under ``encrypted_content`` and nowhere else."""
    return state is not None and state.place == KEY


def sealed_in(parts: Iterable[ReasoningPart]) -> str | None:
    """What goes under ``encrypted_content`` for ``parts``; a message has one, so the last of them."""
    found = [part.state.data for part in parts if part.state is not None and is_sealed(part.state)]
    return found[-1] if found else None


def add_sealed(parts: list[Part], data: str) -> None:
    """Give the readable thought in ``parts`` its state; where there is none the state is a part of its own."""
    for index, part in enumerate(parts):
        if isinstance(part, ReasoningPart) and part.state is None:
            parts[index] = msgspec.structs.replace(part, state=sealed_state(data))
            return
    parts.insert(0, ReasoningPart("", sealed_state(data), redacted=True))


def without_sealed(part: ReasoningPart) -> ReasoningPart:
    """``part`` as it is beside ``encrypted_content``."""
    return msgspec.structs.replace(part, state=None) if is_sealed(part.state) else part
