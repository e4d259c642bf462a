"""An upstream that speaks Messages, by hand: no codec of the gateway is in it."""

import json
from typing import Any

from tests.conformance.matrix.spoken import Answer, Call, Heard, Item, Json, Medium, Result, Text, Tool, halves
from tests.fakes.answers import MODEL, messages_event

ENDS = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "refusal": "refusal",
}


class MessagesListener:
    """Thinking is signed; citations are those of a web search."""

    def heard(self, target: str, body: Json) -> Heard:
        assert target.partition("?")[0] in ("/v1/messages", "/v1/messages/count_tokens")
        heard = Heard(model=body["model"], stream=body.get("stream", False), limit=body.get("max_tokens"))
        heard.thinks = body.get("thinking", {}).get("type") in ("enabled", "adaptive")
        system: Any = body.get("system") or ""
        heard.system = system if isinstance(system, str) else "".join(block["text"] for block in system)
        heard.stop = tuple(body.get("stop_sequences") or ())
        asked: Json = body.get("output_config", {}).get("format") or {}
        heard.schema = asked.get("schema")
        heard.tools = [
            Tool(tool["name"], tool.get("description", ""), tool["input_schema"]) for tool in body.get("tools", [])
        ]
        for message in body["messages"]:
            content = message["content"]
            blocks: list[Json] = [{"type": "text", "text": content}] if isinstance(content, str) else content
            who = "model" if message["role"] == "assistant" else "user"
            heard.items += [item for block in blocks for item in _items(block, who)]
            thoughts = [block for block in blocks if block["type"] == "thinking"]
            heard.states += [block["signature"] for block in thoughts]
            heard.thoughts += [block["thinking"] for block in thoughts]
        return heard

    def whole(self, answer: Answer) -> Json:
        return {
            "id": "msg_7",
            "type": "message",
            "role": "assistant",
            "model": MODEL,
            "content": _blocks(answer),
            "usage": _usage(answer),
            **_stop(answer),
        }

    def stream(self, answer: Answer) -> list[str]:
        start: Json = {**self.whole(answer), "content": [], "stop_reason": None, "stop_sequence": None}
        told = [messages_event("message_start", message={**start, "usage": {**_usage(answer), "output_tokens": 1}})]
        for index, block in enumerate(_blocks(answer)):
            begun, deltas = _cut(block)
            told.append(messages_event("content_block_start", index=index, content_block=begun))
            told += [messages_event("content_block_delta", index=index, delta=delta) for delta in deltas]
            told.append(messages_event("content_block_stop", index=index))
        told.append(messages_event("message_delta", delta=_stop(answer), usage=_usage(answer)))
        return [*told, messages_event("message_stop")]

    def failure(self, status: int, message: str) -> Json:
        return {"type": "error", "error": {"type": "rate_limit_error", "message": message}}

    def broken(self, message: str) -> str:
        return messages_event("error", error={"type": "api_error", "message": message})

    def counted(self, tokens: int) -> Json:
        return {"input_tokens": tokens}


def _items(block: Json, who: str) -> list[Item]:
    match block["type"]:
        case "text":
            return [Text(who, block["text"])]
        case "image" | "document":
            return [Medium(block["source"]["media_type"], block["source"]["data"])]
        case "tool_use":
            return [Call(block["name"], block["input"], block["id"])]
        case "tool_result":
            return [_result(block)]
        case "thinking" | "redacted_thinking":
            return []
        case other:
            raise AssertionError(f"a block of type {other}")


def _result(block: Json) -> Result:
    content: Any = block.get("content") or ""
    blocks: list[Json] = [{"type": "text", "text": content}] if isinstance(content, str) else content
    items = [item for inner in blocks for item in _items(inner, "user")]
    text = "".join(item.text for item in items if isinstance(item, Text))
    medium = next((item for item in items if isinstance(item, Medium)), None)
    return Result(block["tool_use_id"], text, block.get("is_error", False), medium)


def _blocks(answer: Answer) -> list[Json]:
    blocks: list[Json] = []
    if answer.thought:
        blocks.append({"type": "thinking", "thinking": answer.thought, "signature": answer.state})
    if answer.source:
        cited = {"type": "web_search_result_location", "url": answer.source.url, "title": answer.source.title}
        cited |= {"encrypted_index": "Eo8BCioI", "cited_text": "What the page says."}
        before, said, after = answer.text.partition(answer.source.said or answer.text)
        blocks += [{"type": "text", "text": before}] if before else []
        blocks.append({"type": "text", "text": said, "citations": [cited]})
        blocks += [{"type": "text", "text": after}] if after else []
    elif answer.text:
        blocks.append({"type": "text", "text": answer.text})
    calls = [{"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments} for call in answer.calls]
    return blocks + calls


def _cut(block: Json) -> tuple[Json, list[Json]]:
    """A block as it begins in a stream, and its deltas."""
    match block["type"]:
        case "text":
            cited = [{"type": "citations_delta", "citation": one} for one in block.get("citations", [])]
            begun: Json = {"type": "text", "text": "", **({"citations": []} if cited else {})}
            return begun, [*cited, *({"type": "text_delta", "text": part} for part in halves(block["text"]))]
        case "thinking":
            told = [{"type": "thinking_delta", "thinking": part} for part in halves(block["thinking"])]
            signed = {"type": "signature_delta", "signature": block["signature"]}
            return {"type": "thinking", "thinking": "", "signature": ""}, [*told, signed]
        case _:
            parts = halves(json.dumps(block["input"]))
            return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": part} for part in parts]


def _stop(answer: Answer) -> Json:
    return {"stop_reason": ENDS[answer.end], "stop_sequence": answer.stop or None}


def _usage(answer: Answer) -> Json:
    read, written, cached = answer.usage
    return {
        "input_tokens": read - cached,
        "cache_read_input_tokens": cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": written,
    }
