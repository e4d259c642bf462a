"""What the upstream says in each protocol, whole and as the records of a stream, with the usage it bills."""

import json
from typing import Any

from tests.crash.calls import Usage, Wire

Json = dict[str, Any]
PIECES = ("Every ", "call ", "is ", "written ", "down.")
TEXT = "".join(PIECES)


def whole(wire: Wire, model: str, usage: Usage) -> Json:
    """The answer as one document."""
    match wire:
        case "chat":
            message = {"role": "assistant", "content": TEXT}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            head: Json = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1_780_000_000, "model": model}
            return {**head, "choices": [choice], "usage": _chat_usage(usage)}
        case "messages":
            content = [{"type": "text", "text": TEXT}]
            return {**_message(model), "content": content, "stop_reason": "end_turn", "usage": _messages_usage(usage)}
        case "responses":
            return {
                **_response(model),
                "status": "completed",
                "output": [_item(TEXT)],
                "usage": _responses_usage(usage),
            }


def records(wire: Wire, model: str, usage: Usage) -> list[bytes]:
    """The answer as the SSE records of a stream."""
    match wire:
        case "chat":
            return _chat_records(model, usage)
        case "messages":
            return _messages_records(model, usage)
        case "responses":
            return _responses_records(model, usage)


def _chat_records(model: str, usage: Usage) -> list[bytes]:
    def chunk(choices: list[Json], **more: Any) -> bytes:
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_780_000_000, "model": model}
        return _record(None, {**head, "choices": choices, **more})

    def choice(delta: Json, finish: str | None = None) -> list[Json]:
        return [{"index": 0, "delta": delta, "finish_reason": finish}]

    return [
        chunk(choice({"role": "assistant", "content": ""})),
        *(chunk(choice({"content": piece})) for piece in PIECES),
        chunk(choice({}, "stop")),
        chunk([], usage=_chat_usage(usage)),
        b"data: [DONE]\n\n",
    ]


def _messages_records(model: str, usage: Usage) -> list[bytes]:
    def record(name: str, **fields: Any) -> bytes:
        return _record(name, {"type": name, **fields})

    told = _messages_usage(usage)
    begun: Json = {**_message(model), "content": [], "stop_reason": None, "usage": {**told, "output_tokens": 1}}
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    return [
        record("message_start", message=begun),
        record("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        *(record("content_block_delta", index=0, delta={"type": "text_delta", "text": piece}) for piece in PIECES),
        record("content_block_stop", index=0),
        record("message_delta", delta=stop, usage={"output_tokens": usage.output}),
        record("message_stop"),
    ]


def _responses_records(model: str, usage: Usage) -> list[bytes]:
    place: Json = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    part: Json = {"type": "output_text", "text": TEXT, "annotations": []}
    empty: Json = {**part, "text": ""}
    begun: Json = {**_response(model), "status": "in_progress", "output": [], "usage": None}
    opened: Json = {**_item(""), "status": "in_progress", "content": []}
    events: list[tuple[str, Json]] = [
        ("response.created", {"response": begun}),
        ("response.output_item.added", {"output_index": 0, "item": opened}),
        ("response.content_part.added", {**place, "part": empty}),
        *(("response.output_text.delta", {**place, "delta": piece}) for piece in PIECES),
        ("response.output_text.done", {**place, "text": TEXT}),
        ("response.content_part.done", {**place, "part": part}),
        ("response.output_item.done", {"output_index": 0, "item": _item(TEXT)}),
        ("response.completed", {"response": whole("responses", model, usage)}),
    ]
    return [
        _record(name, {"type": name, "sequence_number": number, **fields})
        for number, (name, fields) in enumerate(events)
    ]


def _record(name: str | None, data: Json) -> bytes:
    event = b"" if name is None else f"event: {name}\n".encode()
    return event + b"data: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"


def _chat_usage(usage: Usage) -> Json:
    prompt = usage.uncached + usage.cached
    return {
        "prompt_tokens": prompt,
        "completion_tokens": usage.output,
        "total_tokens": prompt + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
    }


def _messages_usage(usage: Usage) -> Json:
    return {
        "input_tokens": usage.uncached,
        "cache_read_input_tokens": usage.cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": usage.output,
    }


def _responses_usage(usage: Usage) -> Json:
    given = usage.uncached + usage.cached
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": usage.cached},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": given + usage.output,
    }


def _message(model: str) -> Json:
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "stop_sequence": None}


def _response(model: str) -> Json:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_780_000_000,
        "model": model,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "metadata": {},
    }


def _item(text: str) -> Json:
    content: list[Json] = [{"type": "output_text", "text": text, "annotations": []}]
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": content}
