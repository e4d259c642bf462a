"""``usage`` → disjoint buckets. ``inputTokens`` leaves tokens read from and written to the cache out; ``outputTokens`` holds the
thinking ones, which Converse never tells apart."""

from __future__ import annotations

from typing import Any

from anykey.conversation.usage import Usage, carve, token_count
from anykey.protocols.bedrock_converse.extras import is_object, keep, list_at

_COUNTS = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
_DERIVED = frozenset({*_COUNTS, "totalTokens", "cacheDetails", "cacheReadInputTokenCount", "cacheWriteInputTokenCount"})
"""What is read, and what says the same once more: the sum, and older names of the cache's two counts."""


def decode_usage(value: Any) -> Usage | None:
    """Buckets of a ``TokenUsage``; numbers that cannot be token counts are taken as 0. None: it counts nothing."""
    if not is_object(value):
        return None
    fresh, output, read, written = (token_count(value.get(name)) for name in _COUNTS)
    if fresh is None and output is None:
        return None
    lasting = sum(
        token_count(detail.get("inputTokens")) or 0 for detail in list_at(value, "cacheDetails") if _long(detail)
    )
    short, long = carve(written or 0, lasting)
    rest = {key: item for key, item in value.items() if key not in _DERIVED}
    return Usage(fresh or 0, read or 0, short, long, output or 0, extras=keep(rest))


def _long(detail: Any) -> bool:
    """Written for an hour, which costs more."""
    return is_object(detail) and detail.get("ttl") == "1h"
