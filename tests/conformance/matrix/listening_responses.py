"""An upstream that speaks Responses, by hand: no codec of the gateway is in it."""

import json
from itertools import count
from typing import Any

from tests.conformance.matrix.spoken import Answer, Call, Heard, Item, Json, Medium, Result, Text, Tool, halves
from tests.fakes.answers import MODEL

HEAD: Json = {"id": "resp_7", "object": "response", "created_at": 1_700_000_000, "model": MODEL}


class ResponsesListener:
    """Reasoning is encrypted; tools may stand in namespaces and be custom."""

    def heard(self, target: str, body: Json) -> Heard:
        assert target in ("/v1/responses", "/v1/responses/input_tokens")
        assert body.get("store", False) is False
        heard = Heard(model=body["model"], stream=body.get("stream", False), limit=body.get("max_output_tokens"))
        heard.thinks = "effort" in body.get("reasoning", {})
        heard.system = body.get("instructions") or ""
        asked: Json = body.get("text", {}).get("format") or {}
        heard.schema = asked.get("schema")
        for tool in body.get("tools", []):
            group = tool["name"] if tool["type"] == "namespace" else ""
            heard.tools += [_tool(one, group) for one in (tool["tools"] if group else [tool])]
        given: Any = body["input"]
        items: list[Json] = [{"role": "user", "content": given}] if isinstance(given, str) else given
        for item in items:
            if item.get("role") in ("system", "developer"):
                heard.system += "".join(said.text for said in _content(item) if isinstance(said, Text))
            elif item.get("type") == "reasoning":
                heard.states.append(item["encrypted_content"])
                heard.thoughts.append("".join(part["text"] for part in item["summary"]))
            else:
                heard.items += _items(item)
        return heard

    def whole(self, answer: Answer) -> Json:
        cut = answer.end == "length"
        ends: Json = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}} if cut else {}
        return {**HEAD, "status": "completed", **ends, "output": _output(answer), "usage": _usage(answer)}

    def stream(self, answer: Answer) -> list[str]:
        done = self.whole(answer)
        begun: Json = {**HEAD, "status": "in_progress", "output": []}
        events: list[Json] = [{"type": "response.created", "response": begun}]
        for index, item in enumerate(done["output"]):
            events += [{**event, "output_index": index} for event in _tell(item)]
        events.append({"type": f"response.{done['status']}", "response": done})
        numbers = count()
        return [_event({**event, "sequence_number": next(numbers)}) for event in events]

    def failure(self, status: int, message: str) -> Json:
        return {"error": {"message": message, "type": "requests", "param": None, "code": "rate_limit_exceeded"}}

    def broken(self, message: str) -> str:
        failed: Json = {**HEAD, "status": "failed", "output": [], "error": {"code": "server_error", "message": message}}
        return _event({"type": "response.failed", "sequence_number": 9, "response": failed})

    def counted(self, tokens: int) -> Json:
        return {"object": "response.input_tokens", "input_tokens": tokens}


def _event(event: Json) -> str:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"


def _items(item: Json) -> list[Item]:
    match item.get("type", "message"):
        case "message":
            return _content(item)
        case "function_call":
            arguments = json.loads(item["arguments"])
            return [Call(item["name"], arguments, item["call_id"], item.get("namespace") or "")]
        case "custom_tool_call":
            return [Call(item["name"], item["input"], item["call_id"], item.get("namespace") or "")]
        case "function_call_output" | "custom_tool_call_output":
            return [_result(item)]
        case other:
            raise AssertionError(f"an item of type {other}")


def _result(item: Json) -> Result:
    said = _content({"role": "user", "content": item["output"]})
    text = "".join(part.text for part in said if isinstance(part, Text))
    medium = next((part for part in said if isinstance(part, Medium)), None)
    # Responses has no mark of an error: the text says it.
    return Result(item["call_id"], text.removeprefix("Error: "), text.startswith("Error: "), medium)


def _content(item: Json) -> list[Item]:
    who = "model" if item["role"] == "assistant" else "user"
    content: Any = item["content"]
    if isinstance(content, str):
        return [Text(who, content)]
    found: list[Item] = []
    for part in content:
        if part["type"] in ("input_text", "output_text"):
            found.append(Text(who, part["text"]))
        else:
            uri = part["image_url"] if part["type"] == "input_image" else part["file_data"]
            media_type, _, data = uri.removeprefix("data:").partition(";base64,")
            found.append(Medium(media_type, data))
    return found


def _tool(tool: Json, group: str) -> Tool:
    custom = tool["type"] == "custom"
    return Tool(tool["name"], tool.get("description") or "", {} if custom else tool["parameters"], custom, group)


def _output(answer: Answer) -> list[Json]:
    output: list[Json] = []
    if answer.thought:
        summary = [{"type": "summary_text", "text": answer.thought}]
        output.append({"type": "reasoning", "id": "rs_7", "summary": summary, "encrypted_content": answer.state})
    if answer.text:
        part: Json = {"type": "output_text", "text": answer.text, "annotations": _annotations(answer), "logprobs": []}
        if answer.end == "refusal":
            part = {"type": "refusal", "refusal": answer.text}
        status = "incomplete" if answer.end == "length" else "completed"
        output.append({"type": "message", "id": "msg_7", "role": "assistant", "status": status, "content": [part]})
    for index, call in enumerate(answer.calls):
        head: Json = {"call_id": call.id, "name": call.name, "status": "completed"}
        head |= {"namespace": call.namespace} if call.namespace else {}
        if isinstance(call.arguments, str):
            output.append({"type": "custom_tool_call", "id": f"ctc_{index}", **head, "input": call.arguments})
        else:
            arguments = json.dumps(call.arguments)
            output.append({"type": "function_call", "id": f"fc_{index}", **head, "arguments": arguments})
    return output


def _annotations(answer: Answer) -> list[Json]:
    if not answer.source:
        return []
    assert answer.source.said
    start = answer.text.index(answer.source.said)
    place = {"start_index": start, "end_index": start + len(answer.source.said)}
    return [{"type": "url_citation", "url": answer.source.url, "title": answer.source.title, **place}]


def _tell(item: Json) -> list[Json]:
    """The events of one output item."""
    tell = {"reasoning": _tell_reasoning, "message": _tell_message}.get(item["type"], _tell_call)
    begun, events = tell(item)
    added = {"type": "response.output_item.added", "item": begun}
    told = [{**event, "item_id": item["id"]} for event in events]
    return [added, *told, {"type": "response.output_item.done", "item": item}]


def _tell_reasoning(item: Json) -> tuple[Json, list[Json]]:
    (part,) = item["summary"]
    kind = "response.reasoning_summary"
    events: list[Json] = [{"type": f"{kind}_part.added", "part": {**part, "text": ""}}]
    events += [{"type": f"{kind}_text.delta", "delta": text} for text in halves(part["text"])]
    events += [{"type": f"{kind}_text.done", "text": part["text"]}, {"type": f"{kind}_part.done", "part": part}]
    return {**item, "summary": [], "encrypted_content": ""}, [{**event, "summary_index": 0} for event in events]


def _tell_message(item: Json) -> tuple[Json, list[Json]]:
    (part,) = item["content"]
    key = "refusal" if part["type"] == "refusal" else "text"
    kind = "response.refusal" if key == "refusal" else "response.output_text"
    empty: Json = {**part, key: "", **({"annotations": []} if "annotations" in part else {})}
    events: list[Json] = [{"type": "response.content_part.added", "part": empty}]
    events += [{"type": f"{kind}.delta", "delta": text} for text in halves(part[key])]
    for index, annotation in enumerate(part.get("annotations", [])):
        place = {"annotation_index": index, "annotation": annotation}
        events.append({"type": "response.output_text.annotation.added", **place})
    events += [{"type": f"{kind}.done", key: part[key]}, {"type": "response.content_part.done", "part": part}]
    begun: Json = {**item, "status": "in_progress", "content": []}
    return begun, [{**event, "content_index": 0} for event in events]


def _tell_call(item: Json) -> tuple[Json, list[Json]]:
    custom = item["type"] == "custom_tool_call"
    key = "input" if custom else "arguments"
    kind = "response.custom_tool_call_input" if custom else "response.function_call_arguments"
    events: list[Json] = [{"type": f"{kind}.delta", "delta": part} for part in halves(item[key])]
    events.append({"type": f"{kind}.done", key: item[key], **({} if custom else {"name": item["name"]})})
    return {**item, "status": "in_progress", key: ""}, events


def _usage(answer: Answer) -> Json:
    read, written, cached = answer.usage
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": read + written,
    }
