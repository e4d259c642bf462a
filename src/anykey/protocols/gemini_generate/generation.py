"""``generationConfig``, both ways: limits, sampling, the shape of the answer, thinking."""

from __future__ import annotations

from typing import Any, NamedTuple

from anykey.conversation.failures import invalid
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.request import GenerateRequest, OutputFormat, Reasoning
from anykey.protocols.fields import Fields
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.output_format import decode_output_format, encode_output_format
from anykey.protocols.gemini_generate.spelling import nested
from anykey.protocols.gemini_generate.thinking import decode_reasoning, encode_reasoning

MAX_STOPS = 5
_PENALTIES = (("frequency_penalty", "frequencyPenalty"), ("presence_penalty", "presencePenalty"))
_LOGPROBS = (("logprobs", "responseLogprobs"), ("top_logprobs", "logprobs"))
_PLAIN = (
    ("temperature", "temperature"),
    ("top_p", "topP"),
    ("top_k", "topK"),
    ("choice_count", "candidateCount"),
    ("max_output_tokens", "maxOutputTokens"),
    ("seed", "seed"),
)


class Generation(NamedTuple):
    """The neutral fields of a request that stand in ``generationConfig``."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    choice_count: int | None = None
    max_output_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    reasoning: Reasoning | None = None
    output_format: OutputFormat | None = None


def decode_generation(config: Fields | None, left: Json, log: LossLog) -> Generation:
    """``generationConfig``; what has no neutral field goes to ``left`` under its path."""
    if config is None:
        return Generation()
    found = Generation(
        temperature=config.number("temperature"),
        top_p=config.number("topP"),
        top_k=config.integer("topK"),
        choice_count=config.count("candidateCount"),
        max_output_tokens=config.integer("maxOutputTokens"),
        stop=_stop(config),
        seed=config.integer("seed"),
        frequency_penalty=config.number("frequencyPenalty"),
        presence_penalty=config.number("presencePenalty"),
        logprobs=config.flag("responseLogprobs"),
        top_logprobs=config.integer("logprobs"),
        reasoning=decode_reasoning(nested(config, "thinkingConfig")),
        output_format=decode_output_format(config, left, log),
    )
    left.update({f"generationConfig.{key}": value for key, value in config.rest().items()})
    return found


def _stop(config: Fields) -> tuple[str, ...]:
    values: list[Any] = config.array("stopSequences") or []
    if not all(isinstance(value, str) for value in values):
        raise invalid("expected an array of strings", config.at("stopSequences"))
    return tuple(values)


def encode_generation(request: GenerateRequest, dialect: Dialect, log: LossLog) -> Json:
    """The ``generationConfig`` for one upstream, empty when nothing is said."""
    config: Json = {}
    for name, key in _PLAIN:
        value = getattr(request, name)
        if value is not None:
            config[key] = value
    _encode_optional(config, request, _PENALTIES, taken=dialect.penalties, log=log)
    _encode_optional(config, request, _LOGPROBS, taken=dialect.logprobs, log=log)
    if request.stop:
        _encode_stop(config, request.stop, log)
    if request.reasoning is not None and (thinking := encode_reasoning(request.reasoning, dialect, log)):
        config["thinkingConfig"] = thinking
    if request.output_format is not None:
        encode_output_format(config, request.output_format, dialect, log)
    return config


def _encode_optional(
    config: Json, request: GenerateRequest, names: tuple[tuple[str, str], ...], *, taken: bool, log: LossLog
) -> None:
    for name, key in names:
        value = getattr(request, name)
        if value is not None and taken:
            config[key] = value
        elif value is not None and value is not False:
            log.dropped(name, "this model does not take it")


def _encode_stop(config: Json, stop: tuple[str, ...], log: LossLog) -> None:
    """The first five that are no blank text; the gateway keeps the others itself."""
    sent: list[str] = []
    for index, word in enumerate(stop):
        if word and len(sent) < MAX_STOPS:
            sent.append(word)
        elif word:
            log.emulated(f"stop[{index}]", f"at most {MAX_STOPS} stop sequences are taken, so the gateway keeps it")
        else:
            log.dropped(f"stop[{index}]", "an empty stop sequence stops nothing")
    if sent:
        config["stopSequences"] = sent
