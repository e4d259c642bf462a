"""Short ways to say requests, chunks and dialects in these tests."""

import json
from typing import Any

from anykey.conversation.events import StreamEvent
from anykey.conversation.losses import Loss
from anykey.conversation.message import Message
from anykey.conversation.parts import Part
from anykey.conversation.request import GenerateRequest
from anykey.conversation.verify import StreamChecker
from anykey.protocols.codec import RequestPath
from anykey.protocols.openai_chat.codec import CODEC
from anykey.protocols.openai_chat.dialect import Dialect

PLAIN = Dialect()
FULL = Dialect(
    echo_reasoning="always",
    reasoning_details=True,
    tool_result_images="native",
    cache_breakpoints=True,
    custom_tools=True,
    service_tier=True,
    metadata=True,
    prompt_cache_key=True,
    hosted_tools="web_search",
    verbosity=True,
    strict_tools=True,
)
"""Takes everything, so that a request of this protocol comes back as it was."""


def dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def decode(**fields: Any) -> GenerateRequest:
    return CODEC.decode_request(dump({"model": "m", "messages": [], **fields}), RequestPath()).value


def encode(request: GenerateRequest, dialect: Dialect = PLAIN) -> tuple[dict[str, Any], list[str]]:
    """The body and the codes of the losses."""
    body, losses = CODEC.encode_request(request, dialect)
    return json.loads(body), codes(losses)


def codes(losses: tuple[Loss, ...] | list[Loss]) -> list[str]:
    return [f"{loss.kind}:{loss.path}" for loss in losses]


def asking(*messages: Message, **fields: Any) -> GenerateRequest:
    return GenerateRequest(model="m", messages=messages, **fields)


def user(*parts: Part) -> Message:
    return Message("user", parts)


def assistant(*parts: Part) -> Message:
    return Message("assistant", parts)


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **top: Any) -> bytes:
    """One chunk with one choice; ``index``, ``choice`` (more keys of the choice) and top-level keys may be given."""
    choice = {"index": top.pop("index", 0), "delta": delta or {}, "finish_reason": finish, **top.pop("choice", {})}
    body = {"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m", "choices": [choice], **top}
    return b"data: " + dump(body) + b"\n\n"


DONE = b"data: [DONE]\n\n"


def told(data: bytes, *, size: int | None = None, dialect: Dialect = PLAIN) -> list[StreamEvent]:
    """The events of a stream that the upstream closes, fed in pieces of ``size`` bytes; they are checked to be legal."""
    decoder = CODEC.stream_decoder(dialect)
    step = size or max(len(data), 1)
    events: list[StreamEvent] = []
    for start in range(0, len(data), step):
        events += decoder.feed(data[start : start + step])
    events += decoder.close()
    assert not decoder.feed(data)
    assert not decoder.close()
    checker = StreamChecker()
    for event in events:
        checker.check(event)
    assert checker.done
    return events


def frames(data: bytes) -> list[Any]:
    """The JSON of every event; ``[DONE]`` as the text it is."""
    return [
        line[6:].decode() if line[6:] == b"[DONE]" else json.loads(line[6:])
        for line in data.split(b"\n\n")
        if line.startswith(b"data: ")
    ]
