"""OpenAI Chat Completions as the demo model spells it. Law: pure; written out by hand, no shared codec.

Stream: a role chunk, deltas, a finish chunk with an empty delta, a chunk with `choices: []` and the usage when
`stream_options.include_usage` asks for it, `data: [DONE]`. Tool calls: id, type and name first, arguments after.
The strict model wants the `reasoning_content` of its tool calls back, as DeepSeek's does, until the user speaks again.
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
from anykey.demo.script import Call, Performance, words

_CREATED = 1767225600  # 2026-01-01: the demo reads no clock, so that its answers repeat byte for byte
_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}
_ERROR_TYPES = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    404: ("invalid_request_error", "not_found"),
    429: ("rate_limit_error", "rate_limit_exceeded"),
}


def read(body: Object, digest: str) -> Prompt:
    """The prompt in a request body; raises BadRequestError."""
    model = required_text(body, "model")
    messages = objects_field(body, "messages")
    if not messages:
        raise BadRequestError("messages: at least one message is expected")
    _check_tool_results(messages)
    if is_strict(model):
        _check_reasoning(messages)
    tools, must_call = _tools(body)
    limit = limit_field(body, "max_completion_tokens") or limit_field(body, "max_tokens")
    stop: Any = body.get("stop") or []
    return Prompt(
        model=model,
        digest=digest,
        turns=tuple(_turn(message) for message in messages),
        tools=tools,
        must_call=must_call,
        schema=_schema(object_field(body, "response_format")),
        stop=(stop,) if isinstance(stop, str) else tuple(stop),
        max_tokens=limit,
        stream=body.get("stream") is True,
        stream_usage=object_field(body, "stream_options").get("include_usage") is True,
    )


def reply(prompt: Prompt, performance: Performance) -> Object:
    """The whole answer as one `chat.completion` object."""
    message: Object = {"role": "assistant", "content": performance.text or None, "refusal": None}
    if not performance.calls:
        message["content"] = performance.text
    if performance.reasoning:
        message["reasoning_content"] = performance.reasoning
    if performance.calls:
        message["tool_calls"] = [
            {"id": _call_id(prompt, place), "type": "function", "function": _function(call)}
            for place, call in enumerate(performance.calls)
        ]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": performance.finish}
    return {**_head(prompt, "chat.completion"), "choices": [choice], "usage": _usage(prompt, performance)}


def stream(prompt: Prompt, performance: Performance) -> Iterator[bytes]:
    """The answer as SSE records; after an accident the terminator is missing."""
    yield _record(prompt, {"role": "assistant", "content": ""})
    for piece in words(performance.reasoning):
        yield _record(prompt, {"reasoning_content": piece})
    for piece in words(performance.text):
        yield _record(prompt, {"content": piece})
    for place, call in enumerate(performance.calls):
        head = {"id": _call_id(prompt, place), "type": "function", "function": {"name": call.name, "arguments": ""}}
        yield _record(prompt, {"tool_calls": [{"index": place, **head}]})
        for piece in words(call.arguments):
            yield _record(prompt, {"tool_calls": [{"index": place, "function": {"arguments": piece}}]})
    if performance.accident:
        return
    yield _record(prompt, {}, performance.finish)
    if prompt.stream_usage:
        usage = _usage(prompt, performance)
        yield _data({**_head(prompt, "chat.completion.chunk"), "choices": list[Any](), "usage": usage})
    yield b"data: [DONE]\n\n"


def failure(status: int, message: str, request_id: str, code: str | None = None) -> Object:
    """The body of an HTTP error. The request id travels in a header here, not in the body."""
    del request_id
    fallback = ("server_error" if status >= 500 else "invalid_request_error", None)
    kind, usual = _ERROR_TYPES.get(status, fallback)
    return {"error": {"message": message, "type": kind, "param": None, "code": code or usual}}


def _turn(message: Object) -> Turn:
    role = required_text(message, "role")
    parts = content_parts(message)
    text = joined_text(parts)
    if role == "tool":
        return Turn("user", results=(text,))
    if role not in _ROLES:
        raise BadRequestError(f"messages: the role {role!r} is not known")
    media = sum(part.get("type") not in {"text", "refusal"} for part in parts)
    return Turn(_ROLES[role], text, media=media)


def _check_tool_results(messages: list[Object]) -> None:
    called: set[str] = set()
    for place, message in enumerate(messages):
        called.update(text_field(call, "id") for call in objects_field(message, "tool_calls"))
        if message.get("role") == "tool" and message.get("tool_call_id") not in called:
            raise BadRequestError(f"messages.{place}: tool_call_id answers no call made before it")


def _check_reasoning(messages: list[Object]) -> None:
    for message in reversed(messages):
        if message.get("role") == "user":
            return
        if message.get("tool_calls") and message.get("reasoning_content") is None:
            raise BadRequestError("The `reasoning_content` in the thinking mode must be passed back to the API.")


def _tools(body: Object) -> tuple[tuple[Tool, ...], bool]:
    functions = [object_field(tool, "function") for tool in objects_field(body, "tools")]
    tools = tuple(
        Tool(required_text(function, "name"), text_field(function, "description"), function.get("parameters"))
        for function in functions
        if function
    )
    choice: Any = body.get("tool_choice") or "auto"
    if isinstance(choice, dict):
        named = object_field({"tool_choice": choice}, "tool_choice")
        name = text_field(object_field(named, "function"), "name")
        return tuple(tool for tool in tools if tool.name == name), True
    return ((), False) if choice == "none" else (tools, choice == "required")


def _schema(response_format: Object) -> Any:
    if response_format.get("type") == "json_schema":
        return object_field(response_format, "json_schema").get("schema") or {}
    if response_format.get("type") == "json_object":
        return {"type": "object", "required": ["answer"]}
    return None


def _head(prompt: Prompt, kind: str) -> Object:
    return {
        "id": f"chatcmpl-demo-{prompt.digest}",
        "object": kind,
        "created": _CREATED,
        "model": prompt.model,
        "system_fingerprint": "demo",
    }


def _record(prompt: Prompt, delta: Object, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    chunk = {**_head(prompt, "chat.completion.chunk"), "choices": [choice]}
    return _data({**chunk, "usage": None} if prompt.stream_usage else chunk)


def _data(chunk: Object) -> bytes:
    return b"data: " + json.dumps(chunk, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def _call_id(prompt: Prompt, place: int) -> str:
    return f"call_demo_{prompt.digest}_{place}"


def _function(call: Call) -> Object:
    return {"name": call.name, "arguments": call.arguments}


def _usage(prompt: Prompt, performance: Performance) -> Object:
    spent, produced = prompt.input_tokens, performance.output_tokens
    return {
        "prompt_tokens": spent,
        "completion_tokens": produced,
        "total_tokens": spent + produced,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": performance.reasoning_tokens},
    }
