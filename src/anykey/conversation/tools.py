"""What the model may call, and how far it must."""

from __future__ import annotations

from typing import Literal

import msgspec

from anykey.conversation.parts import CacheHint, Extras, Json, ProtocolName


class FunctionTool(msgspec.Struct, frozen=True, tag="function"):
    """``parameters`` is a JSON Schema, None when the caller gave none. ``strict`` None means unsaid."""

    name: str
    description: str | None = None
    parameters: Json | None = None
    strict: bool | None = None
    cache: CacheHint | None = None
    extras: Extras = {}


class CustomTool(msgspec.Struct, frozen=True, tag="custom"):
    """A tool whose input is free text, perhaps bound by a grammar (``format`` as the origin spells it)."""

    name: str
    description: str | None = None
    format: Json | None = None
    extras: Extras = {}


class HostedTool(msgspec.Struct, frozen=True, tag="hosted"):
    """A tool the provider runs itself (web search, code execution …): ``value`` is the whole wire object of ``origin``."""

    origin: ProtocolName
    kind: str
    name: str | None
    value: Json
    cache: CacheHint | None = None


Tool = FunctionTool | CustomTool | HostedTool


class ToolChoice(msgspec.Struct, frozen=True):
    """``named`` carries ``names[0]``; ``allowed`` limits the tools to ``names`` with ``required`` telling auto from must."""

    mode: Literal["auto", "none", "required", "named", "allowed"]
    names: tuple[str, ...] = ()
    required: bool = False
    custom: bool = False
    extras: Extras = {}
