"""The body of ``POST /v1/chat/completions``, both ways."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from anykey.conversation.failures import invalid
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.request import GenerateRequest, OutputFormat
from anykey.conversation.tools import HostedTool, Tool, ToolChoice
from anykey.protocols.codec import Decoded, Encoded, RequestPath
from anykey.protocols.emptied import nothing_left
from anykey.protocols.fields import Fields, kind_of, parse_json
from anykey.protocols.openai_chat.content import ContentWriter, read_cache
from anykey.protocols.openai_chat.dialect import Dialect, listed, refused
from anykey.protocols.openai_chat.effort import encode_effort, read_effort
from anykey.protocols.openai_chat.extras import kept, write_extras
from anykey.protocols.openai_chat.fitting import leave_out
from anykey.protocols.openai_chat.messages_decoding import decode_messages
from anykey.protocols.openai_chat.messages_encoding import MessageWriter
from anykey.protocols.openai_chat.parsed import is_object, text_of
from anykey.protocols.openai_chat.tools import ToolWriter, decode_function, decode_tool_choice, decode_tools
from anykey.protocols.openai_chat.web_search import OPTIONS, decode_options
from anykey.protocols.plain_tools import plain_tools

MAX_STOPS = 4
LONGEST_USER = 64
_TIERS = {"standard_only": "default", "standard": "default", "ultrafast": "fast"}
_LIKE_TIERS = {"priority": "fast"}
"""What comes nearest where the tier itself is not known."""


def decode_request(body: bytes, path: RequestPath) -> Decoded[GenerateRequest]:
    """The neutral request. FailureError (400) names the field that cannot be read."""
    log = LossLog("request")
    fields = Fields(parse_json(body))
    messages = fields.array("messages")
    if messages is None:
        raise invalid("this field is required", "messages")
    left: Json = {}  # what has a field but says more than the field can hold
    tools, tool_choice = _read_tools(fields, left, log)
    options = fields.nested("stream_options")
    include_usage = options.flag("include_usage") if options else None
    if options and (options_rest := options.rest()):
        left["stream_options"] = options_rest
    request = GenerateRequest(
        model=path.model or fields.required_text("model"),
        messages=decode_messages(messages),
        tools=tools,
        tool_choice=tool_choice,
        parallel_tool_calls=fields.flag("parallel_tool_calls"),
        max_output_tokens=_read_limit(fields, log),
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.integer("top_k"),
        frequency_penalty=fields.number("frequency_penalty"),
        presence_penalty=fields.number("presence_penalty"),
        seed=fields.integer("seed"),
        stop=_read_stop(fields),
        choice_count=fields.count("n"),
        logprobs=fields.flag("logprobs"),
        top_logprobs=fields.integer("top_logprobs"),
        reasoning=read_effort(fields),
        output_format=_read_format(fields, left),
        verbosity=fields.text("verbosity"),
        service_tier=fields.text("service_tier"),
        metadata=fields.object("metadata"),
        end_user=fields.text("user"),
        cache_key=fields.text("prompt_cache_key"),
        cache=read_cache(fields),
        stream=(fields.flag("stream") or False) if path.stream is None else path.stream,
        include_usage=include_usage,
        extras=kept({**fields.rest(), **left}),
    )
    return Decoded(request, tuple(log.losses))


def _read_tools(fields: Fields, left: Json, log: LossLog) -> tuple[tuple[Tool, ...], ToolChoice | None]:
    """Tools and the choice among them; the legacy ``functions`` become tools."""
    tools = decode_tools(fields.array("tools") or [], "tools")
    legacy: list[Any] = fields.array("functions") or []
    if legacy:
        log.emulated("functions", "sent as tools; the model's calls come back in tool_calls")
        tools += tuple(decode_function(Fields(value, f"functions[{n}]")) for n, value in enumerate(legacy))
    search = fields.object(OPTIONS)
    if search is not None:
        tools += (decode_options(search),)
    wish: Any = fields.any("function_call")
    if is_object(wish):
        wish = {"type": "function", "function": wish}
    asked: Any = fields.any("tool_choice")
    value = wish if asked is None else asked
    choice = None if value is None else decode_tool_choice(value, "tool_choice")
    if choice is None and value is not None:
        left["tool_choice"] = value
    return tools, choice


def _read_limit(fields: Fields, log: LossLog) -> int | None:
    """``max_completion_tokens``, or ``max_tokens`` as it used to be called."""
    newer, older = fields.integer("max_completion_tokens"), fields.integer("max_tokens")
    if newer is not None and older is not None and newer != older:
        log.dropped("max_tokens", "max_completion_tokens counts")
    return newer if newer is not None else older


def _read_stop(fields: Fields) -> tuple[str, ...]:
    value = fields.any("stop")
    values: list[Any] = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(value, str | list | None) or not all(isinstance(item, str) for item in values):
        raise invalid(f"expected a string or an array of strings, got {kind_of(value)}", "stop")
    return tuple(values)


def _read_format(fields: Fields, left: Json) -> OutputFormat | None:
    """``response_format``. A form that the neutral model cannot hold whole stays as it is in the extras."""
    value = fields.object("response_format")
    if value is None:
        return None
    form = Fields(value, "response_format")
    kind = form.text("type")
    if kind in ("text", "json_object"):
        found = OutputFormat(kind)
    elif kind == "json_schema":
        schema = form.nested("json_schema") or Fields({}, "response_format.json_schema")
        found = OutputFormat(
            "json_schema",
            schema.object("schema"),
            schema.text("name"),
            schema.text("description"),
            schema.flag("strict"),
        )
        if schema.rest():
            found = None
    else:
        found = None
    if found is None or form.rest():
        left["response_format"] = value
        return None
    return found


def encode_request(request: GenerateRequest, dialect: Dialect) -> Encoded:
    """The body for one upstream, and what it could not carry."""
    log = LossLog("request")
    request, losses = plain_tools(request, custom_tools=dialect.custom_tools, namespaces=False)
    log.losses += losses
    messages = MessageWriter(dialect, log).write(request)
    if not messages and request.messages:
        raise nothing_left(log.losses)
    body: Json = {"model": request.model, "messages": messages}
    _write_tools(body, request, dialect, log)
    _write_limits(body, request, dialect, log)
    _write_sampling(body, request, dialect, log)
    if request.reasoning is not None:
        encode_effort(body, request.reasoning, dialect, log)
    if request.output_format is not None:
        _write_format(body, request.output_format, dialect, log)
    _write_account(body, request, dialect, log)
    if request.cache is not None:
        if dialect.cache_control:
            ContentWriter(dialect, log).cache(body, request.cache, "")
        else:
            log.dropped("cache_control", "this upstream takes no automatic cache mark")
    if request.extras:
        write_extras(body, request.extras, "", log)
    _write_stream(body, request, dialect, log)
    leave_out(body, dialect, log)
    return Encoded(msgspec.json.encode(body), tuple(log.losses))


def _write_tools(body: Json, request: GenerateRequest, dialect: Dialect, log: LossLog) -> None:
    writer = ToolWriter(dialect, log)
    tools = writer.tools(request.tools)
    if tools:
        body["tools"] = tools
    if writer.search is not None:
        body[OPTIONS] = writer.search
    if request.tools and not tools:
        if request.tool_choice is not None:
            log.dropped("tool_choice", "none of the tools could be sent")
        if request.parallel_tool_calls is not None:
            log.dropped("parallel_tool_calls", "none of the tools could be sent")
        return
    if request.tool_choice is not None and _names_hosted(request):
        log.dropped("tool_choice", "it names a tool that the provider runs, which cannot be demanded here")
    elif request.tool_choice is not None:
        body["tool_choice"] = writer.choice(request.tool_choice)
    if request.parallel_tool_calls is not None:
        body["parallel_tool_calls"] = request.parallel_tool_calls


def _names_hosted(request: GenerateRequest) -> bool:
    """The choice is one of another protocol's own tools, by its name."""
    choice = request.tool_choice
    if choice is None or choice.mode != "named":
        return False
    return any(isinstance(tool, HostedTool) and tool.name == choice.names[0] for tool in request.tools)


def _write_limits(body: Json, request: GenerateRequest, dialect: Dialect, log: LossLog) -> None:
    if request.max_output_tokens is not None:
        body[dialect.max_tokens_field] = request.max_output_tokens
    if request.stop and "stop" in refused(dialect):
        log.emulated("stop", "this model takes no stop sequences; the gateway ends the answer at them")
    elif request.stop:
        body["stop"] = list(request.stop[:MAX_STOPS])
        for index in range(MAX_STOPS, len(request.stop)):
            log.emulated(f"stop[{index}]", f"at most {MAX_STOPS} are taken; the gateway ends the answer at the others")
    if request.choice_count is not None and (dialect.choice_count or request.choice_count <= 1):
        body["n"] = request.choice_count
    elif request.choice_count is not None:
        log.emulated("choice_count", "this upstream gives one answer a call; the gateway makes several calls")


def _write_sampling(body: Json, request: GenerateRequest, dialect: Dialect, log: LossLog) -> None:
    for key in ("temperature", "top_p", "frequency_penalty", "presence_penalty"):
        value = getattr(request, key)
        if value is None:
            continue
        if dialect.sampling:
            body[key] = value
        else:
            log.dropped(key, "this model takes no sampling parameters")
    if request.top_k is not None:
        log.dropped("top_k", "Chat Completions has no such field")
    for key in ("seed", "logprobs", "top_logprobs"):
        value = getattr(request, key)
        if value is not None:
            body[key] = value


def _write_format(body: Json, form: OutputFormat, dialect: Dialect, log: LossLog) -> None:
    if form.kind != "json_schema":
        body["response_format"] = {"type": form.kind}
        return
    if not dialect.json_schema:
        log.approximated("response_format.json_schema", "this upstream promises JSON, but no schema")
        body["response_format"] = {"type": "json_object"}
        return
    schema: Json = {"name": form.name or "response"}
    for key in ("description", "schema", "strict"):
        value = getattr(form, key)
        if value is not None:
            schema[key] = value
    body["response_format"] = {"type": "json_schema", "json_schema": schema}


def _write_account(body: Json, request: GenerateRequest, dialect: Dialect, log: LossLog) -> None:
    """Who asks, under which label and tier."""
    _write_user(body, request, dialect, log)
    if request.service_tier is not None and dialect.service_tier:
        _write_tier(body, request.service_tier, dialect, log)
    elif request.service_tier is not None:
        log.dropped("service_tier", "this upstream has no tiers")
    cache_key = None if dialect.prompt_cache_header else cache_key_for(request, dialect)
    for key, value, taken in (
        ("prompt_cache_key", cache_key, dialect.prompt_cache_key),
        ("verbosity", request.verbosity, dialect.verbosity),
    ):
        if value is not None and taken:
            body[key] = value
        elif value is not None:
            log.dropped(key, "this upstream does not take it")


def _write_tier(body: Json, asked: str, dialect: Dialect, log: LossLog) -> None:
    """``service_tier`` in a word that this upstream knows."""
    known = listed(dialect.service_tiers)
    tier = _TIERS.get(asked, asked)
    if known and tier not in known:
        tier = _LIKE_TIERS.get(tier, "")
    if known and tier not in known:
        log.dropped("service_tier", f"this upstream has no tier {asked!r}")
        return
    if tier != asked:
        log.approximated("service_tier", f"sent as {tier}")
    body["service_tier"] = tier


def cache_key_for(request: GenerateRequest, dialect: Dialect) -> str | None:
    """The caller's, else one made of ``metadata.user_id``, in which Claude Code names the session: calls with one key are sent to
    one cache."""
    session = (request.metadata or {}).get("user_id")
    if (
        request.cache_key is None
        and (dialect.prompt_cache_key or dialect.prompt_cache_header)
        and isinstance(session, str)
        and session == request.end_user
    ):
        return session if len(session) <= LONGEST_USER else _fingerprint(session)
    return request.cache_key


def _write_user(body: Json, request: GenerateRequest, dialect: Dialect, log: LossLog) -> None:
    """The end user (Messages has him in ``metadata.user_id``) and the caller's labels."""
    metadata = dict(request.metadata or {})
    user = request.end_user
    if user is None and not dialect.metadata:
        user = text_of(metadata.get("user_id"))
    if user is not None:
        if metadata.get("user_id") == user:
            del metadata["user_id"]
        body["user"] = user if len(user) <= LONGEST_USER else _fingerprint(user)
        if body["user"] != user:
            log.approximated("user", f"an identifier over {LONGEST_USER} characters is sent as its SHA-256")
    if not dialect.metadata:
        for key in metadata:
            log.dropped(f"metadata.{key}", "this upstream takes no metadata")
    elif metadata or request.metadata == {}:
        body["metadata"] = metadata


def _fingerprint(user: str) -> str:
    return hashlib.sha256(user.encode("utf-8", "surrogatepass")).hexdigest()


def _write_stream(body: Json, request: GenerateRequest, dialect: Dialect, log: LossLog) -> None:
    """A stream is always asked for its usage: the gateway counts it, and hides it from a client that did not ask."""
    own: Json = body.pop("stream_options", {})
    if request.stream:
        body["stream"] = True
        if dialect.stream_options:
            body["stream_options"] = {"include_usage": True, **own}
            return
    if own:
        log.dropped("stream_options", "only a stream has them" if dialect.stream_options else "this upstream has none")
