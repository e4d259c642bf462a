"""How one upstream's Messages differs from the protocol as documented. Every quirk is a field here, never a name in the code."""

from __future__ import annotations

from typing import Literal

import msgspec

from anykey.conversation.parts import Json
from anykey.protocols.hosted import purposes


class Dialect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an upstream takes.

    ``version``: the ``anthropic-version`` of translated requests. ``sampling``: temperature, top_p and top_k are taken.
    ``thinking``: ``adaptive`` (the model decides, an effort guides it), ``budget`` (a number of tokens) or ``none``.
    ``forced_tool_choice``: ``any`` and ``tool`` are taken. ``default_max_tokens``: sent when the caller named no limit, which
    the protocol requires. ``mid_conversation_system``: the role ``system`` may stand inside ``messages``. ``cache_control``:
    cache breakpoints are taken. ``output_format``: ``output_config.format`` is taken. ``effort``: ``output_config.effort`` is
    taken. ``documents``: document blocks are taken. ``prefill``: the last message may be the assistant's. ``strict_tools``:
    ``strict`` on a tool is taken. ``metadata``: ``metadata.user_id`` is taken. ``hosted_tools``: the purposes, separated by
    commas, for which the server has a tool of its own (``protocols.hosted``). ``service_tier``: that key is taken; ``speed``: so
    is ``speed: fast``. ``billing_header``: the server knows Claude Code's ``x-anthropic-billing-header`` line in the system text;
    it changes at every request, so to any other server it is a prefix that is never the same. ``body_version``: where the model
    stands in the URL (``…/{model}:rawPredict``), the body names this version instead of the model.
    """

    version: str = "2023-06-01"
    sampling: bool = True
    thinking: Literal["adaptive", "budget", "none"] = "budget"
    forced_tool_choice: bool = True
    default_max_tokens: int = 32000
    mid_conversation_system: bool = False
    cache_control: bool = True
    output_format: bool = True
    effort: bool = False
    documents: bool = True
    prefill: bool = True
    strict_tools: bool = True
    metadata: bool = True
    hosted_tools: str = ""
    service_tier: bool = True
    speed: bool = False
    billing_header: bool = False
    body_version: str = ""


def dialect(table: Json) -> Dialect:
    """The Dialect of a catalogue row's table. ValueError names the unknown field or the wrong value."""
    try:
        found = msgspec.convert(table, Dialect)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    purposes(found.hosted_tools)
    return found
