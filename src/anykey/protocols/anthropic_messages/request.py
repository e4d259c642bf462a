"""The request body, both ways."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.failures import invalid
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json, OpaquePart, Part, TextPart
from anykey.conversation.request import GenerateRequest
from anykey.protocols.anthropic_messages.cache import decode_cache
from anykey.protocols.anthropic_messages.dialect import Dialect
from anykey.protocols.anthropic_messages.extras import keep, put
from anykey.protocols.anthropic_messages.messages_decoding import decode_content, decode_messages
from anykey.protocols.anthropic_messages.messages_encoding import encode_prompt
from anykey.protocols.anthropic_messages.output_format import decode_output_format, encode_output_format
from anykey.protocols.anthropic_messages.parts_encoding import BlockWriter, own_extras, shorten
from anykey.protocols.anthropic_messages.shapes import is_object
from anykey.protocols.anthropic_messages.thinking import Thinking, decode_reasoning, encode_reasoning
from anykey.protocols.anthropic_messages.tools import (
    decode_tool_choice,
    decode_tools,
    encode_tool_choice,
    encode_tools,
)
from anykey.protocols.codec import Decoded, Encoded
from anykey.protocols.fields import Fields, parse_json
from anykey.protocols.plain_tools import plain_tools

_WITHOUT_A_FORM = (
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "logprobs",
    "top_logprobs",
    "verbosity",
    "cache_key",
)
_TIERS = {"auto": "auto", "standard_only": "standard_only", "default": "standard_only", "standard": "standard_only"}
_FAST = ("fast", "priority", "ultrafast")
"""Other protocols' tiers that answer sooner for more money: ``speed`` here."""
_THINKING_TOP_P = 0.95  # the least that goes with thinking
_encode_json = msgspec.json.Encoder().encode


def decode_request(body: bytes) -> Decoded[GenerateRequest]:
    """A ``POST /v1/messages`` body. FailureError (400) names the field at fault as Anthropic does."""
    return Decoded(_take_speed(_decode(body, needs_limit=True)), ())


def decode_count_request(body: bytes) -> Decoded[GenerateRequest]:
    """A ``POST /v1/messages/count_tokens`` body: the same without ``max_tokens``."""
    return Decoded(_decode(body, needs_limit=False), ())


def _decode(body: bytes, *, needs_limit: bool) -> GenerateRequest:
    fields = Fields(parse_json(body))
    model = fields.required_text("model")
    limit = fields.integer("max_tokens")
    if needs_limit and limit is None:
        raise invalid("Field required", "max_tokens")
    if limit is not None and limit < 0:
        raise invalid("Input should be greater than or equal to 0", "max_tokens")
    messages = fields.array("messages")
    if messages is None:
        raise invalid("Field required", "messages")
    config = fields.object("output_config") or {}
    legacy_format = fields.object("output_format")
    wanted = config.get("format")
    if wanted is not None and not is_object(wanted):
        raise invalid("Input should be an object", "output_config.format")
    output_format = decode_output_format(wanted)
    effort = config.get("effort")
    if effort is not None and not isinstance(effort, str):
        raise invalid("Input should be a string", "output_config.effort")
    choice = fields.nested("tool_choice")
    tool_choice, parallel = decode_tool_choice(choice) if choice else (None, None)
    metadata = fields.object("metadata")
    user = (metadata or {}).get("user_id")
    decoded_legacy = None if output_format else decode_output_format(legacy_format)
    return GenerateRequest(
        model=model,
        messages=decode_messages(messages),
        instructions=_decode_system(fields.any("system")),
        tools=decode_tools(fields.array("tools") or []),
        tool_choice=tool_choice,
        parallel_tool_calls=parallel,
        max_output_tokens=limit,
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.integer("top_k"),
        stop=_decode_stop(fields.array("stop_sequences")),
        reasoning=decode_reasoning(fields.nested("thinking"), effort),
        output_format=output_format or decoded_legacy,
        service_tier=fields.text("service_tier"),
        metadata=metadata,
        end_user=user if isinstance(user, str) else None,
        cache=decode_cache(fields.object("cache_control")),
        stream=bool(fields.flag("stream")),
        extras=keep(
            _rest(fields, config, None if decoded_legacy else legacy_format, understood=output_format is not None)
        ),
    )


def _take_speed(request: GenerateRequest) -> GenerateRequest:
    """``request`` with ``speed: fast`` as its tier, which it is in every other protocol, unless a tier was named too."""
    own = own_extras(request.extras)
    if own.get("speed") != "fast" or request.service_tier is not None:
        return request
    rest = keep({key: value for key, value in own.items() if key != "speed"})
    return msgspec.structs.replace(request, service_tier="fast", extras=rest)


def _rest(fields: Fields, config: Json, legacy_format: Json | None, *, understood: bool) -> Json:
    """Top-level keys without a neutral field; of ``output_config`` what is left."""
    rest = fields.rest()
    left = {key: value for key, value in config.items() if value is not None and key != "effort"}
    if understood:
        left.pop("format", None)
    if left:
        rest["output_config"] = left
    if legacy_format is not None:
        rest["output_format"] = legacy_format
    return rest


def _decode_system(value: Any) -> tuple[Part, ...]:
    if value is None:
        return ()
    parts = decode_content(value, "system")
    for position, part in enumerate(parts):
        if not isinstance(part, TextPart | OpaquePart):
            raise invalid("this block may not stand in the system text", f"system.{position}")
    return parts


def _decode_stop(values: list[Any] | None) -> tuple[str, ...]:
    for position, value in enumerate(values or []):
        if not isinstance(value, str):
            raise invalid("Input should be a valid string", f"stop_sequences.{position}")
    return tuple(values or ())


def encode_request(request: GenerateRequest, dialect: Dialect) -> Encoded:
    """The upstream's body. FailureError (400) where the request asks for what this protocol cannot show a model."""
    log = LossLog("request")
    request, losses = plain_tools(request, custom_tools=False, namespaces=False)
    log.losses += losses
    writer = BlockWriter(dialect, log)
    limit = dialect.default_max_tokens if request.max_output_tokens is None else request.max_output_tokens
    thinking = encode_reasoning(request, dialect, limit, log)
    output, sentence = encode_output_format(request.output_format, dialect, log)
    named: Json = {"anthropic_version": dialect.body_version} if dialect.body_version else {"model": request.model}
    body: Json = {**named, "max_tokens": limit}
    if request.cache is not None:
        writer.cache.region = "request"
        writer.cache.write(body, request.cache, "request")
    tools = encode_tools(request, dialect, writer.cache, log)
    system, messages = encode_prompt(request, dialect, writer)
    if sentence is not None:
        system.append({"type": "text", "text": sentence})
    if system:
        body["system"] = shorten(system)
    body["messages"] = messages
    if tools:
        body["tools"] = tools
    writer.cache.thin_out()
    choice = encode_tool_choice(request, dialect, log, thinking=thinking.by_budget, tools=bool(tools))
    if choice is not None:
        body["tool_choice"] = choice
    _encode_thinking(body, thinking, output, own_extras(request.extras).get("output_config"))
    _encode_sampling(body, request, dialect, log, thinking=thinking.active)
    _encode_options(body, request, dialect, log)
    if request.extras:
        put(body, request.extras, "", log)
    return Encoded(_encode_json(body), tuple(log.losses))


def _encode_thinking(body: Json, thinking: Thinking, output: Json | None, config: Json | None) -> None:
    if thinking.thinking is not None:
        body["thinking"] = thinking.thinking
    config = dict(config or {})
    if thinking.effort is not None:
        config["effort"] = thinking.effort
    if output is not None:
        config["format"] = output
    if config:
        body["output_config"] = config


def _encode_sampling(body: Json, request: GenerateRequest, dialect: Dialect, log: LossLog, *, thinking: bool) -> None:
    for name in ("temperature", "top_p", "top_k"):
        value = getattr(request, name)
        if value is None:
            continue
        if not dialect.sampling:
            log.dropped(name, "this model takes no sampling parameters")
        elif thinking and not _goes_with_thinking(name, value):
            log.dropped(name, "not taken while the model thinks")
        elif name == "temperature" and value > 1:
            log.approximated(name, "sent as 1, the most there is here")
            body[name] = 1.0
        else:
            body[name] = value


def _goes_with_thinking(name: str, value: float) -> bool:
    return (name == "temperature" and value == 1) or (name == "top_p" and value >= _THINKING_TOP_P)


def _encode_options(body: Json, request: GenerateRequest, dialect: Dialect, log: LossLog) -> None:
    stop = [word for word in request.stop if word.strip()]
    if stop:
        body["stop_sequences"] = stop
    for index, word in enumerate(request.stop):
        if not word.strip():
            log.emulated(f"stop[{index}]", "blank ones are refused here; the gateway ends the answer at it")
    _encode_metadata(body, request, dialect, log)
    if request.service_tier is not None:
        _encode_tier(body, request.service_tier, dialect, log)
    for name in _WITHOUT_A_FORM:
        value = getattr(request, name)
        if value is not None and value is not False:
            log.dropped(name, "this protocol has no such option")
    if request.choice_count is not None and request.choice_count > 1:
        log.emulated("choice_count", "there is one answer a call here; the gateway makes several calls")
    if request.stream:
        body["stream"] = True


def _encode_metadata(body: Json, request: GenerateRequest, dialect: Dialect, log: LossLog) -> None:
    metadata = request.metadata or {}
    user = metadata.get("user_id") if request.end_user is None else request.end_user
    for key, value in metadata.items():
        if key != "user_id":
            log.dropped(f"metadata.{key}", "metadata is only a user_id here")
        elif value != user:
            log.dropped("metadata.user_id", "the end user is named by another field")
    if user is None:
        return
    if dialect.metadata:
        body["metadata"] = {"user_id": user}
    else:
        log.dropped("end_user", "this upstream takes no user")


def _encode_tier(body: Json, tier: str, dialect: Dialect, log: LossLog) -> None:
    if tier in _FAST and dialect.speed:
        if tier != "fast":
            log.approximated("service_tier", "sent as speed: fast")
        body["speed"] = "fast"
        return
    word = _TIERS.get(tier) if dialect.service_tier else None
    if word is None:
        log.dropped("service_tier", f"{tier!r} is no tier of this protocol")
        return
    if word != tier:
        log.approximated("service_tier", f"sent as {word}")
    body["service_tier"] = word
