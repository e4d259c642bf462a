"""In which service tier an answer was made, as upstreams say it.

Chat and Responses name it beside the answer (``service_tier``), Messages and Gemini beside the counts (``service_tier``,
``speed``, ``serviceTier``; Vertex' ``trafficType`` is ``ON_DEMAND_FLEX`` and the like), Converse in an object
(``serviceTier.type``). A stream may name what was asked for at its beginning (``auto``) and what it became at its end: the last
word counts.
"""

from __future__ import annotations

from typing import Any

from anykey.conversation.parts import Json
from anykey.conversation.usage import Usage

_FAST = "fast"
_ON_DEMAND = "on_demand"


def tier_in(said: Json) -> str | None:
    """The tier that an answer, its usage, or what is left of either names, in lower case; None: none."""
    if said.get("speed") == _FAST:
        return _FAST
    word: Any = said.get("service_tier") or said.get("serviceTier") or said.get("trafficType")
    return tier_word(word)


def tier_word(word: Any) -> str | None:
    """A tier as any of them spells it."""
    if isinstance(word, dict):
        fields: Json = word  # pyright: ignore[reportUnknownVariableType] - whatever JSON there is
        word = fields.get("type")
    if not isinstance(word, str) or not word:
        return None
    return word.lower().removeprefix(_ON_DEMAND + "_")


def tier_of_usage(usage: Usage | None) -> str | None:
    """The tier that stood beside the counts, kept with what has no bucket."""
    if usage is not None and usage.extras:
        for fields in usage.extras.values():
            found = tier_in(fields)
            if found is not None:
                return found
    return None
