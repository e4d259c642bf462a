"""Pieces of the Responses wire for tests."""

import json
from typing import Any

from anykey.conversation import events as ev
from anykey.conversation.parts import Part
from anykey.conversation.verify import check_stream
from anykey.protocols.openai_responses.dialect import Dialect
from anykey.protocols.openai_responses.stream_decoding import StreamDecoder

PLAIN = Dialect()


def dump(value: Any) -> bytes:
    return json.dumps(value).encode()


def frame(kind: str, **members: Any) -> bytes:
    """One event as OpenAI writes it."""
    return f"event: {kind}\ndata: ".encode() + dump({"type": kind, **members}) + b"\n\n"


def response(*output: Any, status: str = "completed", **members: Any) -> dict[str, Any]:
    """A response object."""
    return {
        "id": "resp_1",
        "object": "response",
        "model": "m",
        "created_at": 7,
        "status": status,
        "output": [*output],
    } | members


def message(*contents: Any, **members: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [*contents],
    } | members


def text(value: str, *annotations: Any, **members: Any) -> dict[str, Any]:
    return {"type": "output_text", "text": value, "annotations": [*annotations], "logprobs": []} | members


CREATED = frame("response.created", response=response(status="in_progress"))


def done(*output: Any, **members: Any) -> bytes:
    return frame("response.completed", response=response(*output, **members))


def decode(data: bytes, size: int = 0) -> list[ev.StreamEvent]:
    """The events of a stream that comes in pieces of ``size`` bytes; they are legal."""
    decoder = StreamDecoder(PLAIN)
    events: list[ev.StreamEvent] = []
    for start in range(0, len(data), size or len(data)):
        events += decoder.feed(data[start : start + (size or len(data))])
    events += decoder.close()
    check_stream(events)
    return events


def tell(index: int, part: Part, *deltas: ev.StreamEvent) -> list[ev.StreamEvent]:
    return [ev.PartStarted(index, part), *deltas, ev.PartFinished(index)]


def read(data: bytes) -> list[dict[str, Any]]:
    """The records of a stream: each named by its type, numbered from 0; items are begun, filled and done in their own place."""
    records: list[dict[str, Any]] = []
    begun: dict[int, str] = {}
    for block in data.decode().split("\n\n")[:-1]:
        name, _, line = block.partition("\n")
        record = json.loads(line.removeprefix("data: "))
        assert name == f"event: {record['type']}"
        assert record["sequence_number"] == len(records)
        if record["type"] == "response.output_item.added":
            assert record["output_index"] == len(begun)
            begun[record["output_index"]] = record["item"]["id"]
        elif "output_index" in record:
            assert begun[record["output_index"]] == (record.get("item_id") or record["item"]["id"])
        records.append(record)
    return records
