"""``usageMetadata``, both ways. The provider's overlapping totals become disjoint buckets that sum to them.

``promptTokenCount`` holds the cached tokens and not those of tools' results (``toolUsePromptTokenCount``);
``candidatesTokenCount`` leaves the thoughts out. Modalities other than text, images and sound have no bucket: they count as
text, and their detail is kept for the same protocol.
"""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Extras, Json
from anykey.conversation.usage import Usage, carve, token_count
from anykey.protocols.gemini_generate.extras import NAME, NO_FIELD, kept
from anykey.protocols.gemini_generate.spelling import is_array, is_object

_TOTALS = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount")
_TOOLS = "toolUsePromptTokenCount"
_PROMPT, _CACHED, _ANSWER = "promptTokensDetails", "cacheTokensDetails", "candidatesTokensDetails"
_READ = frozenset(
    {*_TOTALS, "cachedContentTokenCount", "totalTokenCount", _PROMPT, _CACHED, _ANSWER, "toolUsePromptTokensDetails"}
)
_WITH_BUCKET = frozenset({"TEXT", "AUDIO", "IMAGE"})


def decode_usage(value: Any) -> Usage | None:
    """Buckets of a ``usageMetadata`` object, None for one that counts nothing. What is no token count is taken for absent."""
    usage = count_usage(value)
    return msgspec.structs.replace(usage, extras=_unread(value)) if usage else None


def count_usage(value: Any) -> Usage | None:
    """The buckets alone, for who only meters."""
    if not is_object(value):
        return None
    prompt, answer, thoughts, tools = (token_count(value.get(key)) for key in _TOTALS)
    if prompt is None and answer is None and thoughts is None:
        return None
    cached = token_count(value.get("cachedContentTokenCount")) or 0
    asked, answered = _modalities(value.get(_PROMPT)), _modalities(value.get(_ANSWER))
    remembered = _modalities(value.get(_CACHED)) if cached else {}
    fresh, read, audio, image = carve(
        prompt or 0,
        cached,
        asked.get("AUDIO", 0) - remembered.get("AUDIO", 0),
        asked.get("IMAGE", 0) - remembered.get("IMAGE", 0),
    )
    output, output_audio, output_image = carve(answer or 0, answered.get("AUDIO", 0), answered.get("IMAGE", 0))
    return Usage(
        input_tokens=fresh + (tools or 0),
        cache_read_tokens=read,
        output_tokens=output,
        reasoning_tokens=thoughts or 0,
        input_audio_tokens=audio,
        input_image_tokens=image,
        output_audio_tokens=output_audio,
        output_image_tokens=output_image,
    )


def _modalities(details: Any) -> dict[str, int]:
    """Tokens by modality of a ``…TokensDetails`` array."""
    found: dict[str, int] = {}
    for entry in details if is_array(details) else ():
        if is_object(entry):
            modality: Any = entry.get("modality")
            count = token_count(entry.get("tokenCount"))
            if isinstance(modality, str) and count:
                found[modality] = found.get(modality, 0) + count
    return found


def _unread(value: Json) -> Extras:
    """What of the object has no bucket, the share of tools' results in the prompt included."""
    left = {key: item for key, item in value.items() if key not in _READ and item is not None}
    if token_count(value.get(_TOOLS)):
        left[_TOOLS] = value[_TOOLS]
    for name in (_PROMPT, _ANSWER):
        others = {key: count for key, count in _modalities(value.get(name)).items() if key not in _WITH_BUCKET}
        if others:
            left[name] = [{"modality": key, "tokenCount": count} for key, count in others.items()]
    return kept(left)


def encode_usage(usage: Usage, log: LossLog) -> Json:
    """The object a Gemini client reads. What another protocol counts besides tokens is a Loss."""
    own: Json = dict(usage.extras.get(NAME, {}))
    for origin, keys in usage.extras.items():
        if origin != NAME:
            for key in keys:
                log.dropped(f"usage.{key}", NO_FIELD)
    if usage.cache_write_tokens():
        log.approximated("usage.cache_write_tokens", "counted in the prompt only")
    tools = token_count(own.get(_TOOLS)) or 0
    prompt, answer = max(usage.total_input() - tools, 0), usage.total_output() - usage.reasoning_tokens
    out: Json = {"promptTokenCount": prompt, "candidatesTokenCount": answer}
    optional = (("cachedContentTokenCount", usage.cache_read_tokens), ("thoughtsTokenCount", usage.reasoning_tokens))
    out.update((key, count) for key, count in optional if count)
    out["totalTokenCount"] = usage.total_input() + usage.total_output()
    for name, total, audio, image in (
        (_PROMPT, prompt, usage.input_audio_tokens, usage.input_image_tokens),
        (_ANSWER, answer, usage.output_audio_tokens, usage.output_image_tokens),
    ):
        details = _details(total, audio, image, own.pop(name, []))
        if details:
            out[name] = details
    return {**own, **out}


def _details(total: int, audio: int, image: int, others: list[Json]) -> list[Json]:
    """Tokens by modality, none where all are text."""
    listed = {"AUDIO": audio, "IMAGE": image, **_modalities(others)}
    listed = {key: count for key, count in listed.items() if count}
    if not listed:
        return []
    text = total - sum(listed.values())
    if text > 0:
        listed = {"TEXT": text, **listed}
    return [{"modality": key, "tokenCount": count} for key, count in listed.items()]
