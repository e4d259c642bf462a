"""What the model may call, and how far it must."""

from __future__ import annotations

from typing import Literal

import msgspec

from anykey.conversation.parts import CacheHint, Extras, Json, ProtocolName, ToolCallKind

HostedPurpose = Literal[
    "web_search", "web_fetch", "code_execution", "file_search", "image_generation", "computer", "mcp"
]
"""What a hosted tool is for: the word by which one provider's tool is exchanged for another's."""


class FunctionTool(msgspec.Struct, frozen=True, tag="function"):
    """``parameters`` is a JSON Schema, None when the caller gave none. ``strict`` None means unsaid. ``kind`` is that of its
    calls: a client-run tool that Responses spells as a type of its own (``apply_patch``, ``shell`` …) is a function with that
    kind to every other protocol, its wire object in ``extras``. ``namespace`` groups tools in Responses; the name is unique
    only within it."""

    name: str
    description: str | None = None
    parameters: Json | None = None
    strict: bool | None = None
    cache: CacheHint | None = None
    extras: Extras = {}
    kind: ToolCallKind = "function"
    namespace: str | None = None


class CustomTool(msgspec.Struct, frozen=True, tag="custom"):
    """A tool whose input is free text, perhaps bound by a grammar (``format`` as the origin spells it)."""

    name: str
    description: str | None = None
    format: Json | None = None
    extras: Extras = {}
    namespace: str | None = None


class HostedTool(msgspec.Struct, frozen=True, tag="hosted"):
    """A tool the provider runs itself (web search, code execution …): ``value`` is the whole wire object of ``origin``.

    ``purpose`` is set where other providers have a tool for the same; ``options`` then holds what of ``value`` crosses:
    ``allowed_domains``, ``blocked_domains`` (lists of host names), ``max_uses`` (integer), ``context_size`` (low, medium, high),
    ``user_location`` (``country``, ``region``, ``city``, ``timezone``). What has no place in it is in ``value`` only."""

    origin: ProtocolName
    kind: str
    name: str | None
    value: Json
    cache: CacheHint | None = None
    purpose: HostedPurpose | None = None
    options: Json = {}


Tool = FunctionTool | CustomTool | HostedTool


class ToolChoice(msgspec.Struct, frozen=True):
    """``named`` carries ``names[0]``; ``allowed`` limits the tools to ``names`` with ``required`` telling auto from must."""

    mode: Literal["auto", "none", "required", "named", "allowed"]
    names: tuple[str, ...] = ()
    required: bool = False
    custom: bool = False
    extras: Extras = {}
