"""The bytes that the fake upstream answers with, built once: one plain answer and one stream in each protocol.

A stream is a list of SSE records; each is sent as an HTTP chunk of its own, in a write of its own.
"""

import json
from typing import Any

from bench.cases import WireProtocol

DELTAS = 400
"""Text deltas in one stream; with the opening and closing records a stream is a few events longer."""

TERMINAL: dict[WireProtocol, bytes] = {"chat": b"data: [DONE]", "messages": b"event: message_stop"}
"""What the last record of a whole stream holds, by the protocol it is spelled in."""

MODEL = "bench-model"
_WORDS = ("The", " agent", " reads", " one", " file", ",", " then", ' "runs"', " the", " tests", ".\n")
_ANSWER = "".join(_WORDS) * 3

Json = dict[str, Any]


def plain_reply(protocol: WireProtocol) -> bytes:
    """A whole HTTP answer, head and body, with usage."""
    body = _json(_chat_answer() if protocol == "chat" else _messages_answer())
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
    return _chat_records() if protocol == "chat" else _messages_records()


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
