"""The pieces a message is made of.

A part is a frozen value. What one protocol knows and the neutral model does not is kept under ``extras[protocol]`` so that
the same protocol can write it back; another protocol that cannot carry it says so with a ``Loss``. A block that no codec
knows at all is an ``OpaquePart``.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

ProtocolName = Literal["openai_chat", "openai_responses", "anthropic_messages", "gemini_generate", "bedrock_converse"]
"""By the names of their folders in ``protocols``. The last is spoken to upstreams only."""
Json = dict[str, Any]
Extras = dict[str, Json]
"""Keys of one protocol that have no neutral field: ``{"anthropic_messages": {"caller": {...}}}``. Never mutated."""

MediaKind = Literal["image", "document", "audio", "video"]
ToolCallKind = Literal[
    "function",
    "custom",
    "legacy_function",
    "hosted",  # the provider runs it
    # Run by the client like a function, but spelled with an item type of their own by Responses:
    "shell",
    "local_shell",
    "apply_patch",
    "tool_search",
]


class CacheHint(msgspec.Struct, frozen=True):
    """The caller marks the end of a reusable prefix (Messages ``cache_control``, Chat ``prompt_cache_breakpoint``).

    ``ttl`` is the spelled lifetime (``5m``, ``1h``, ``30m``, ``12h``) or None for the protocol's default.
    """

    ttl: str | None = None
    extras: Extras = {}


class Citation(msgspec.Struct, frozen=True):
    """A source of a piece of text. ``start``/``end`` are character offsets in the part's text where they are known.

    ``raw`` is the citation as ``origin`` spelled it, so that the same protocol writes it back unchanged.
    """

    origin: ProtocolName
    raw: Json
    url: str | None = None
    title: str | None = None
    cited_text: str | None = None
    start: int | None = None
    end: int | None = None


class OpaqueState(msgspec.Struct, frozen=True):
    """Reasoning state that only its maker can read (a signature, encrypted content). ``origin`` is the family that made it:
    a protocol name, or the vendor format a Chat ``reasoning_details`` entry names. Never altered, never shown. ``place`` is where
    its maker had put it, in the maker's own words, if the order of parts does not tell (Gemini: ``call``, ``text``, ``end``)."""

    origin: str
    data: str
    place: str = ""


class TextPart(msgspec.Struct, frozen=True, tag="text"):
    text: str
    cache: CacheHint | None = None
    citations: tuple[Citation, ...] = ()
    extras: Extras = {}


class ReasoningPart(msgspec.Struct, frozen=True, tag="reasoning"):
    """What the model thought. ``redacted`` means there is only ``state``, no readable text."""

    text: str
    state: OpaqueState | None = None
    redacted: bool = False
    extras: Extras = {}


class ToolCallPart(msgspec.Struct, frozen=True, tag="tool_call"):
    """The model asks for a tool. ``arguments`` is the text as written: JSON for functions (``""`` means no arguments),
    free text for custom tools. ``hosted`` calls are run by the provider itself, not by the client. ``namespace`` is the
    Responses namespace that the tool belongs to."""

    id: str
    name: str
    arguments: str
    kind: ToolCallKind = "function"
    cache: CacheHint | None = None
    extras: Extras = {}
    namespace: str | None = None


class MediaPart(msgspec.Struct, frozen=True, tag="media"):
    """An image, document, audio or video: exactly one of ``data`` (base64), ``url``, ``file_id``, ``text`` is set."""

    kind: MediaKind
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    file_id: str | None = None
    text: str | None = None
    title: str | None = None
    detail: str | None = None
    cache: CacheHint | None = None
    extras: Extras = {}


class RefusalPart(msgspec.Struct, frozen=True, tag="refusal"):
    text: str
    extras: Extras = {}


class OpaquePart(msgspec.Struct, frozen=True, tag="opaque"):
    """A block only ``origin`` knows (``kind`` is its wire type): kept whole for the same protocol, a Loss for any other."""

    origin: ProtocolName
    kind: str
    value: Json
    cache: CacheHint | None = None


class ToolResultPart(msgspec.Struct, frozen=True, tag="tool_result"):
    """What a tool answered. ``name`` is set where the protocol names the tool instead of the call; ``kind`` is that of the
    call where the protocol spells results by it (Responses)."""

    call_id: str
    content: tuple[TextPart | MediaPart | OpaquePart, ...] = ()
    is_error: bool = False
    name: str | None = None
    cache: CacheHint | None = None
    extras: Extras = {}
    kind: ToolCallKind = "function"


Part = TextPart | ReasoningPart | ToolCallPart | ToolResultPart | MediaPart | RefusalPart | OpaquePart
