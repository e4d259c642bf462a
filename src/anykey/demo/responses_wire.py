"""OpenAI Responses as the demo model spells it. Law: pure; written out by hand, no shared codec.

Stream: response.created and .in_progress, for each item .added, its deltas and .done, at the end .completed or .incomplete
with the whole response. Every record has its `event:` name and a sequence number from 0; there is no `[DONE]`. Reasoning
is encrypted, its summary is given where `reasoning.summary` asks for one. What stands as `encrypted_content` in an item
that was only added is not yet the reasoning: only that of `output_item.done` is taken back.
"""

import json
from collections.abc import Iterator
from typing import Any

from anykey.demo.fields import Object, limit_field, object_field, objects_field, required_text, text_field
from anykey.demo.prompt import BadRequestError, Prompt, Tool, Turn, is_strict
from anykey.demo.responses_history import check_items, input_items, reasoning_id, turns
from anykey.demo.script import Call, Performance, words
from anykey.demo.signing import sign

_CREATED = 1767225600  # 2026-01-01: the demo reads no clock, so that its answers repeat byte for byte
_ECHOED: Object = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "reasoning": {"effort": None, "summary": None},
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "truncation": "disabled",
}
"""What the answer repeats of the request, and what it says where the request was silent."""


def read(body: Object, digest: str) -> Prompt:
    """The prompt in a request body; raises BadRequestError."""
    model = required_text(body, "model")
    if earlier := text_field(body, "previous_response_id"):
        raise BadRequestError(f"Previous response with id '{earlier}' not found.", "previous_response_not_found")
    items = input_items(body)
    check_items(items, strict=is_strict(model))
    tools, must_call = _chosen_tools(body, items)
    return Prompt(
        model=model,
        digest=digest,
        turns=(Turn("system", text_field(body, "instructions")), *turns(items)),
        tools=tools,
        must_call=must_call,
        schema=_schema(object_field(object_field(body, "text"), "format")),
        max_tokens=limit_field(body, "max_output_tokens"),
        stream=body.get("stream") is True,
        stream_usage=True,
        options={name: body.get(name, usual) for name, usual in _ECHOED.items()},
    )


def count(body: Object, digest: str) -> Object:
    """The answer of `/v1/responses/input_tokens`; raises BadRequestError."""
    return {"object": "response.input_tokens", "input_tokens": read(body, digest).input_tokens}


def reply(prompt: Prompt, performance: Performance) -> Object:
    """The whole answer as one `response` object."""
    return _ended(prompt, performance, [item for item, _ in _items(prompt, performance)])


def stream(prompt: Prompt, performance: Performance) -> Iterator[bytes]:
    """The answer as SSE records; after an accident the last item stays open and the terminator is missing."""
    for number, (name, fields) in enumerate(_events(prompt, performance)):
        data = json.dumps(
            {"type": name, "sequence_number": number, **fields}, ensure_ascii=False, separators=(",", ":")
        )
        yield f"event: {name}\ndata: {data}\n\n".encode()


_Events = Iterator[tuple[str, Object]]


def _events(prompt: Prompt, performance: Performance) -> _Events:
    begun = {"response": _response(prompt, "in_progress", [])}
    yield "response.created", begun
    yield "response.in_progress", begun
    items = list(_items(prompt, performance))
    for index, (item, added) in enumerate(items):
        yield "response.output_item.added", {"output_index": index, "item": added}
        place = {"item_id": item["id"], "output_index": index}
        for name, fields in _FILLING[item["type"]](item):
            yield f"response.{name}", {**place, **fields}
        if performance.accident and index == len(items) - 1:
            return
        yield "response.output_item.done", {"output_index": index, "item": item}
    if not performance.accident:
        response = _ended(prompt, performance, [item for item, _ in items])
        yield f"response.{response['status']}", {"response": response}


def _items(prompt: Prompt, performance: Performance) -> Iterator[tuple[Object, Object]]:
    """Each output item as it is when done, and as it was when added."""
    if performance.reasoning:
        yield _reasoning(prompt, performance)
    status = "incomplete" if performance.finish == "length" else "completed"
    if performance.text:
        head = {"id": f"msg_demo_{prompt.digest}", "type": "message", "role": "assistant"}
        head["phase"] = "commentary" if performance.calls else "final_answer"
        yield {**head, "status": status, "content": [_text(performance.text)]}, _begun(head, content=[])
    tools = {tool.name: tool for tool in prompt.tools}
    for place, call in enumerate(performance.calls):
        yield _call(prompt, place, call, tools.get(call.name))


def _reasoning(prompt: Prompt, performance: Performance) -> tuple[Object, Object]:
    asked = object_field(prompt.options, "reasoning").get("summary")
    summary = [{"type": "summary_text", "text": performance.reasoning}] if asked else []
    head = {"id": reasoning_id(prompt.digest), "type": "reasoning", "summary": summary}
    done = {**head, "encrypted_content": sign("encrypted_content", prompt.digest)}
    return done, {**head, "summary": [], "encrypted_content": sign("encrypted_content", prompt.digest, "unfinished")}


def _call(prompt: Prompt, place: int, call: Call, tool: Tool | None) -> tuple[Object, Object]:
    name = f"demo_{prompt.digest}_{place}"
    head: Object = {"call_id": f"call_{name}", "name": call.name}
    if tool and tool.namespace:
        head["namespace"] = tool.namespace
    if tool and tool.free_text:
        head = {"id": f"ctc_{name}", "type": "custom_tool_call", **head}
        return {**head, "status": "completed", "input": call.arguments}, _begun(head, input="")
    head = {"id": f"fc_{name}", "type": "function_call", **head}
    return {**head, "status": "completed", "arguments": call.arguments}, _begun(head, arguments="")


def _begun(head: Object, **empty: Any) -> Object:
    return {**head, "status": "in_progress", **empty}


def _text(text: str) -> Object:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _fill_reasoning(item: Object) -> _Events:
    for index, part in enumerate(item["summary"]):
        place = {"summary_index": index}
        yield "reasoning_summary_part.added", {**place, "part": {**part, "text": ""}}
        for piece in words(part["text"]):
            yield "reasoning_summary_text.delta", {**place, "delta": piece}
        yield "reasoning_summary_text.done", {**place, "text": part["text"]}
        yield "reasoning_summary_part.done", {**place, "part": part}


def _fill_message(item: Object) -> _Events:
    place = {"content_index": 0}
    text = item["content"][0]["text"]
    yield "content_part.added", {**place, "part": _text("")}
    for piece in words(text):
        yield "output_text.delta", {**place, "delta": piece, "logprobs": []}
    yield "output_text.done", {**place, "text": text, "logprobs": []}
    yield "content_part.done", {**place, "part": _text(text)}


def _fill_function_call(item: Object) -> _Events:
    for piece in words(item["arguments"]):
        yield "function_call_arguments.delta", {"delta": piece}
    yield "function_call_arguments.done", {"name": item["name"], "arguments": item["arguments"]}


def _fill_custom_call(item: Object) -> _Events:
    for piece in words(item["input"]):
        yield "custom_tool_call_input.delta", {"delta": piece}
    yield "custom_tool_call_input.done", {"input": item["input"]}


_FILLING = {
    "reasoning": _fill_reasoning,
    "message": _fill_message,
    "function_call": _fill_function_call,
    "custom_tool_call": _fill_custom_call,
}


def _response(prompt: Prompt, status: str, output: list[Object]) -> Object:
    head = {"id": f"resp_demo_{prompt.digest}", "object": "response", "created_at": _CREATED, "status": status}
    nothing = {"error": None, "incomplete_details": None, "previous_response_id": None, "usage": None}
    return {**head, "model": prompt.model, "output": output, **nothing, **prompt.options}


def _ended(prompt: Prompt, performance: Performance, output: list[Object]) -> Object:
    spent, produced = prompt.input_tokens, performance.output_tokens
    usage = {
        "input_tokens": spent,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": produced,
        "output_tokens_details": {"reasoning_tokens": performance.reasoning_tokens},
        "total_tokens": spent + produced,
    }
    if performance.finish == "length":
        ended = {**_response(prompt, "incomplete", output), "usage": usage}
        return {**ended, "incomplete_details": {"reason": "max_output_tokens"}}
    return {**_response(prompt, "completed", output), "completed_at": _CREATED, "usage": usage}


def _chosen_tools(body: Object, items: list[Object]) -> tuple[tuple[Tool, ...], bool]:
    """The tools that may be called, those that came among the items included, and whether one must be."""
    added = [tool for item in items if item["type"] == "additional_tools" for tool in objects_field(item, "tools")]
    tools = tuple(_tools([*objects_field(body, "tools"), *added]))
    choice: Any = body.get("tool_choice") or "auto"
    if not isinstance(choice, dict):
        return ((), False) if choice == "none" else (tools, choice == "required")
    choice = object_field(body, "tool_choice")
    if choice.get("type") == "allowed_tools":
        allowed = {tool.get("name") for tool in objects_field(choice, "tools")}
        return tuple(tool for tool in tools if tool.name in allowed), choice.get("mode") == "required"
    return tuple(tool for tool in tools if tool.name == choice.get("name")), True


def _tools(listed: list[Object], namespace: str = "") -> Iterator[Tool]:
    for tool in listed:
        described = text_field(tool, "description")
        if tool.get("type") == "namespace":
            yield from _tools(objects_field(tool, "tools"), required_text(tool, "name"))
        elif tool.get("type") == "function":
            yield Tool(required_text(tool, "name"), described, tool.get("parameters"), namespace=namespace)
        elif tool.get("type") == "custom":
            yield Tool(required_text(tool, "name"), described, free_text=True, namespace=namespace)


def _schema(wanted: Object) -> Any:
    if wanted.get("type") == "json_schema":
        return wanted.get("schema") or {}
    return {"type": "object", "required": ["answer"]} if wanted.get("type") == "json_object" else None
