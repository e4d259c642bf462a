"""A Loss says what a conversion could not carry. It is a value that travels beside the result, never a silent drop."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from anykey.conversation.parts import Extras

LossKind = Literal["dropped", "approximated", "emulated"]
Side = Literal["request", "response"]

_INDEX = re.compile(r"\[\d+\]")


class Loss(msgspec.Struct, frozen=True):
    """``path`` is where it stood: in the wire for a decoder (``messages[2].content[0].cache_control``), in the neutral model
    for an encoder (``reasoning.budget_tokens``); ``reason`` is one plain English clause. ``dropped``: it is gone;
    ``approximated``: something near it was sent; ``emulated``: the same effect is reached by other means."""

    kind: LossKind
    path: str
    reason: str
    side: Side = "request"

    @property
    def code(self) -> str:
        """Kind and path without indices: what is counted and shown in the header."""
        return f"{self.kind}:{_INDEX.sub('', self.path)}"


class LossLog:
    """Collects losses while a codec works. One log serves one conversion."""

    __slots__ = ("losses", "side")

    def __init__(self, side: Side) -> None:
        self.side: Side = side
        self.losses: list[Loss] = []

    def dropped(self, path: str, reason: str) -> None:
        self.losses.append(Loss("dropped", path, reason, self.side))

    def approximated(self, path: str, reason: str) -> None:
        self.losses.append(Loss("approximated", path, reason, self.side))

    def emulated(self, path: str, reason: str) -> None:
        self.losses.append(Loss("emulated", path, reason, self.side))

    def foreign(self, extras: Extras, own: str, path: str, reason: str) -> None:
        """Every key that another protocol than ``own`` left behind is dropped. An ``id``, or that of the ``message`` it stood in,
        is no loss: it names a piece of what was said, and the pieces have other names here."""
        for origin, keys in extras.items():
            if origin != own:
                for key, value in keys.items():
                    if key != "id" and not (key == "message" and isinstance(value, dict) and set(value) == {"id"}):  # pyright: ignore[reportUnknownArgumentType] - parsed JSON
                        self.dropped(f"{path}.{key}" if path else key, reason)


def summarize(losses: list[Loss] | tuple[Loss, ...]) -> str:
    """The value of the ``x-anykey-losses`` header: the count, then each distinct code in order."""
    codes = list(dict.fromkeys(loss.code for loss in losses))
    return f"{len(losses)}; {', '.join(codes)}" if losses else "0"
