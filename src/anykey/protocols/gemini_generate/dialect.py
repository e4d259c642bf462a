"""What differs between servers and models that speak generateContent. A vendor's quirk is a field here, never a name in code."""

from __future__ import annotations

from typing import Literal

import msgspec

from anykey.conversation.parts import Json
from anykey.protocols.hosted import purposes


class Dialect(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The defaults are the Gemini API's own, with everything off that only some models or servers accept.

    ``json_schema``: schemas go as JSON Schema (``parametersJsonSchema``, ``responseJsonSchema``), else as the OpenAPI subset.
    ``thinking``: ``level`` (from ``lowest_level`` to ``highest_level``), ``budget`` (tokens from ``min_thinking_budget``, where 0
    means that thinking can be switched off, to ``max_thinking_budget``) or ``none``. ``thought_signatures``: ``required`` where
    the first call of a turn is refused without one. ``tool_result_media``: ``native`` puts media into
    ``functionResponse.parts``, ``user_followup`` beside it. ``call_ids``: calls and results may name an id.
    ``validated_calls``: the mode ``VALIDATED`` is known. ``hosted_tools``: the purposes for which the server has a tool of its
    own, separated by commas; ``mixed_tools``: they go together with functions, although their calls and results, which must
    come back, cannot stand in other protocols. ``image_urls``: the server fetches any https address.
    ``image_output``: the model must be asked for pictures. ``labels``: the caller's metadata is taken. ``display_names``: media
    may have a title. ``media_resolution``: a medium may say how closely it is to be looked at. The rest are fields of their
    name.
    """

    json_schema: bool = True
    thinking: Literal["level", "budget", "none"] = "level"
    lowest_level: Literal["minimal", "low"] = "low"
    highest_level: Literal["high", "xhigh"] = "high"
    min_thinking_budget: int = 0
    max_thinking_budget: int = 24_576
    thought_signatures: Literal["required", "optional"] = "optional"
    tool_result_media: Literal["native", "user_followup"] = "user_followup"
    call_ids: bool = True
    validated_calls: bool = True
    hosted_tools: str = "web_search,web_fetch,code_execution"
    mixed_tools: bool = False
    image_urls: bool = False
    image_output: bool = False
    labels: bool = False
    display_names: bool = False
    media_resolution: bool = False
    service_tier: bool = True
    penalties: bool = True
    logprobs: bool = True


def dialect(table: Json) -> Dialect:
    """The Dialect of a catalogue row's table. ValueError names an unknown field or a wrong value."""
    try:
        found = msgspec.convert(table, Dialect)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    purposes(found.hosted_tools)
    return found
