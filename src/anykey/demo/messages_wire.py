"""Anthropic Messages as the demo model spells it. Law: pure; written out by hand, no shared codec.

Stream: message_start, then each block as start, deltas and stop (a `ping` after the first start), message_delta
with the stop reason and the usage, message_stop. Every record has its `event:` name. Tool input comes as
`input_json_delta`s of which the first is empty; a thinking block ends with one `signature_delta`. A thinking block that
comes back must be one of its own, unaltered; the strict model wants it back before the calls it led to.
"""

import json
from collections.abc import Iterator
from typing import Any

from anykey.demo.fields import (
    Object,
    content_parts,
    joined_text,
    limit_field,
    object_field,
    objects_field,
    required_text,
    text_field,
)
from anykey.demo.prompt import BadRequestError, Prompt, Role, Tool, Turn, is_strict
from anykey.demo.script import Performance, words
from anykey.demo.signing import sign, signed_answer

_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
_ROLES: dict[str, Role] = {"system": "system", "user": "user", "assistant": "assistant"}
_ERROR_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def read(body: Object, digest: str) -> Prompt:
    """The prompt in a request body; raises BadRequestError."""
    limit = limit_field(body, "max_tokens")
    if limit is None:
        raise BadRequestError("max_tokens: field required")
    return _read(body, digest, limit)


def read_for_count(body: Object, digest: str) -> Prompt:
    """The prompt in a count_tokens body, which has no max_tokens; raises BadRequestError."""
    return _read(body, digest, None)


def count(body: Object, digest: str) -> Object:
    """The answer of `/v1/messages/count_tokens`; raises BadRequestError."""
    return {"input_tokens": read_for_count(body, digest).input_tokens}


def reply(prompt: Prompt, performance: Performance) -> Object:
    """The whole answer as one `message` object."""
    blocks: list[Object] = []
    if performance.reasoning:
        signature = sign("thinking", prompt.digest, performance.reasoning)
        blocks.append({"type": "thinking", "thinking": performance.reasoning, "signature": signature})
    if performance.text:
        blocks.append({"type": "text", "text": performance.text})
    for place, call in enumerate(performance.calls):
        blocks.append({**_tool_use(prompt, place, call.name), "input": json.loads(call.arguments)})
    return {
        **_head(prompt),
        "content": blocks,
        "stop_reason": _stop_reason(performance),
        "stop_sequence": performance.stop_sequence,
        "usage": _usage(prompt, performance.output_tokens),
    }


def stream(prompt: Prompt, performance: Performance) -> Iterator[bytes]:
    """The answer as SSE records; after an accident the last block stays open and the terminator is missing."""
    start = {**_head(prompt), "content": list[Any](), "stop_reason": None, "stop_sequence": None}
    yield _event("message_start", message={**start, "usage": _usage(prompt, 1)})
    blocks = list(_blocks(prompt, performance))
    for index, (block, deltas) in enumerate(blocks):
        yield _event("content_block_start", index=index, content_block=block)
        if index == 0:
            yield _event("ping")
        for delta in deltas:
            yield _event("content_block_delta", index=index, delta=delta)
        if performance.accident and index == len(blocks) - 1:
            return
        yield _event("content_block_stop", index=index)
    if performance.accident:
        return
    ending = {"stop_reason": _stop_reason(performance), "stop_sequence": performance.stop_sequence}
    yield _event("message_delta", delta=ending, usage=_usage(prompt, performance.output_tokens))
    yield _event("message_stop")


def failure(status: int, message: str, request_id: str, code: str | None = None) -> Object:
    """The body of an HTTP error. The protocol has no code beside the type."""
    del code
    fallback = "api_error" if status >= 500 else "invalid_request_error"
    error = {"type": _ERROR_TYPES.get(status, fallback), "message": message}
    return {"type": "error", "error": error, "request_id": request_id}


def _read(body: Object, digest: str, limit: int | None) -> Prompt:
    model = required_text(body, "model")
    messages = objects_field(body, "messages")
    if not messages:
        raise BadRequestError("messages: at least one message is required")
    _check_tool_results(messages)
    _check_thinking(messages, strict=is_strict(model))
    tools, must_call = _tools(body)
    output = object_field(body, "output_config").get("format") or body.get("output_format")
    wanted = object_field({"format": output}, "format")
    stop: list[str] = body.get("stop_sequences") or []
    system = joined_text(content_parts(body, "system"))
    return Prompt(
        model=model,
        digest=digest,
        turns=(Turn("system", system), *(_turn(message) for message in messages)),
        tools=tools,
        must_call=must_call,
        schema=(wanted.get("schema") or {}) if wanted.get("type") == "json_schema" else None,
        stop=tuple(stop),
        max_tokens=limit,
        stream=body.get("stream") is True,
        stream_usage=True,
    )


def _turn(message: Object) -> Turn:
    role = required_text(message, "role")
    parts = content_parts(message)
    if role not in _ROLES:
        raise BadRequestError(f"messages: the role {role!r} is not known")
    results = [part for part in parts if part.get("type") == "tool_result"]
    media = sum(part.get("type") in {"image", "document"} for part in parts)
    texts = tuple(joined_text(content_parts(part)) for part in results)
    return Turn(_ROLES[role], joined_text(parts), texts, media)


def _check_tool_results(messages: list[Object]) -> None:
    called: set[str] = set()
    for place, message in enumerate(messages):
        for part in content_parts(message):
            if part.get("type") == "tool_use":
                called.add(text_field(part, "id"))
            elif part.get("type") == "tool_result" and part.get("tool_use_id") not in called:
                raise BadRequestError(f"messages.{place}: tool_use_id answers no tool_use before it")


def _check_thinking(messages: list[Object], *, strict: bool) -> None:
    for place, message in enumerate(messages):
        for number, part in enumerate(content_parts(message)):
            at = f"messages.{place}.content.{number}"
            if part.get("type") == "redacted_thinking":  # this model never makes one
                raise BadRequestError(f"{at}: Invalid `data` in `redacted_thinking` block")
            if part.get("type") == "thinking" and not _is_own(part):
                raise BadRequestError(f"{at}: Invalid `signature` in `thinking` block")
    for place in _tool_turns(messages) if strict else ():
        first = content_parts(messages[place])[0].get("type")
        if first != "thinking":
            raise BadRequestError(
                f"messages.{place}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{first}`. When "
                "`thinking` is enabled, a final `assistant` message must start with a thinking block."
            )


def _is_own(part: Object) -> bool:
    return signed_answer("thinking", text_field(part, "signature"), text_field(part, "thinking")) is not None


def _tool_turns(messages: list[Object]) -> Iterator[int]:
    """Where the assistant called tools since the user last spoke."""
    for place in reversed(range(len(messages))):
        kinds = {part.get("type") for part in content_parts(messages[place])}
        if messages[place].get("role") == "user" and "tool_result" not in kinds:
            return
        if "tool_use" in kinds:
            yield place


def _tools(body: Object) -> tuple[tuple[Tool, ...], bool]:
    tools = tuple(
        Tool(required_text(tool, "name"), text_field(tool, "description"), tool["input_schema"])
        for tool in objects_field(body, "tools")
        if "input_schema" in tool and not tool.get("defer_loading")
    )
    choice = object_field(body, "tool_choice")
    match choice.get("type"):
        case "none":
            return (), False
        case "tool":
            return tuple(tool for tool in tools if tool.name == choice.get("name")), True
        case kind:
            return tools, kind == "any"


def _blocks(prompt: Prompt, performance: Performance) -> Iterator[tuple[Object, list[Object]]]:
    """Each content block as it starts, with the deltas that fill it."""
    if performance.reasoning:
        thoughts = [{"type": "thinking_delta", "thinking": piece} for piece in words(performance.reasoning)]
        signature = sign("thinking", prompt.digest, performance.reasoning)
        signed = {"type": "signature_delta", "signature": signature}
        yield {"type": "thinking", "thinking": "", "signature": ""}, [*thoughts, signed]
    if performance.text:
        spoken: list[Object] = [{"type": "text_delta", "text": piece} for piece in words(performance.text)]
        yield {"type": "text", "text": ""}, spoken
    for place, call in enumerate(performance.calls):
        pieces = ["", *words(call.arguments)]
        filled: list[Object] = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
        yield {**_tool_use(prompt, place, call.name), "input": {}}, filled


def _tool_use(prompt: Prompt, place: int, name: str) -> Object:
    return {"type": "tool_use", "id": f"toolu_demo_{prompt.digest}_{place}", "name": name}


def _head(prompt: Prompt) -> Object:
    return {"id": f"msg_demo_{prompt.digest}", "type": "message", "role": "assistant", "model": prompt.model}


def _stop_reason(performance: Performance) -> str:
    return "stop_sequence" if performance.stop_sequence else _STOP_REASONS[performance.finish]


def _usage(prompt: Prompt, output_tokens: int) -> Object:
    return {
        "input_tokens": prompt.input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output_tokens,
    }


def _event(name: str, **fields: Any) -> bytes:
    data = json.dumps({"type": name, **fields}, ensure_ascii=False, separators=(",", ":"))
    return f"event: {name}\ndata: {data}\n\n".encode()
