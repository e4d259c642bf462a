"""The bytes that the fake upstream answers with, built once: one plain answer and one stream in each protocol.

A stream is a list of SSE records; each is sent as an HTTP chunk of its own, in a write of its own.
"""

import json
from collections.abc import Callable
from typing import Any

from bench.cases import WireProtocol

DELTAS = 400
"""Text deltas in one stream; with the opening and closing records a stream is a few events longer."""

TERMINAL: dict[WireProtocol, bytes] = {
    "chat": b"data: [DONE]",
    "messages": b"event: message_stop",
    "responses": b"event: response.completed",
    "gemini": b'"finishReason"',
}
"""What the last record of a whole stream holds, by the protocol it is spelled in."""

MODEL = "bench-model"
_ITEM = "msg_bench0001"
_WORDS = ("The", " agent", " reads", " one", " file", ",", " then", ' "runs"', " the", " tests", ".\n")
_ANSWER = "".join(_WORDS) * 3

Json = dict[str, Any]


def plain_reply(protocol: WireProtocol) -> bytes:
    """A whole HTTP answer, head and body, with usage."""
    body = _json(_ANSWERS[protocol]())
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def stream_head() -> bytes:
    """The head of a streamed answer."""
    return (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
        b"transfer-encoding: chunked\r\n\r\n"
    )


def stream_records(protocol: WireProtocol) -> list[bytes]:
    """The SSE records of one stream, in order."""
    return _RECORDS[protocol]()


def stream_chunks(protocol: WireProtocol) -> list[bytes]:
    """The records framed as HTTP chunks; the last one also ends the body."""
    chunks = [b"%x\r\n%b\r\n" % (len(record), record) for record in stream_records(protocol)]
    chunks[-1] += b"0\r\n\r\n"
    return chunks


def _json(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _chat_answer() -> Json:
    return {
        "id": "chatcmpl-bench0001",
        "object": "chat.completion",
        "created": 1_780_000_000,
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": _ANSWER, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 20, "completion_tokens": 33, "total_tokens": 53},
    }


def _messages_answer() -> Json:
    return {
        "id": "msg_bench0001",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [{"type": "text", "text": _ANSWER}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 20, "output_tokens": 33},
    }


def _responses_answer() -> Json:
    return {
        "id": "resp_bench0001",
        "object": "response",
        "created_at": 1_780_000_000,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "model": MODEL,
        "output": [_responses_message(_ANSWER)],
        "parallel_tool_calls": True,
        "store": False,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": _responses_usage(33),
    }


def _responses_message(text: str | None) -> Json:
    """The one item of an answer; without a text it has only begun."""
    content = [] if text is None else [_responses_text(text)]
    status = "in_progress" if text is None else "completed"
    return {"id": _ITEM, "type": "message", "status": status, "role": "assistant", "content": content}


def _responses_text(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _responses_usage(output_tokens: int) -> Json:
    return {
        "input_tokens": 20,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 20 + output_tokens,
    }


def _gemini_answer() -> Json:
    content = {"role": "model", "parts": [{"text": _ANSWER}]}
    return {
        "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 20, "candidatesTokenCount": 33, "totalTokenCount": 53},
        "modelVersion": MODEL,
        "responseId": "bench0001",
    }


def _chat_records() -> list[bytes]:
    def record(delta: Json, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _chat_chunk({"choices": [choice], "usage": None})

    usage = {"prompt_tokens": 20, "completion_tokens": DELTAS, "total_tokens": 20 + DELTAS}
    return [
        record({"role": "assistant", "content": "", "refusal": None}),
        *(record({"content": _WORDS[number % len(_WORDS)]}) for number in range(DELTAS)),
        record({}, "stop"),
        _chat_chunk({"choices": [], "usage": usage}),
        b"data: [DONE]\n\n",
    ]


def _chat_chunk(fields: Json) -> bytes:
    head = {
        "id": "chatcmpl-bench0002",
        "object": "chat.completion.chunk",
        "created": 1_780_000_000,
        "model": MODEL,
        "system_fingerprint": "fp_bench",
    }
    return b"data: %b\n\n" % _json(head | fields)


def _messages_records() -> list[bytes]:
    def record(name: str, fields: Json) -> bytes:
        return b"event: %b\ndata: %b\n\n" % (name.encode(), _json({"type": name} | fields))

    opening: Json = {"content": [], "stop_reason": None, "usage": {"input_tokens": 20, "output_tokens": 1}}
    message = _messages_answer() | opening
    deltas = ({"type": "text_delta", "text": _WORDS[number % len(_WORDS)]} for number in range(DELTAS))
    stop = {"delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": DELTAS}}
    return [
        record("message_start", {"message": message}),
        record("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
        *(record("content_block_delta", {"index": 0, "delta": delta}) for delta in deltas),
        record("content_block_stop", {"index": 0}),
        record("message_delta", stop),
        record("message_stop", {}),
    ]


def _responses_records() -> list[bytes]:
    texts = [_WORDS[number % len(_WORDS)] for number in range(DELTAS)]
    whole = "".join(texts)
    begun: Json = _responses_answer() | {"status": "in_progress", "output": [], "usage": None}
    ended = _responses_answer() | {"output": [_responses_message(whole)], "usage": _responses_usage(DELTAS)}
    item: Json = {"output_index": 0}
    place: Json = {"item_id": _ITEM, "output_index": 0, "content_index": 0}
    events: list[tuple[str, Json]] = [
        ("response.created", {"response": begun}),
        ("response.in_progress", {"response": begun}),
        ("response.output_item.added", {**item, "item": _responses_message(None)}),
        ("response.content_part.added", {**place, "part": _responses_text("")}),
        *(("response.output_text.delta", {**place, "delta": text, "logprobs": []}) for text in texts),
        ("response.output_text.done", {**place, "text": whole, "logprobs": []}),
        ("response.content_part.done", {**place, "part": _responses_text(whole)}),
        ("response.output_item.done", {**item, "item": _responses_message(whole)}),
        ("response.completed", {"response": ended}),
    ]
    return [
        b"event: %b\ndata: %b\n\n" % (name.encode(), _json({"type": name, "sequence_number": number} | fields))
        for number, (name, fields) in enumerate(events)
    ]


def _gemini_records() -> list[bytes]:
    def record(number: int, candidate: Json) -> bytes:
        usage = {"promptTokenCount": 20, "candidatesTokenCount": number, "totalTokenCount": 20 + number}
        tail = {"usageMetadata": usage, "modelVersion": MODEL, "responseId": "bench0002"}
        return b"data: %b\r\n\r\n" % _json({"candidates": [candidate | {"index": 0}], **tail})

    def content(text: str) -> Json:
        return {"content": {"parts": [{"text": text}], "role": "model"}}

    deltas = [record(number, content(_WORDS[number % len(_WORDS)])) for number in range(DELTAS)]
    return [*deltas, record(DELTAS, content("") | {"finishReason": "STOP"})]


_ANSWERS: dict[WireProtocol, Callable[[], Json]] = {
    "chat": _chat_answer,
    "messages": _messages_answer,
    "responses": _responses_answer,
    "gemini": _gemini_answer,
}
_RECORDS: dict[WireProtocol, Callable[[], list[bytes]]] = {
    "chat": _chat_records,
    "messages": _messages_records,
    "responses": _responses_records,
    "gemini": _gemini_records,
}
