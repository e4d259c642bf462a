"""What a model answered."""

from __future__ import annotations

from typing import Literal

import msgspec

from anykey.conversation.parts import Extras, Json, Part
from anykey.conversation.usage import Usage

FinishReason = Literal[
    "stop",  # it was done
    "stop_sequence",  # it hit one of the caller's stop sequences
    "length",  # it used up the tokens it was allowed
    "context_window",  # it used up the model's context
    "tool_calls",  # it waits for tool results
    "content_filter",  # the provider cut it
    "refusal",  # the model declined
    "pause",  # a hosted tool needs another turn; send the answer back to go on
    "other",  # see ``raw``
]


class Finish(msgspec.Struct, frozen=True):
    """``raw`` is the provider's own word where it says more than ``reason``; ``detail`` its explanation object."""

    reason: FinishReason
    raw: str | None = None
    stop_sequence: str | None = None
    detail: Json | None = None


class Choice(msgspec.Struct, frozen=True):
    parts: tuple[Part, ...]
    finish: Finish | None = None
    index: int = 0
    logprobs: Json | None = None
    extras: Extras = {}


class GenerateResponse(msgspec.Struct, frozen=True):
    """``created`` is unix seconds. ``usage`` None means the upstream reported none."""

    id: str
    model: str
    choices: tuple[Choice, ...]
    usage: Usage | None = None
    created: int | None = None
    service_tier: str | None = None
    extras: Extras = {}
