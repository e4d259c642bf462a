"""What a scripted Responses upstream says: an answer of output items, whole and as the events that OpenAI sends for it."""

import json
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
MODEL = "upstream-model"
RESPONSE: Json = {
    "id": "resp_7",
    "object": "response",
    "created_at": 1_700_000_000,
    "model": MODEL,
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "temperature": 1.0,
    "top_p": 1.0,
}


def usage(read: int, written: int, *, cached: int = 0, thought: int = 0) -> Json:
    """`cached` is part of `read`, `thought` of `written`."""
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": read + written,
    }


def message(said: str, *annotations: Json) -> Json:
    content = {"type": "output_text", "text": said, "annotations": list(annotations), "logprobs": []}
    return {"type": "message", "id": "msg_7", "role": "assistant", "status": "completed", "content": [content]}


def refusal(words: str) -> Json:
    return {**message(""), "content": [{"type": "refusal", "refusal": words}]}


def reasoning(thought: str, state: str) -> Json:
    summary = [{"type": "summary_text", "text": thought}]
    return {"type": "reasoning", "id": "rs_7", "summary": summary, "encrypted_content": state}


def call(identity: str, name: str, arguments: str) -> Json:
    return {
        "type": "function_call",
        "id": f"fc_{identity}",
        "call_id": identity,
        "name": name,
        "arguments": arguments,
        "status": "completed",
    }


def whole(output: list[Json], used: Json, status: str = "completed", **more: Any) -> Json:
    """The response object at the end."""
    return {**RESPONSE, "status": status, "output": output, "usage": used, **more}


def stream(output: list[Json], used: Json, status: str = "completed", **more: Any) -> list[str]:
    """Every event of the answer, numbered."""
    begun: Json = {**RESPONSE, "status": "in_progress", "output": [], "usage": None}
    events: list[Json] = [{"type": "response.created", "response": begun}]
    events.append({"type": "response.in_progress", "response": begun})
    for index, item in enumerate(output):
        events += ({**event, "output_index": index} for event in _item_events(item))
    events.append({"type": f"response.{status}", "response": whole(output, used, status, **more)})
    return [
        f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': number})}\n\n"
        for number, event in enumerate(events)
    ]


def _item_events(item: Json) -> Iterator[Json]:
    content = {"message": "content", "reasoning": "summary"}.get(item["type"], "")
    empty: Json = {**item, "arguments": ""} if "arguments" in item else {**item, content: []}
    if item["type"] == "reasoning":
        empty["encrypted_content"] = None
    yield {"type": "response.output_item.added", "item": {**empty, "status": "in_progress"}}
    identity = {"item_id": item["id"]}
    if "arguments" in item:
        for fragment in _halves(item["arguments"]):
            yield {"type": "response.function_call_arguments.delta", **identity, "delta": fragment}
        yield {"type": "response.function_call_arguments.done", **identity, "arguments": item["arguments"]}
    for index, part in enumerate(item.get(content, ())):
        yield from ({**event, **identity} for event in _part_events(part, index))
    yield {"type": "response.output_item.done", "item": item}


def _part_events(part: Json, index: int) -> Iterator[Json]:
    """One text of an item. A summary has events of other names than a message."""
    if part["type"] == "summary_text":
        added, name, place = "reasoning_summary_part", "reasoning_summary_text", {"summary_index": index}
        key = "text"
    else:
        added, place = "content_part", {"content_index": index}
        name, key = ("refusal", "refusal") if part["type"] == "refusal" else ("output_text", "text")
    bare: Json = {**part, key: ""}
    if "annotations" in bare:
        bare["annotations"] = []
    yield {"type": f"response.{added}.added", **place, "part": bare}
    for fragment in _halves(part[key]):
        logprobs: Json = {"logprobs": []} if name == "output_text" else {}
        yield {"type": f"response.{name}.delta", **place, "delta": fragment, **logprobs}
    for number, annotation in enumerate(part.get("annotations", ())):
        told = {"annotation_index": number, "annotation": annotation}
        yield {"type": "response.output_text.annotation.added", **place, **told}
    yield {"type": f"response.{name}.done", **place, key: part[key], "logprobs": []}
    yield {"type": f"response.{added}.done", **place, "part": part}


def _halves(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]
