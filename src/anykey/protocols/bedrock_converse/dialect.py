"""What of Converse a model behind it takes. One protocol for the models of many makers, so nearly all of it differs by model."""

from __future__ import annotations

from typing import Literal

import msgspec

from anykey.conversation.parts import Json


class Dialect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an upstream's model takes. The defaults are what every model takes.

    ``thinking``: how ``additionalModelRequestFields`` asks for it: ``none`` (the model has no such field), ``budget``
    (``thinking`` with a number of tokens), ``adaptive`` (``thinking`` without one: the model decides), ``reasoning_effort`` (that
    field) or ``reasoning_config`` (``reasoningConfig`` with an effort). ``effort``: ``outputConfig.effort`` is taken besides.
    ``sampling``: temperature and topP are taken. ``top_k``: ``top_k`` stands in the additional fields. ``cache_points``: cache
    points are taken ``none``, in the ``prompt`` (system text and messages) or in ``all`` of the request, tools too.
    ``cache_ttl``: a cache point may say ``1h``. ``forced_tool_choice``: ``any`` and ``tool`` are taken. ``strict_tools``:
    ``toolSpec.strict`` is taken. ``output_format``: ``outputConfig.textFormat`` is taken. ``mid_conversation_system``: the role
    ``system`` may stand inside ``messages``. ``prefill``: the last message may be the assistant's. ``metadata``:
    ``requestMetadata`` is taken. ``service_tier``: ``serviceTier`` is taken.
    """

    thinking: Literal["none", "budget", "adaptive", "reasoning_effort", "reasoning_config"] = "none"
    effort: bool = False
    sampling: bool = True
    top_k: bool = False
    cache_points: Literal["none", "prompt", "all"] = "none"
    cache_ttl: bool = False
    forced_tool_choice: bool = True
    strict_tools: bool = False
    output_format: bool = False
    mid_conversation_system: bool = False
    prefill: bool = True
    metadata: bool = True
    service_tier: bool = True


def dialect(table: Json) -> Dialect:
    """The Dialect of a catalogue row's table. ValueError names the unknown field or the wrong value."""
    try:
        return msgspec.convert(table, Dialect)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
