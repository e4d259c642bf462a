"""What a client asks of a model."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from anykey.conversation.message import Message
from anykey.conversation.parts import CacheHint, Extras, Json, Part
from anykey.conversation.tools import Tool, ToolChoice


class Reasoning(msgspec.Struct, frozen=True):
    """How much to think. ``mode``: ``on`` (a budget), ``adaptive`` (the model decides), ``off``, or another word of the
    protocol; ``effort`` none … max; ``budget_tokens``; ``display`` what the caller wants to see of it."""

    mode: str | None = None
    effort: str | None = None
    budget_tokens: int | None = None
    display: str | None = None
    extras: Extras = {}


class OutputFormat(msgspec.Struct, frozen=True):
    """The shape of the answer. ``schema`` is a JSON Schema and is set for ``json_schema`` only."""

    kind: Literal["text", "json_object", "json_schema"]
    schema: Json | None = None
    name: str | None = None
    description: str | None = None
    strict: bool | None = None


class GenerateRequest(msgspec.Struct, frozen=True):
    """``instructions`` is the system text that stands apart from the messages (Messages ``system``, Responses
    ``instructions``); protocols that have only messages leave it empty. None means the caller did not say. ``compact``: the
    answer is to stand for the conversation from now on (Responses' compaction). The last message asks the model for it, so that
    only the spelling of the answer depends on this."""

    model: str
    messages: tuple[Message, ...]
    instructions: tuple[Part, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    choice_count: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    reasoning: Reasoning | None = None
    output_format: OutputFormat | None = None
    verbosity: str | None = None
    service_tier: str | None = None
    metadata: dict[str, Any] | None = None
    end_user: str | None = None
    cache_key: str | None = None
    cache: CacheHint | None = None
    stream: bool = False
    include_usage: bool | None = None
    compact: bool = False
    extras: Extras = {}
