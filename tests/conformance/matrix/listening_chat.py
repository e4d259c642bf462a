"""An upstream that speaks Chat Completions, by hand: no codec of the gateway is in it."""

import json
from typing import Any

from tests.conformance.matrix.spoken import Answer, Call, Heard, Item, Json, Medium, Result, Text, Tool, halves
from tests.fakes.answers import MODEL, chat_chunk

ENDS = {"stop": "stop", "stop_sequence": "stop", "length": "length", "tool_calls": "tool_calls", "refusal": "stop"}


class ChatListener:
    """Signed reasoning travels in ``reasoning_details``, as OpenRouter has it; all tools are functions, as with nearly all
    compatible servers."""

    def heard(self, target: str, body: Json) -> Heard:
        assert target == "/v1/chat/completions"
        heard = Heard(model=body["model"], stream=body.get("stream", False), limit=_limit(body))
        heard.thinks = "reasoning" in body or "reasoning_effort" in body
        stop: Any = body.get("stop") or []
        heard.stop = (stop,) if isinstance(stop, str) else tuple(stop)
        asked = body.get("response_format", {})
        heard.schema = asked["json_schema"]["schema"] if asked.get("type") == "json_schema" else None
        heard.tools = [_tool(tool) for tool in body.get("tools", [])]
        for message in body["messages"]:
            if message["role"] in ("system", "developer"):
                heard.system += "".join(item.text for item in _content(message) if isinstance(item, Text))
            else:
                heard.items += _items(message)
                details: list[Json] = message.get("reasoning_details") or []
                heard.states += [entry["signature"] for entry in details]
                heard.thoughts += [entry["text"] for entry in details]
        return heard

    def whole(self, answer: Answer) -> Json:
        message: Json = {"role": "assistant", "content": answer.text or None}
        if answer.end == "refusal":
            message |= {"content": None, "refusal": answer.text}
        if answer.calls:
            message["tool_calls"] = [_call(call) for call in answer.calls]
        if answer.thought:
            message["reasoning_details"] = [_detail(answer)]
        if answer.source:
            message["annotations"] = [_annotation(answer)]
        choice = {"index": 0, "message": message, "finish_reason": ENDS[answer.end]}
        head = {"id": "chatcmpl-7", "object": "chat.completion", "created": 1_700_000_000, "model": MODEL}
        return {**head, "choices": [choice], "usage": _usage(answer)}

    def stream(self, answer: Answer) -> list[str]:
        deltas: list[Json] = [{"role": "assistant", "content": ""}]
        if answer.thought:
            detail = _detail(answer)
            deltas.append({"reasoning_details": [{key: detail[key] for key in detail if key != "signature"}]})
            deltas.append({"reasoning_details": [{key: detail[key] for key in detail if key != "text"}]})
        deltas += [{"refusal" if answer.end == "refusal" else "content": part} for part in halves(answer.text)]
        for index, call in enumerate(answer.calls):
            deltas += [{"tool_calls": [{"index": index, **delta}]} for delta in _cut(_call(call))]
        if answer.source:
            deltas.append({"annotations": [_annotation(answer)]})
        told = [chat_chunk([{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
        told.append(chat_chunk([{"index": 0, "delta": {}, "finish_reason": ENDS[answer.end]}]))
        return [*told, chat_chunk([], usage=_usage(answer)), "data: [DONE]\n\n"]

    def failure(self, status: int, message: str) -> Json:
        return {"error": {"message": message, "type": "requests", "param": None, "code": "rate_limit_exceeded"}}

    def broken(self, message: str) -> str:
        error = {"message": message, "type": "server_error", "param": None, "code": None}
        return f"data: {json.dumps({'error': error})}\n\n"

    def counted(self, tokens: int) -> Json:
        raise AssertionError("Chat has no endpoint that counts")


def _limit(body: Json) -> int | None:
    """Under the old name, or the one that OpenAI's reasoning models want."""
    return body.get("max_tokens") or body.get("max_completion_tokens")


def _items(message: Json) -> list[Item]:
    said = _content(message)
    if message["role"] == "tool":
        text = "".join(item.text for item in said if isinstance(item, Text))
        # Chat has no mark of an error: the text says it.
        error = text.startswith("Error: ")
        return [Result(message["tool_call_id"], text.removeprefix("Error: "), error)]
    calls: list[Item] = []
    asked: list[Json] = message.get("tool_calls") or []
    for call in asked:
        function = call["function"]
        calls.append(Call(function["name"], json.loads(function["arguments"]), call["id"]))
    return [*said, *calls]


def _content(message: Json) -> list[Item]:
    who = "model" if message["role"] == "assistant" else "user"
    content: Any = message.get("content") or []
    if isinstance(content, str):
        return [Text(who, content)]
    found: list[Item] = []
    for part in content:
        if part["type"] == "text":
            found.append(Text(who, part["text"]))
        else:
            uri = part["image_url"]["url"] if part["type"] == "image_url" else part["file"]["file_data"]
            media_type, _, data = uri.removeprefix("data:").partition(";base64,")
            found.append(Medium(media_type, data))
    return found


def _tool(tool: Json) -> Tool:
    function = tool["function"]
    return Tool(function["name"], function.get("description", ""), function["parameters"])


def _call(call: Call) -> Json:
    function = {"name": call.name, "arguments": json.dumps(call.arguments)}
    return {"id": call.id, "type": "function", "function": function}


def _cut(call: Json) -> list[Json]:
    """A call in pieces: its name first, then what it is given."""
    begun = {**call, "function": {**call["function"], "arguments": ""}}
    return [begun, *({"function": {"arguments": part}} for part in halves(call["function"]["arguments"]))]


def _detail(answer: Answer) -> Json:
    signed = {"signature": answer.state, "format": "anthropic-claude-v1", "index": 0}
    return {"type": "reasoning.text", "text": answer.thought, **signed}


def _annotation(answer: Answer) -> Json:
    assert answer.source
    assert answer.source.said
    start = answer.text.index(answer.source.said)
    cited = {"url": answer.source.url, "title": answer.source.title}
    place = {"start_index": start, "end_index": start + len(answer.source.said)}
    return {"type": "url_citation", "url_citation": {**cited, **place}}


def _usage(answer: Answer) -> Json:
    read, written, cached = answer.usage
    usage: Json = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
    return {**usage, "prompt_tokens_details": {"cached_tokens": cached}}
