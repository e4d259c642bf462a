"""Tokens of one exchange in disjoint buckets: every token is in exactly one of them, none is negative.

Providers report overlapping totals; those are methods here, never fields, so that a sum can never count a token twice.
"""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.parts import Extras

LARGEST_COUNT = 10_000_000_000


def token_count(value: Any) -> int | None:
    """A provider's number if it can be a token count, else None (negative, huge, text, NaN and booleans cannot)."""
    if type(value) is int:
        return value if 0 <= value <= LARGEST_COUNT else None
    if type(value) is float and value.is_integer():
        return token_count(int(value))
    return None


class Usage(msgspec.Struct, frozen=True):
    """``input_tokens`` were read fresh; ``output_tokens`` is the answer without reasoning, audio and images."""

    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    input_audio_tokens: int = 0
    input_image_tokens: int = 0
    output_audio_tokens: int = 0
    output_image_tokens: int = 0
    extras: Extras = {}

    def total_input(self) -> int:
        """All prompt tokens, cached or not."""
        return (
            self.input_tokens
            + self.cache_read_tokens
            + self.cache_write_5m_tokens
            + self.cache_write_1h_tokens
            + self.input_audio_tokens
            + self.input_image_tokens
        )

    def total_output(self) -> int:
        """All generated tokens, reasoning included."""
        return self.output_tokens + self.reasoning_tokens + self.output_audio_tokens + self.output_image_tokens

    def cache_write_tokens(self) -> int:
        return self.cache_write_5m_tokens + self.cache_write_1h_tokens


def carve(total: int, *parts: int) -> tuple[int, ...]:
    """Split ``total`` into (rest, *parts): each part at most what is left, so that all are disjoint and sum to ``total``.

    Some providers report a detail larger than its total (reasoning above completion in 44 recordings): it is cut.
    """
    taken: list[int] = []
    left = total
    for part in parts:
        share = part if part < left else left  # min and max cost a call each, and this runs for every answer
        if share > 0:
            left -= share
            taken.append(share)
        else:
            taken.append(0)
    return (left, *taken)
