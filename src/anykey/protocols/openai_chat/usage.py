"""Token usage, both ways. The provider's overlapping totals become disjoint buckets that sum to them."""

from __future__ import annotations

from typing import Any

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.usage import Usage, carve, token_count
from anykey.protocols.openai_chat.dialect import Dialect
from anykey.protocols.openai_chat.extras import NAME, kept
from anykey.protocols.openai_chat.parsed import is_object

_CACHED_ALIASES = ("prompt_cache_hit_tokens", "num_cached_tokens", "cached_tokens")
_PROMPT, _COMPLETION = "prompt_tokens_details", "completion_tokens_details"


def find_usage(body: Json) -> Any:
    """The usage object of a response or a chunk; some servers send it under ``x_groq`` only."""
    usage = body.get("usage")
    if usage:
        return usage
    nested: Any = body.get("x_groq")
    return nested.get("usage") if is_object(nested) else None


def decode_usage(value: Any, dialect: Dialect) -> Usage | None:
    """Buckets of a usage object; None for what is none. A number that cannot be a token count is taken for absent.

    ``completion_tokens`` holds the reasoning tokens, except at servers (``usage_excludes_reasoning``) where it leaves them
    out. A ``total_tokens`` above prompt and completion tells of generated tokens that stand in neither: they are reasoning.
    """
    if not is_object(value) or not value:
        return None
    left = dict(value)
    prompt, completion = _take(left, "prompt_tokens"), _take(left, "completion_tokens")
    total = _take(left, "total_tokens")
    prompt_details, completion_details = _details(left, _PROMPT), _details(left, _COMPLETION)
    cached = _take(prompt_details, "cached_tokens")
    for alias in _CACHED_ALIASES:
        cached = cached or token_count(left.get(alias)) or 0
    fresh, cache_read, cache_write, audio, image = carve(
        prompt,
        cached,
        _take(prompt_details, "cache_write_tokens"),
        _take(prompt_details, "audio_tokens"),
        _take(prompt_details, "image_tokens"),
    )
    reasoning = _take(completion_details, "reasoning_tokens") or token_count(left.get("reasoning_tokens")) or 0
    beside = max(total - prompt - completion, 0)
    if dialect.usage_excludes_reasoning and not total:
        beside = reasoning
    inside = max(reasoning - beside, 0)
    output, inside, output_audio, output_image = carve(
        completion, inside, _take(completion_details, "audio_tokens"), _take(completion_details, "image_tokens")
    )
    details = {_PROMPT: prompt_details, _COMPLETION: completion_details}
    left.update({name: rest for name, rest in details.items() if rest})
    return Usage(
        input_tokens=fresh,
        cache_read_tokens=cache_read,
        cache_write_5m_tokens=cache_write,
        output_tokens=output,
        reasoning_tokens=inside + beside,
        input_audio_tokens=audio,
        input_image_tokens=image,
        output_audio_tokens=output_audio,
        output_image_tokens=output_image,
        extras=kept({key: item for key, item in left.items() if item is not None}),
    )


def _take(values: Json, key: str) -> int:
    return token_count(values.pop(key, None)) or 0


def _details(left: Json, key: str) -> Json:
    value: Any = left.pop(key, None)
    return {k: v for k, v in value.items() if v is not None} if is_object(value) else {}


def encode_usage(usage: Usage, log: LossLog) -> Json:
    """The usage object a Chat client reads. What another protocol counts besides tokens is a Loss."""
    own = usage.extras.get(NAME, {})
    for origin, keys in usage.extras.items():
        if origin != NAME:
            for key in keys:
                log.dropped(f"usage.{key}", "Chat Completions has no such field")
    if usage.cache_write_1h_tokens:
        log.approximated("usage.cache_creation", "cache writes are one number, whatever their lifetime")
    prompt: Json = {"cached_tokens": usage.cache_read_tokens}
    completion: Json = {"reasoning_tokens": usage.reasoning_tokens}
    optional = (
        (prompt, "cache_write_tokens", usage.cache_write_tokens()),
        (prompt, "audio_tokens", usage.input_audio_tokens),
        (prompt, "image_tokens", usage.input_image_tokens),
        (completion, "audio_tokens", usage.output_audio_tokens),
        (completion, "image_tokens", usage.output_image_tokens),
    )
    for target, key, count in optional:
        if count:
            target[key] = count
    total_input, total_output = usage.total_input(), usage.total_output()
    return {
        **own,
        "prompt_tokens": total_input,
        "completion_tokens": total_output,
        "total_tokens": total_input + total_output,
        _PROMPT: {**own.get(_PROMPT, {}), **prompt},
        _COMPLETION: {**own.get(_COMPLETION, {}), **completion},
    }
