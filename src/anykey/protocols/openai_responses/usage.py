"""Token usage, both ways. ``input_tokens`` holds what was cached, ``output_tokens`` what was reasoned: all servers agree here."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Extras, Json
from anykey.conversation.usage import Usage, carve, token_count
from anykey.protocols.openai_responses.extras import NAME, kept, own
from anykey.protocols.openai_responses.shapes import is_object

_INPUT, _OUTPUT = "input_tokens_details", "output_tokens_details"
_WRITES = "cache_write_tokens_details"
"""Within the input's: how long what was written is kept. Twelve hours cost more, as an hour does elsewhere."""
_READ = frozenset({"input_tokens", "output_tokens", "total_tokens", _INPUT, _OUTPUT})
_READ_INPUT = frozenset({"cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens"})
_READ_OUTPUT = frozenset({"reasoning_tokens", "audio_tokens", "image_tokens"})


def decode_usage(value: Any) -> Usage | None:
    """Buckets of a usage object; None for what is none. A number that cannot be a token count is taken for absent."""
    usage = count_usage(value)
    return msgspec.structs.replace(usage, extras=_unread(value)) if usage else None


def count_usage(value: Any) -> Usage | None:
    """The buckets alone, for who only meters."""
    if not is_object(value) or not value:
        return None
    of_input, of_output = _details(value, _INPUT), _details(value, _OUTPUT)
    fresh, cache_read, cache_write, audio, image = carve(
        _count(value, "input_tokens"),
        _count(of_input, "cached_tokens"),
        _count(of_input, "cache_write_tokens"),
        _count(of_input, "audio_tokens"),
        _count(of_input, "image_tokens"),
    )
    lasting = _count(_details(of_input, _WRITES), "ttl_12h_tokens") if cache_write else 0
    output, reasoning, output_audio, output_image = carve(
        _count(value, "output_tokens"),
        _count(of_output, "reasoning_tokens"),
        _count(of_output, "audio_tokens"),
        _count(of_output, "image_tokens"),
    )
    short, lasting = carve(cache_write, lasting) if lasting else (cache_write, 0)
    return Usage(fresh, cache_read, short, lasting, output, reasoning, audio, image, output_audio, output_image)


def _details(value: Json, key: str) -> Json:
    found: Any = value.get(key)
    return found if is_object(found) else {}


def _count(value: Json, key: str) -> int:
    return token_count(value.get(key)) or 0


def _unread(value: Json) -> Extras:
    """What of a usage object has no bucket."""
    left = {key: item for key, item in value.items() if key not in _READ and item is not None}
    for name, read in ((_INPUT, _READ_INPUT), (_OUTPUT, _READ_OUTPUT)):
        rest = {key: item for key, item in _details(value, name).items() if key not in read and item is not None}
        if rest:
            left[name] = rest
    return kept(left)


def encode_usage(usage: Usage | None, log: LossLog) -> Json:
    """The usage object a client reads. An answer without one is never told: OpenCode would ask again for ever (facts: clients,
    3.5), so what no upstream reported is zero, and a Loss."""
    if usage is None:
        log.approximated("usage", "the provider reported none; it is told as zero")
        usage = Usage()
    for origin, keys in usage.extras.items():
        if origin != NAME:
            for key in keys:
                log.dropped(f"usage.{key}", "Responses has no such field")
    if usage.cache_write_1h_tokens and _WRITES not in _details(own(usage.extras), _INPUT):
        log.approximated("usage.cache_creation", "cache writes are one number, whatever their lifetime")
    given: Json = {"cached_tokens": usage.cache_read_tokens, "cache_write_tokens": usage.cache_write_tokens()}
    made: Json = {"reasoning_tokens": usage.reasoning_tokens}
    optional = (
        (given, "audio_tokens", usage.input_audio_tokens),
        (given, "image_tokens", usage.input_image_tokens),
        (made, "audio_tokens", usage.output_audio_tokens),
        (made, "image_tokens", usage.output_image_tokens),
    )
    for target, key, count in optional:
        if count:
            target[key] = count
    total_input, total_output, keys = usage.total_input(), usage.total_output(), own(usage.extras)
    return {
        **keys,
        "input_tokens": total_input,
        _INPUT: {**keys.get(_INPUT, {}), **given},
        "output_tokens": total_output,
        _OUTPUT: {**keys.get(_OUTPUT, {}), **made},
        "total_tokens": total_input + total_output,
    }
