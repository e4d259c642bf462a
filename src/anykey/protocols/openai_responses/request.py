"""The body of ``POST /v1/responses``, both ways."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from anykey.conversation.failures import Failure, FailureError, invalid
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json, TextPart
from anykey.conversation.request import GenerateRequest, OutputFormat
from anykey.conversation.tools import ToolChoice
from anykey.protocols.codec import Decoded, Encoded, RequestPath
from anykey.protocols.emptied import nothing_left
from anykey.protocols.fields import Fields, parse_json
from anykey.protocols.openai_responses.dialect import Dialect
from anykey.protocols.openai_responses.effort import encode_effort, read_effort
from anykey.protocols.openai_responses.extras import NAME, kept, own, write_extras
from anykey.protocols.openai_responses.fitting import fit
from anykey.protocols.openai_responses.items_decoding import InputReader
from anykey.protocols.openai_responses.items_encoding import InputWriter
from anykey.protocols.openai_responses.tools_decoding import ToolReader, decode_tool_choice
from anykey.protocols.openai_responses.tools_encoding import ToolWriter
from anykey.protocols.plain_tools import LAYOUT, plain_tools

LONGEST_USER = 64
_ENCRYPTED = "reasoning.encrypted_content"
_LOGPROBS = "message.output_text.logprobs"
_STATEFUL = ("previous_response_id", "conversation")
_TIERS = {"standard_only": "default"}
_WITHOUT_A_FORM = ("top_k", "frequency_penalty", "presence_penalty", "seed")


def decode_request(body: bytes, path: RequestPath) -> Decoded[GenerateRequest]:
    """The neutral request. FailureError (400) names the field that cannot be read."""
    fields = Fields(parse_json(body))
    _refuse_state(fields)
    model = path.model or fields.required_text("model")
    left: Json = {}  # what has a field but says more than the field can hold
    tools = ToolReader()
    tools.add(fields.any("tools"), "tools")
    reader = InputReader(tools)
    items = fields.any("input")
    if items is None and "prompt" not in fields.rest():
        raise invalid("this field is required", "input")
    messages = () if items is None else reader.read(items)
    choice = _read_choice(fields, left)
    include = _read_include(fields, left)
    text = _updated(fields, "text", reader)
    output_format, verbosity = _read_text(text, left)
    if layout := tools.layout():
        left[LAYOUT] = layout
    request = GenerateRequest(
        model=model,
        messages=messages,
        compact=reader.compaction,
        instructions=_read_instructions(fields),
        tools=tuple(tools.tools),
        tool_choice=choice,
        parallel_tool_calls=fields.flag("parallel_tool_calls"),
        max_output_tokens=fields.integer("max_output_tokens"),
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        logprobs=True if _LOGPROBS in include else None,
        top_logprobs=fields.integer("top_logprobs"),
        reasoning=read_effort(_updated(fields, "reasoning", reader), encrypted=_ENCRYPTED in include),
        output_format=output_format,
        verbosity=verbosity,
        service_tier=fields.text("service_tier"),
        metadata=fields.object("metadata"),
        end_user=_read_user(fields),
        cache_key=fields.text("prompt_cache_key"),
        stream=(fields.flag("stream") or False) if path.stream is None else path.stream,
        extras=kept({**fields.rest(), **left}),
    )
    return Decoded(request, tuple(reader.losses))


def _refuse_state(fields: Fields) -> None:
    """What points to stored responses was put in its place before a request is read; here nothing is left to point to. Whether
    the upstream stores anything is decided by its dialect."""
    for key in _STATEFUL:
        if fields.any(key) is not None:
            raise FailureError(
                Failure(
                    "invalid_request",
                    f"{key}: this needs responses stored by the gateway, which are not available here; send the whole input",
                    param=key,
                    code="unsupported_parameter",
                )
            )
    if fields.flag("background"):
        raise invalid("this needs responses stored by the gateway, which are not available here", "background")
    fields.flag("store")


def _read_instructions(fields: Fields) -> tuple[TextPart, ...]:
    text = fields.text("instructions")
    return (TextPart(text),) if text else ()


def _read_choice(fields: Fields, left: Json) -> ToolChoice | None:
    value: Any = fields.any("tool_choice")
    if value is None:
        return None
    choice = decode_tool_choice(value, "tool_choice")
    if choice is None:
        left["tool_choice"] = value
    return choice


def _read_include(fields: Fields, left: Json) -> list[Any]:
    """What the answer shall hold beside its text. The encrypted reasoning and log probabilities have a field of their own."""
    include = fields.array("include") or []
    others = [word for word in include if word not in (_ENCRYPTED, _LOGPROBS)]
    if others:
        left["include"] = others
    return include


def _updated(fields: Fields, key: str, reader: InputReader) -> Fields | None:
    """The object at ``key`` with what ``configuration_update`` items changed in it."""
    value, changes = fields.object(key), reader.updates.get(key)
    if changes:
        value = {**(value or {}), **changes}
    return None if value is None else Fields(value, key)


def _read_text(text: Fields | None, left: Json) -> tuple[OutputFormat | None, str | None]:
    """``text: {format, verbosity}``. A format that the neutral model cannot hold whole stays as it is in the extras."""
    if text is None:
        return None, None
    verbosity, value = text.text("verbosity"), text.object("format")
    rest = text.rest()
    found = None
    if value is not None:
        form = Fields(value, "text.format")
        kind = form.text("type")
        if kind in ("text", "json_object"):
            found = OutputFormat(kind)
        elif kind == "json_schema":
            schema, name = form.object("schema"), form.text("name")
            found = OutputFormat(kind, schema, name, form.text("description"), form.flag("strict"))
        if form.rest() or found is None:
            rest["format"] = value
            found = None
    if rest:
        left["text"] = rest
    return found, verbosity


def _read_user(fields: Fields) -> str | None:
    """``safety_identifier``, or ``user`` as it used to be called."""
    newer, older = fields.text("safety_identifier"), fields.text("user")
    return older if newer is None else newer


def encode_request(request: GenerateRequest, dialect: Dialect) -> Encoded:
    """The body for one upstream, and what it could not carry. FailureError (400) when nothing is left to say."""
    log = LossLog("request")
    request = fit(request, dialect, log)
    request, losses = plain_tools(request, custom_tools=dialect.custom_tools, namespaces=dialect.namespaces)
    log.losses += losses
    body: Json = {"model": request.model}
    instructions, items = InputWriter(dialect, log).write(request)
    if request.messages and not items:
        raise nothing_left(log.losses)
    if instructions is not None:
        body["instructions"] = instructions
    body["input"] = items
    _write_tools(body, items, request, dialect, log)
    _write_sampling(body, request, dialect, log)
    _write_text(body, request, dialect, log)
    if request.reasoning is not None:
        encode_effort(body, request.reasoning, dialect, log)
    _write_account(body, request, dialect, log)
    _write_include(body, request, dialect, log)
    body["store"] = dialect.store
    _write_extras(body, request, log)
    if request.stream:
        body["stream"] = True
    return Encoded(msgspec.json.encode(body), tuple(log.losses))


def _write_tools(body: Json, items: list[Json], request: GenerateRequest, dialect: Dialect, log: LossLog) -> None:
    writer = ToolWriter(dialect, log)
    tools, placed = writer.tools(request)
    if tools:
        body["tools"] = tools
    for place, entries in placed:
        items.insert(place, {"type": "additional_tools", "role": "developer", "tools": entries})
    if request.tools and not tools and not placed and not own(request.extras).get(LAYOUT):
        for key in ("tool_choice", "parallel_tool_calls"):
            if getattr(request, key) is not None:
                log.dropped(key, "none of the tools could be sent")
        return
    if request.tool_choice is not None:
        body["tool_choice"] = writer.choice(request.tool_choice, request.tools)
    if request.parallel_tool_calls is not None:
        if dialect.parallel_tool_calls:
            body["parallel_tool_calls"] = request.parallel_tool_calls
        else:
            log.dropped("parallel_tool_calls", "this upstream does not take it")


def _write_sampling(body: Json, request: GenerateRequest, dialect: Dialect, log: LossLog) -> None:
    if request.max_output_tokens is not None:
        if dialect.max_output_tokens:
            body["max_output_tokens"] = request.max_output_tokens
        else:
            log.dropped("max_output_tokens", "this upstream takes no limit")
    for key in ("temperature", "top_p"):
        value = getattr(request, key)
        if value is None:
            continue
        if dialect.sampling:
            body[key] = value
        else:
            log.dropped(key, "this model takes no sampling parameters")
    for key in _WITHOUT_A_FORM:
        if getattr(request, key) is not None:
            log.dropped(key, "Responses has no such field")
    if request.choice_count is not None and request.choice_count > 1:
        log.emulated("choice_count", "there is one answer a call here; the gateway makes several calls")
    if request.stop:
        log.emulated("stop", "there are no stop sequences here, so the answer is cut where one stands")


def _write_text(body: Json, request: GenerateRequest, dialect: Dialect, log: LossLog) -> None:
    text: Json = {}
    if request.output_format is not None:
        text["format"] = _format(request.output_format, dialect, log)
    if request.verbosity is not None:
        if dialect.verbosity:
            text["verbosity"] = request.verbosity
        else:
            log.dropped("verbosity", "this upstream does not take it")
    if text:
        body["text"] = text


def _format(form: OutputFormat, dialect: Dialect, log: LossLog) -> Json:
    if form.kind != "json_schema":
        return {"type": form.kind}
    if not dialect.json_schema:
        log.approximated("text.format.schema", "this upstream promises JSON, but no schema")
        return {"type": "json_object"}
    wire: Json = {"type": "json_schema", "name": form.name or "response", "schema": form.schema or {}}
    for key in ("description", "strict"):
        value = getattr(form, key)
        if value is not None:
            wire[key] = value
    return wire


def _write_account(body: Json, request: GenerateRequest, dialect: Dialect, log: LossLog) -> None:
    """Who asks, under which label and tier."""
    _write_user(body, request, dialect, log)
    if request.cache is not None:
        log.dropped("cache_control", "this upstream takes no automatic cache mark")
    tier = _TIERS.get(request.service_tier or "", request.service_tier)
    if tier != request.service_tier and dialect.service_tier:
        log.approximated("service_tier", f"sent as {tier}")
    for key, value, taken in (
        ("service_tier", tier, dialect.service_tier),
        ("prompt_cache_key", request.cache_key, dialect.prompt_cache_key),
    ):
        if value is not None and taken:
            body[key] = value
        elif value is not None:
            log.dropped(key, "this upstream does not take it")


def _write_user(body: Json, request: GenerateRequest, dialect: Dialect, log: LossLog) -> None:
    """The end user (Messages has him in ``metadata.user_id``) and the caller's labels."""
    metadata = dict(request.metadata or {})
    user = request.end_user
    if user is None and not dialect.metadata and isinstance(metadata.get("user_id"), str):
        user = metadata["user_id"]
    if user is not None:
        if metadata.get("user_id") == user:
            del metadata["user_id"]
        if not dialect.user:
            log.dropped("safety_identifier", "this upstream takes no user")
        elif len(user) <= LONGEST_USER:
            body["safety_identifier"] = user
        else:
            body["safety_identifier"] = hashlib.sha256(user.encode("utf-8", "surrogatepass")).hexdigest()
            log.approximated("safety_identifier", f"over {LONGEST_USER} characters, so sent as its SHA-256")
    if not dialect.metadata:
        for key in metadata:
            log.dropped(f"metadata.{key}", "this upstream takes no metadata")
    elif metadata or request.metadata == {}:
        body["metadata"] = metadata


def _write_include(body: Json, request: GenerateRequest, dialect: Dialect, log: LossLog) -> None:
    include: list[Any] = list(own(request.extras).get("include", ()))
    if request.reasoning is not None and dialect.include_encrypted:
        include.append(_ENCRYPTED)
    wants_logprobs = request.logprobs or request.top_logprobs is not None
    if wants_logprobs and dialect.logprobs:
        include.append(_LOGPROBS)
        if request.top_logprobs is not None:
            body["top_logprobs"] = request.top_logprobs
    elif wants_logprobs:
        log.dropped("logprobs", "this upstream tells none")
    if include:
        body["include"] = include


def _write_extras(body: Json, request: GenerateRequest, log: LossLog) -> None:
    """Our own keys; ``text`` is joined with what stands there already."""
    if not request.extras:
        return
    rest = {key: value for key, value in own(request.extras).items() if key != LAYOUT}
    more: Json = rest.pop("text", {})
    if more:
        body["text"] = {**more, **body.get("text", {})}
    if rest.get("stream_options") is not None and not request.stream:
        log.dropped("stream_options", "only a stream has them")
        del rest["stream_options"]
    write_extras(body, {**request.extras, NAME: rest}, "", log)
