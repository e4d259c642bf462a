"""A request for a server that knows a part of Chat Completions only: what it refuses, or does not heed, is left out with a Loss.

The same table decides about a client's own bytes: they go out untouched as long as there is nothing in them to leave out.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.protocols.openai_chat.dialect import Dialect, listed, refused

LONGEST_KEY = 64
_LIMITS = frozenset({"max_tokens", "max_completion_tokens"})
_SINGLE = frozenset({b"1", b"null"})
_keys = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _CacheKey(msgspec.Struct):
    prompt_cache_key: Any = None


_cache_key = msgspec.json.Decoder(_CacheKey)


def leave_out(body: Json, dialect: Dialect, log: LossLog) -> None:
    """Take out of an encoded ``body`` what its server refuses."""
    for key in sorted(refused(dialect) & body.keys()):
        del body[key]
        log.dropped(key, "this upstream does not take it")


def fits(body: bytes, dialect: Dialect) -> bool:
    """A client's own ``body`` holds nothing that the server would refuse. Words are searched for, which may be in a text; keys
    are read."""
    find = body.rfind  # CPython searches faster from the end
    if not dialect.custom_tools and find(b'"custom"') >= 0:
        return False
    if not dialect.developer_role and find(b'"developer"') >= 0:
        return False
    if not dialect.allowed_tool_choice and find(b'"allowed_tools"') >= 0:
        return False
    return not refused(dialect) or _fits_keys(body, dialect)


def _fits_keys(body: bytes, dialect: Dialect) -> bool:
    """False for a body that cannot be read, too: reading it whole says what is wrong with it."""
    try:
        fields = _keys.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    unwanted = refused(dialect)
    if any(key in unwanted and bytes(value) != b"null" for key, value in fields.items()):
        return False
    if fields.keys() >= _LIMITS:
        return False
    if not dialect.choice_count and bytes(fields.get("n", msgspec.Raw(b"1"))) not in _SINGLE:
        return False
    return _fits_words(fields, dialect)


def _fits_words(fields: dict[str, msgspec.Raw], dialect: Dialect) -> bool:
    """The words of effort, thinking and tier are words that the server knows."""
    efforts, tiers = listed(dialect.efforts), listed(dialect.service_tiers)
    effort, tier = _word(fields, "reasoning_effort"), _word(fields, "service_tier")
    if (efforts and effort and effort not in efforts) or (tiers and tier and tier not in tiers):
        return False
    return dialect.thinking_off == "switch" or b'"disabled"' not in bytes(fields.get("thinking", b""))


def _word(fields: dict[str, msgspec.Raw], key: str) -> str:
    return bytes(fields.get(key, b"")).decode(errors="replace").strip('"').replace("null", "")


def cache_key_of(body: bytes) -> str | None:
    """``prompt_cache_key`` of a client's own ``body``."""
    if b'"prompt_cache_key"' not in body:
        return None
    try:
        key = _cache_key.decode(body).prompt_cache_key
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return key if isinstance(key, str) and key else None


def header_value(key: str) -> bytes:
    """A cache key as the value of a header. One that is long, or no plain word, is sent as its SHA-256: a client's text must not
    be able to end the header."""
    if len(key) <= LONGEST_KEY and key.isascii() and key.isprintable() and key == key.strip():
        return key.encode()
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest().encode()
