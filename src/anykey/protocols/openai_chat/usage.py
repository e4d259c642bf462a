"""Token usage, both ways. The provider's overlapping totals become disjoint buckets that sum to them."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Extras, Json
from anykey.conversation.usage import LARGEST_COUNT, Usage, carve, token_count
from anykey.protocols.openai_chat.dialect import Dialect
from anykey.protocols.openai_chat.extras import NAME, kept
from anykey.protocols.openai_chat.parsed import is_object

_CACHED_ALIASES = ("prompt_cache_hit_tokens", "num_cached_tokens", "cached_tokens")
_PROMPT, _COMPLETION = "prompt_tokens_details", "completion_tokens_details"
_READ = frozenset({"prompt_tokens", "completion_tokens", "total_tokens", _PROMPT, _COMPLETION})
_READ_PROMPT = frozenset({"cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens"})
_READ_COMPLETION = frozenset({"reasoning_tokens", "audio_tokens", "image_tokens"})
_WRITES = "cache_write_tokens_details"
"""Within the prompt's: how long what was written is kept. Twelve hours cost more, as an hour does elsewhere."""
_NOTHING: dict[str, int] = {}


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
    usage = count_usage(value, dialect)
    return msgspec.structs.replace(usage, extras=_unread(value)) if usage else None


def count_usage(value: Any, dialect: Dialect) -> Usage | None:
    """The buckets alone, for who only meters."""
    if not is_object(value) or not value:
        return None
    plain = _plain_totals(value)
    if plain is not None:
        return plain
    counts = _counts(value)
    prompt_details: Any = value.get(_PROMPT)
    completion_details: Any = value.get(_COMPLETION)
    of_prompt = _counts(prompt_details) if prompt_details and is_object(prompt_details) else _NOTHING
    of_completion = _counts(completion_details) if completion_details and is_object(completion_details) else _NOTHING
    prompt, completion = counts.get("prompt_tokens", 0), counts.get("completion_tokens", 0)
    total = counts.get("total_tokens", 0)
    totals_only = len(counts) == (prompt > 0) + (completion > 0) + (total > 0)
    if totals_only and not of_prompt and not of_completion and total <= prompt + completion:
        return Usage(prompt, 0, 0, 0, completion)  # nothing to divide
    fresh, cache_read, cache_write, audio, image = carve(
        prompt,
        of_prompt.get("cached_tokens") or _aliased(counts),
        of_prompt.get("cache_write_tokens", 0),
        of_prompt.get("audio_tokens", 0),
        of_prompt.get("image_tokens", 0),
    )
    lasting = _lasting(prompt_details) if cache_write else 0
    short, lasting = carve(cache_write, lasting) if lasting else (cache_write, 0)
    reasoning = of_completion.get("reasoning_tokens") or counts.get("reasoning_tokens", 0)
    beside = max(total - prompt - completion, 0)
    if dialect.usage_excludes_reasoning and not total:
        beside = reasoning
    output, inside, output_audio, output_image = carve(
        completion,
        max(reasoning - beside, 0),
        of_completion.get("audio_tokens", 0),
        of_completion.get("image_tokens", 0),
    )
    return Usage(
        fresh,
        cache_read,
        short,
        lasting,
        output,
        inside + beside,
        audio,
        image,
        output_audio,
        output_image,
    )


def _plain_totals(value: Json) -> Usage | None:
    """An object of the three totals alone and nothing to divide, which many servers send; this runs for every answer."""
    if len(value) != 3:
        return None
    prompt, completion, total = value.get("prompt_tokens"), value.get("completion_tokens"), value.get("total_tokens")
    if type(prompt) is int and type(completion) is int and type(total) is int:
        whole = prompt + completion
        if prompt >= 0 and completion >= 0 and 0 <= total <= whole <= LARGEST_COUNT:
            return Usage(prompt, 0, 0, 0, completion)
    return None


def _counts(value: Json) -> dict[str, int]:
    """The token counts of an object that are not zero; whatever is no count is left out."""
    return {
        key: count
        for key, item in value.items()
        if item and (count := item if type(item) is int and 0 < item <= LARGEST_COUNT else token_count(item))
    }


def _lasting(prompt_details: Json) -> int:
    """Tokens that were written for twelve hours."""
    writes: Any = prompt_details.get(_WRITES)
    return token_count(writes.get("ttl_12h_tokens")) or 0 if is_object(writes) else 0


def _aliased(counts: dict[str, int]) -> int:
    """Cached prompt tokens under one of the names some servers give them."""
    for alias in _CACHED_ALIASES:
        if count := counts.get(alias):
            return count
    return 0


def _unread(value: Json) -> Extras:
    """What of a usage object has no bucket."""
    left = {key: item for key, item in value.items() if key not in _READ and item is not None}
    for name, read in ((_PROMPT, _READ_PROMPT), (_COMPLETION, _READ_COMPLETION)):
        details: Any = value.get(name)
        if details and is_object(details):
            rest = {key: item for key, item in details.items() if key not in read and item is not None}
            if rest:
                left[name] = rest
    return kept(left)


def encode_usage(usage: Usage, log: LossLog) -> Json:
    """The usage object a Chat client reads. What another protocol counts besides tokens is a Loss."""
    own = usage.extras.get(NAME, {})
    for origin, keys in usage.extras.items():
        if origin != NAME:
            for key in keys:
                log.dropped(f"usage.{key}", "Chat Completions has no such field")
    if usage.cache_write_1h_tokens and _WRITES not in own.get(_PROMPT, {}):
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
