"""Short ways to say answers and chunks in the tests of the answer side."""

import json
from typing import Any

from anykey.conversation.assembly import assemble
from anykey.conversation.events import StreamEvent
from anykey.conversation.losses import Loss
from anykey.conversation.parts import OpaqueState, Part
from anykey.conversation.request import GenerateRequest, Reasoning
from anykey.conversation.response import Choice, Finish, GenerateResponse
from anykey.conversation.verify import check_stream
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.response import decode_response
from anykey.protocols.gemini_generate.stream_decoding import StreamDecoder

SHOWS = GenerateRequest("asked", (), reasoning=Reasoning(display="summarized"))
HIDES = GenerateRequest("asked", ())


def state(data: str, place: str = "") -> OpaqueState:
    return OpaqueState("gemini_generate", data, place)


def dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def chunk(*parts: Any, **candidate: Any) -> dict[str, Any]:
    """One chunk with one candidate."""
    content = {"content": {"parts": list(parts), "role": "model"}} if parts else {}
    return {"candidates": [{**content, **candidate}], "modelVersion": "m", "responseId": "r"}


def sse(*chunks: Any) -> bytes:
    return b"".join(b"data: " + dump(value) + b"\r\n\r\n" for value in chunks)


def heard(data: bytes, size: int | None = None) -> tuple[list[StreamEvent], list[str]]:
    """The events of a stream that is fed in pieces of ``size``, checked to be legal, and the codes of its losses."""
    decoder = StreamDecoder(Dialect())
    events: list[StreamEvent] = []
    for start in range(0, len(data), size or len(data) or 1):
        events += decoder.feed(data[start : start + (size or len(data))])
    events += decoder.close()
    assert decoder.close() == []
    assert decoder.feed(data) == []
    check_stream(events)
    return events, codes(decoder.losses)


def streamed(*chunks: Any) -> GenerateResponse:
    """The answer that a stream of ``chunks`` tells."""
    events, losses = heard(sse(*chunks))
    assert losses == []
    return assemble(events)


def parts_of(*chunks: Any) -> tuple[Part, ...]:
    """The parts of a stream's only choice."""
    return streamed(*chunks).choices[0].parts


def whole(value: Any) -> GenerateResponse:
    """The answer that a whole body tells."""
    answer, losses = decode_response(dump(value), Dialect())
    assert losses == ()
    return answer


def codes(losses: list[Loss] | tuple[Loss, ...]) -> list[str]:
    assert all(loss.side == "response" for loss in losses)
    return [f"{loss.kind}:{loss.path}" for loss in losses]


def answering(*parts: Part, finish: Finish | None = None, **fields: Any) -> GenerateResponse:
    return GenerateResponse("r", "m", (Choice(parts, finish or Finish("stop")),), **fields)


def frames(data: bytes) -> list[dict[str, Any]]:
    """The chunks of an encoded stream."""
    assert data.endswith(b"\r\n\r\n")
    blocks = data.split(b"\r\n\r\n")[:-1]
    assert all(block.startswith(b"data: ") and b"\n" not in block for block in blocks)
    return [json.loads(block[6:]) for block in blocks]
