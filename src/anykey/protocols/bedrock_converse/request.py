"""The request body. The model and whether to stream stand in the URL."""

from __future__ import annotations

import re

import msgspec

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.request import GenerateRequest
from anykey.protocols.bedrock_converse.blocks_encoding import BlockWriter
from anykey.protocols.bedrock_converse.dialect import Dialect
from anykey.protocols.bedrock_converse.extras import report
from anykey.protocols.bedrock_converse.messages_encoding import encode_prompt
from anykey.protocols.bedrock_converse.output_format import encode_output_format
from anykey.protocols.bedrock_converse.thinking import encode_reasoning
from anykey.protocols.bedrock_converse.tools_encoding import encode_tool_config
from anykey.protocols.codec import Encoded
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
_TIERS = {
    "default": "default",
    "standard": "default",
    "standard_only": "default",
    "flex": "flex",
    "priority": "priority",
    "fast": "priority",
    "ultrafast": "priority",
    "reserved": "reserved",
}
_METADATA_TEXT = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,\-.]{0,256}")
_METADATA_LIMIT = 16
_THINKING_TOP_P = 0.95  # the least that goes with thinking
_encode_json = msgspec.json.Encoder().encode


def encode_request(request: GenerateRequest, dialect: Dialect) -> Encoded:
    """The upstream's body. FailureError (400) where the request asks for what this protocol cannot show a model."""
    log = LossLog("request")
    request, losses = plain_tools(request, custom_tools=False, namespaces=False)
    log.losses += losses
    writer = BlockWriter(dialect, log)
    thinking = encode_reasoning(request, dialect, log)
    tools = encode_tool_config(request, dialect, writer.cache, log, thinking=thinking.by_budget)
    text_format, told = encode_output_format(request.output_format, dialect, log)
    system, messages = encode_prompt(request, dialect, writer)
    system += [{"text": sentence} for sentence in (tools.sentence, told) if sentence is not None]
    body: Json = {"messages": messages}
    if system:
        body["system"] = system
    if tools.wire is not None:
        body["toolConfig"] = {**tools.wire, "tools": writer.cache.swept(tools.wire["tools"])}
    inference = _inference(request, dialect, log, thinking=thinking.active)
    if inference:
        body["inferenceConfig"] = inference
    output: Json = {} if text_format is None else {"textFormat": text_format}
    if thinking.effort is not None:
        output["effort"] = thinking.effort
    if output:
        body["outputConfig"] = output
    additional = thinking.fields | _top_k(request, dialect, log, thinking=thinking.active)
    if additional:
        body["additionalModelRequestFields"] = additional
    _encode_options(body, request, dialect, log)
    return Encoded(_encode_json(body), tuple(log.losses))


def _inference(request: GenerateRequest, dialect: Dialect, log: LossLog, *, thinking: bool) -> Json:
    wire: Json = {}
    if request.max_output_tokens is not None:
        wire["maxTokens"] = request.max_output_tokens
    for name, key in (("temperature", "temperature"), ("top_p", "topP")):
        value = getattr(request, name)
        if value is None:
            continue
        if not dialect.sampling:
            log.dropped(name, "this model takes no sampling parameters")
        elif thinking and not _goes_with_thinking(name, value):
            log.dropped(name, "not taken while the model thinks")
        elif value > 1:
            log.approximated(name, "sent as 1, the most there is here")
            wire[key] = 1.0
        else:
            wire[key] = value
    stop = [word for word in request.stop if word.strip()]
    if stop:
        wire["stopSequences"] = stop
    for index, word in enumerate(request.stop):
        if not word.strip():
            log.emulated(f"stop[{index}]", "blank ones are refused here; the gateway ends the answer at it")
    return wire


def _goes_with_thinking(name: str, value: float) -> bool:
    return value == 1 if name == "temperature" else value >= _THINKING_TOP_P


def _top_k(request: GenerateRequest, dialect: Dialect, log: LossLog, *, thinking: bool) -> Json:
    if request.top_k is None:
        return {}
    if not dialect.top_k:
        log.dropped("top_k", "this model has no such option")
    elif thinking:
        log.dropped("top_k", "not taken while the model thinks")
    else:
        return {"top_k": request.top_k}
    return {}


def _encode_options(body: Json, request: GenerateRequest, dialect: Dialect, log: LossLog) -> None:
    if request.metadata:
        _encode_metadata(body, request.metadata, dialect, log)
    if request.end_user is not None and request.end_user != (request.metadata or {}).get("user_id"):
        log.dropped("end_user", "this protocol has no such option")
    if request.service_tier is not None:
        _encode_tier(body, request.service_tier, dialect, log)
    for name in _WITHOUT_A_FORM:
        value = getattr(request, name)
        if value is not None and value is not False:
            log.dropped(name, "this protocol has no such option")
    if request.choice_count is not None and request.choice_count > 1:
        log.emulated("choice_count", "there is one answer a call here; the gateway makes several calls")
    report(request.extras, "", log)


def _encode_metadata(body: Json, metadata: Json, dialect: Dialect, log: LossLog) -> None:
    """Texts of plain letters, at most sixteen: they stand in the owner's log of invocations."""
    kept: Json = {}
    for key, value in metadata.items():
        legal = isinstance(value, str) and key and _METADATA_TEXT.fullmatch(key) and _METADATA_TEXT.fullmatch(value)
        if dialect.metadata and legal and len(kept) < _METADATA_LIMIT:
            kept[key] = value
        else:
            log.dropped(f"metadata.{key}", "this upstream takes a few short texts of plain letters")
    if kept:
        body["requestMetadata"] = kept


def _encode_tier(body: Json, tier: str, dialect: Dialect, log: LossLog) -> None:
    word = _TIERS.get(tier) if dialect.service_tier else None
    if word is None:
        log.dropped("service_tier", f"{tier!r} is no tier of this upstream")
        return
    if word != tier:
        log.approximated("service_tier", f"sent as {word}")
    body["serviceTier"] = {"type": word}
