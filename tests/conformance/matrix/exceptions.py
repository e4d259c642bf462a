"""Where a cell is not a proof: what a protocol has no words for, and what a crossing cannot carry.

A cell that is not listed is proven. One that is ``NOT_SAYABLE`` has no conversation to be held; one that is ``NOT_POSSIBLE`` is
held, falls short, and the gateway must have named the Loss. Reasons are keys of ``words.toml``.
"""

from typing import NamedTuple

from tests.fakes.agents import GEMINI, RESPONSES
from tests.fakes.answers import CHAT, MESSAGES

ANY = "*"


class Impossible(NamedTuple):
    """Why a cell cannot be carried, and the code of the Loss that says so."""

    reason: str
    loss: str


NOT_SAYABLE: dict[tuple[str, str, str], str] = {
    ("tool result with image", CHAT, ANY): "text_only",
    ("tool result with error", CHAT, ANY): "no_error",
    ("tool result with error", RESPONSES, ANY): "no_error",
    ("stop", RESPONSES, ANY): "no_stop",
    ("count tokens", CHAT, ANY): "no_count",
    ("count tokens", RESPONSES, "stream"): "no_stream",
    ("count tokens", MESSAGES, "stream"): "no_stream",
    ("count tokens", GEMINI, "stream"): "no_stream",
    ("custom tool", MESSAGES, ANY): "no_custom",
    ("custom tool", GEMINI, ANY): "no_custom",
    ("namespace tool", CHAT, ANY): "no_namespaces",
    ("namespace tool", MESSAGES, ANY): "no_namespaces",
    ("namespace tool", GEMINI, ANY): "no_namespaces",
}
"""(feature, client, mode)."""

WHOLE_TEXT = Impossible("whole_text", "approximated:content.citations")

NOT_POSSIBLE: dict[tuple[str, str, str], Impossible] = {
    ("citations", MESSAGES, CHAT): WHOLE_TEXT,
    ("citations", MESSAGES, RESPONSES): WHOLE_TEXT,
    ("citations", MESSAGES, GEMINI): WHOLE_TEXT,
}
"""(feature, client, upstream)."""


def not_sayable(feature: str, client: str, mode: str) -> str | None:
    """Why the client cannot say it; None where it can."""
    return NOT_SAYABLE.get((feature, client, ANY)) or NOT_SAYABLE.get((feature, client, mode))


def not_possible(feature: str, client: str, upstream: str) -> Impossible | None:
    """Why it cannot be carried; None where it is."""
    return NOT_POSSIBLE.get((feature, client, upstream))


def impossible() -> list[Impossible]:
    """Each such reason once; its letter in the matrix is by its place here."""
    return list(dict.fromkeys(NOT_POSSIBLE.values()))
