"""Gemini's generateContent as the demo model spells it. Law: pure; written out by hand, no shared codec.

Stream: every record is a whole response with the parts that are new, its line ends are CRLF, and there is no terminator:
the last record has the finish reason. Calls come whole, the first of them with the thought signature. A signature of a
text comes on the text, and when streamed on an empty part at the end. Thoughts are shown where `includeThoughts` asks for
them. Calls have an id where the model is a thinking one, as from Gemini 3 on.
"""

import json
from collections.abc import Iterator
from typing import Any, cast

from anykey.demo.fields import Object, limit_field, object_field, objects_field, required_text, text_field
from anykey.demo.gemini_history import camel, check_contents, said_in, turn_of, words_signed
from anykey.demo.prompt import BadRequestError, Prompt, Tool, Turn, is_strict
from anykey.demo.script import Performance, words
from anykey.demo.signing import sign

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    504: "DEADLINE_EXCEEDED",
}
_RETRY: Object = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2s"}


def read(body: Object, digest: str) -> Prompt:
    """The prompt in a request body to which the caller added `model` and `stream` from the path; raises BadRequestError."""
    body = camel(body)
    model = required_text(body, "model").removeprefix("models/")
    contents = objects_field(body, "contents")
    if not contents:
        raise BadRequestError("contents is not specified")
    check_contents(contents, strict=is_strict(model))
    options = camel(object_field(body, "generationConfig"))
    tools, must_call = _tools(body)
    stops: list[str] = options.get("stopSequences") or []
    return Prompt(
        model=model,
        digest=digest,
        turns=(Turn("system", said_in(object_field(body, "systemInstruction"))), *map(turn_of, contents)),
        tools=tools,
        must_call=must_call,
        schema=_schema(options),
        stop=tuple(stops),
        max_tokens=limit_field(options, "maxOutputTokens"),
        stream=body.get("stream") is True,
        stream_usage=True,
        options=camel(object_field(options, "thinkingConfig")),
    )


def count(body: Object, digest: str) -> Object:
    """The answer of `:countTokens`, asked with contents or with a whole request; raises BadRequestError."""
    body = camel(body)
    whole = {**body, **object_field(body, "generateContentRequest")}
    return {"totalTokens": read(whole, digest).input_tokens}


def reply(prompt: Prompt, performance: Performance) -> Object:
    """The whole answer as one response."""
    parts = _thoughts(prompt, [performance.reasoning])
    if performance.text:
        parts.append({"text": performance.text, **_text_signature(prompt, performance)})
    return _response(prompt, performance, [*parts, *_calls(prompt, performance)], ended=True)


def stream(prompt: Prompt, performance: Performance) -> Iterator[bytes]:
    """The answer as SSE records; after an accident the one with the finish reason is missing."""
    spoken: list[Object] = [{"text": piece} for piece in words(performance.text)]
    for part in [*_thoughts(prompt, words(performance.reasoning)), *spoken, *_calls(prompt, performance)]:
        yield _record(_response(prompt, performance, [part]))
    if not performance.accident:
        last = {"text": "", **_text_signature(prompt, performance)}
        yield _record(_response(prompt, performance, [last], ended=True))


def failure(status: int, message: str, request_id: str, code: str | None = None) -> Object:
    """The body of an HTTP error: the codes are statuses, and a request has no id."""
    del request_id, code
    name = _STATUSES.get(status, "UNAVAILABLE" if status >= 500 else "INVALID_ARGUMENT")
    error: Object = {"code": status, "message": message, "status": name}
    return {"error": {**error, "details": [_RETRY]} if status == 429 else error}


def _thoughts(prompt: Prompt, pieces: list[str]) -> list[Object]:
    shown = prompt.options.get("includeThoughts") is True
    return [{"text": piece, "thought": True} for piece in pieces if piece and shown]


def _text_signature(prompt: Prompt, performance: Performance) -> Object:
    """A text is signed when it was thought about and no call holds the signature."""
    if not performance.reasoning or performance.calls:
        return {}
    return {"thoughtSignature": sign("thought_signature", prompt.digest)}


def _calls(prompt: Prompt, performance: Performance) -> list[Object]:
    parts: list[Object] = []
    for place, call in enumerate(performance.calls):
        named = {"id": f"{prompt.digest[:6]}{place:02}"} if prompt.thinks else {}
        part: Object = {"functionCall": {**named, "name": call.name, "args": json.loads(call.arguments)}}
        if place == 0:
            part["thoughtSignature"] = sign("thought_signature", prompt.digest, words_signed(part))
        parts.append(part)
    return parts


def _response(prompt: Prompt, performance: Performance, parts: list[Object], *, ended: bool = False) -> Object:
    candidate: Object = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if ended:
        candidate["finishReason"] = "MAX_TOKENS" if performance.finish == "length" else "STOP"
    if ended and performance.calls:
        candidate["finishMessage"] = "Model generated function call(s)."
    return {
        "candidates": [candidate],
        "usageMetadata": _usage(prompt, performance),
        "modelVersion": prompt.model,
        "responseId": f"demo-{prompt.digest}",
    }


def _usage(prompt: Prompt, performance: Performance) -> Object:
    """What came out leaves thoughts out; a count of nothing is not told."""
    spent, thought = prompt.input_tokens, performance.reasoning_tokens
    spoken = performance.output_tokens - thought
    told = {"promptTokenCount": spent, "candidatesTokenCount": spoken, "thoughtsTokenCount": thought}
    return {**{name: number for name, number in told.items() if number}, "totalTokenCount": spent + spoken + thought}


def _record(response: Object) -> bytes:
    return b"data: " + json.dumps(response, ensure_ascii=False, separators=(",", ":")).encode() + b"\r\n\r\n"


def _tools(body: Object) -> tuple[tuple[Tool, ...], bool]:
    declared = [
        camel(function)
        for group in objects_field(body, "tools")
        for function in objects_field(camel(group), "functionDeclarations")
    ]
    tools = tuple(
        Tool(
            required_text(function, "name"),
            text_field(function, "description"),
            function.get("parametersJsonSchema") or _json_schema(function.get("parameters")),
        )
        for function in declared
    )
    calling = camel(object_field(camel(object_field(body, "toolConfig")), "functionCallingConfig"))
    mode = text_field(calling, "mode").upper()
    if mode == "NONE":
        return (), False
    allowed: list[str] = calling.get("allowedFunctionNames") or [tool.name for tool in tools]
    return tuple(tool for tool in tools if tool.name in allowed), mode == "ANY"


def _schema(options: Object) -> Any:
    if options.get("responseMimeType") != "application/json":
        return None
    schema: Any = options.get("responseJsonSchema") or _json_schema(options.get("responseSchema"))
    return schema or {"type": "object", "required": ["answer"]}


def _json_schema(schema: Any) -> Any:
    """Google's schema as JSON Schema: its types are in upper case."""
    if isinstance(schema, list):
        return [_json_schema(item) for item in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    return {
        name: value.lower() if name == "type" and isinstance(value, str) else _json_schema(value)
        for name, value in cast("Object", schema).items()
    }
