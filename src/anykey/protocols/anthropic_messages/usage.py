"""``usage``, both ways. ``input_tokens`` leaves the cached tokens out; ``output_tokens`` holds the thinking ones."""

from __future__ import annotations

from typing import Any

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.usage import Usage, carve, token_count
from anykey.protocols.anthropic_messages.extras import keep, put
from anykey.protocols.anthropic_messages.shapes import is_object

_COUNTS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")


def decode_usage(value: Any) -> Usage | None:
    """Disjoint buckets of a ``usage`` object; numbers that cannot be token counts are taken as 0. None: it counts nothing."""
    if not is_object(value):
        return None
    rest: Json = {key: item for key, item in value.items() if item is not None}
    fresh, written, read, output = (token_count(rest.pop(key, None)) for key in _COUNTS)
    if fresh is None and output is None:
        return None
    five_minutes, one_hour = _take(rest, "cache_creation", "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
    (thinking,) = _take(rest, "output_tokens_details", "thinking_tokens")
    if written is None:
        written = five_minutes + one_hour
    short, long = carve(written, one_hour)
    plain, reasoned = carve(output or 0, thinking)
    return Usage(fresh or 0, read or 0, short, long, plain, reasoned, extras=keep(rest))


def _take(rest: Json, key: str, *names: str) -> list[int]:
    """The counts of a detail object, which leaves ``rest`` unless it says more than these. What is no object says nothing."""
    detail = rest.get(key)
    if not is_object(detail):
        rest.pop(key, None)
        return [0 for _ in names]
    left: Json = dict(detail)
    counts = [token_count(left.pop(name, None)) or 0 for name in names]
    rest[key] = {name: item for name, item in left.items() if item is not None}
    if not rest[key]:
        del rest[key]
    return counts


def encode_usage(usage: Usage | None, log: LossLog) -> Json:
    """A ``usage`` object; zeros when the upstream reported none, since clients require the two totals."""
    if usage is None:
        return {"input_tokens": 0, "output_tokens": 0}
    wire: Json = {
        "input_tokens": usage.input_tokens + usage.input_audio_tokens + usage.input_image_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens(),
        "cache_read_input_tokens": usage.cache_read_tokens,
        "output_tokens": usage.total_output(),
    }
    for name in ("input_audio_tokens", "input_image_tokens", "output_audio_tokens", "output_image_tokens"):
        if getattr(usage, name):
            log.approximated(f"usage.{name}", "counted in the total only")
    details: Json = {}
    if usage.cache_write_tokens():
        details["cache_creation"] = {
            "ephemeral_5m_input_tokens": usage.cache_write_5m_tokens,
            "ephemeral_1h_input_tokens": usage.cache_write_1h_tokens,
        }
    if usage.reasoning_tokens:
        details["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    if usage.extras:
        put(wire, usage.extras, "usage", log)
    for key, detail in details.items():
        wire[key] = {**wire.get(key, {}), **detail}
    return wire
