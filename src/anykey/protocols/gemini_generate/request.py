"""The body of ``:generateContent`` and ``:streamGenerateContent``, both ways. The model and the stream flag stand in the URL."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.failures import invalid
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.request import GenerateRequest
from anykey.protocols.codec import Decoded, Encoded, RequestPath
from anykey.protocols.fields import Fields, parse_json
from anykey.protocols.gemini_generate.contents_decoding import decode_contents, decode_instructions
from anykey.protocols.gemini_generate.contents_encoding import ContentsWriter
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.extras import kept, write_extras
from anykey.protocols.gemini_generate.generation import decode_generation, encode_generation
from anykey.protocols.gemini_generate.spelling import fields_of, is_object, nested
from anykey.protocols.gemini_generate.tools_decoding import decode_tool_config, decode_tools, has_upper_types
from anykey.protocols.gemini_generate.tools_encoding import ToolWriter
from anykey.protocols.plain_tools import plain_tools

_TIERS_READ = {"standard": "default"}
_TIERS = {
    "default": "standard",
    "standard": "standard",
    "standard_only": "standard",
    "flex": "flex",
    "priority": "priority",
}
_NEAR_TIERS = {"fast": "priority", "scale": "priority", "standard_only": "standard"}
_WITHOUT_A_FORM = ("verbosity", "cache_key")
_encode_json = msgspec.json.Encoder().encode


def decode_request(body: bytes, path: RequestPath) -> Decoded[GenerateRequest]:
    """The neutral request. FailureError (400) names the field that cannot be read."""
    return _decode(fields_of(parse_json(body), ""), path, respell=has_upper_types(body))


def decode_count_request(body: bytes, path: RequestPath) -> Decoded[GenerateRequest]:
    """A ``:countTokens`` body: contents alone, or a whole request under ``generateContentRequest``."""
    fields = fields_of(parse_json(body), "")
    inner = nested(fields, "generateContentRequest")
    return _decode(inner or fields, path, respell=has_upper_types(body))


def _decode(fields: Fields, path: RequestPath, *, respell: bool) -> Decoded[GenerateRequest]:
    log = LossLog("request")
    left: Json = {}  # what stands deeper and has no neutral field
    named = fields.text("model")
    model = path.model or (named or "").removeprefix("models/")
    if not model:
        raise invalid("this field is required", "model")
    generation = decode_generation(nested(fields, "generationConfig"), left, log)
    labels, tier = fields.object("labels"), fields.text("serviceTier")
    request = GenerateRequest(
        model=model,
        messages=decode_contents(fields.any("contents"), fields.at("contents")),
        instructions=decode_instructions(fields.any("systemInstruction"), fields.at("systemInstruction"), left),
        tools=decode_tools(_tools(fields), fields.at("tools"), respell=respell),
        tool_choice=decode_tool_config(nested(fields, "toolConfig"), left),
        metadata=labels,
        service_tier=None if tier is None else _TIERS_READ.get(tier.lower(), tier.lower()),
        stream=bool(path.stream),
        extras=kept({**fields.rest(), **left}),
        **generation._asdict(),
    )
    return Decoded(request, tuple(log.losses))


def _tools(fields: Fields) -> Any:
    value = fields.any("tools")
    if value is None or isinstance(value, list) or is_object(value):
        return value  # pyright: ignore[reportUnknownVariableType] - parsed JSON
    raise invalid("expected an array", fields.at("tools"))


def encode_request(request: GenerateRequest, dialect: Dialect) -> Encoded:
    """The body for one upstream, and what it could not carry. FailureError (400) where a part cannot be shown to it."""
    log = LossLog("request")
    request, log.losses[:] = plain_tools(request, custom_tools=False, namespaces=False)
    body: Json = {}
    ContentsWriter(dialect, log).write(body, request)
    if request.tools or request.tool_choice is not None or request.parallel_tool_calls is not None:
        ToolWriter(dialect, log).write(body, request)
    config = encode_generation(request, dialect, log)
    if config:
        body["generationConfig"] = config
    _write_account(body, request, dialect, log)
    if request.cache is not None:
        log.dropped("cache_control", "this upstream caches on its own and takes no marks")
    for name in _WITHOUT_A_FORM:
        if getattr(request, name) is not None:
            log.dropped(name, "this protocol has no such option")
    if request.extras:
        write_extras(body, request.extras, "", log)
    if dialect.image_output:
        body.setdefault("generationConfig", {}).setdefault("responseModalities", ["TEXT", "IMAGE"])
    return Encoded(_encode_json(body), tuple(log.losses))


def _write_account(body: Json, request: GenerateRequest, dialect: Dialect, log: LossLog) -> None:
    """Who asks, under which label and tier."""
    labels: Json = {}
    for key, value in (request.metadata or {}).items():
        if dialect.labels and isinstance(value, str):
            labels[key] = value
        else:
            log.dropped(f"metadata.{key}", "labels are text" if dialect.labels else "this upstream takes no labels")
    user = request.end_user
    if user is not None and user not in (request.metadata or {}).values():
        if dialect.labels:
            labels.setdefault("end_user", user)
        if labels.get("end_user") != user:
            log.dropped("end_user", "this upstream takes no user")
    if labels:
        body["labels"] = labels
    if request.service_tier is not None:
        _write_tier(body, request.service_tier, dialect, log)


def _write_tier(body: Json, tier: str, dialect: Dialect, log: LossLog) -> None:
    word = _TIERS.get(tier) or _NEAR_TIERS.get(tier)
    if not dialect.service_tier or word is None:
        log.dropped("service_tier", "this upstream has no such tier")
        return
    if tier in _NEAR_TIERS:
        log.approximated("service_tier", f"sent as {word}")
    body["serviceTier"] = word
