"""Recorded Messages traffic, read and written again in its own protocol: the same but for what `codec.py` documents."""

import json
import random
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from anykey.conversation.assembly import assemble, replay
from anykey.conversation.events import Broke, Heartbeat, StreamEvent
from anykey.conversation.failures import FailureError
from anykey.conversation.response import GenerateResponse
from anykey.conversation.verify import check_request, check_stream
from anykey.protocols.anthropic_messages.codec import CODEC
from anykey.protocols.anthropic_messages.dialect import Dialect
from anykey.protocols.anthropic_messages.request import decode_count_request
from anykey.protocols.anthropic_messages.shapes import is_array, is_object
from anykey.protocols.anthropic_messages.stream_decoding import StreamDecoder
from anykey.protocols.anthropic_messages.stream_encoding import StreamEncoder
from anykey.protocols.codec import RequestPath
from tests.conformance.recordings import captured, exchanges

pytestmark = pytest.mark.corpus

PATH = RequestPath()


def dialect_for(body: dict[str, Any]) -> Dialect:
    """One that takes all of `body`, since a recording shows what its upstream took."""
    asked: dict[str, Any] = body.get("thinking") or {}
    kind = asked.get("type")
    thinking = "budget" if kind in (None, "enabled", "disabled") else "adaptive"
    return Dialect(mid_conversation_system=True, effort=True, thinking=thinking, billing_header=True, speed=True)


def bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    for row in exchanges("anthropic_messages"):
        body: Any = (row["request"] or {"body": None})["body"]
        if is_object(body) and "messages" in body and row.get("status") != 400:
            yield row["id"], body
    for number, row in enumerate(captured("/messages")):
        body = row["request"]["body"]
        if not any("_elided" in value for value in body.values() if isinstance(value, dict)):
            yield f"{row['client']}-{row['scenario']}-{number}", body


def without_nulls(value: Any) -> Any:
    if is_object(value):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if is_array(value):
        return [without_nulls(item) for item in value]
    return value


def plain_content(content: Any) -> Any:
    """Blocks as the encoder spells them: no empty text, one plain text as a string."""
    if isinstance(content, str):
        return content
    blocks = [plain_block(block) for block in content]
    blocks = [block for block in blocks if not is_empty(block)]
    if len(blocks) == 1 and set(blocks[0]) == {"type", "text"}:
        return blocks[0]["text"]
    return blocks


def is_empty(block: dict[str, Any]) -> bool:
    if block.get("type") == "thinking":
        return not block.get("signature")
    return block.get("type") == "text" and not block.get("text")


def plain_block(block: dict[str, Any]) -> dict[str, Any]:
    block = dict(block)
    if block.get("type") == "text" and block.get("citations") == []:
        del block["citations"]
    if block.get("type") == "tool_result":
        if not block.get("is_error"):
            block.pop("is_error", None)
        content = plain_content(block.get("content") or "")
        block.pop("content", None)
        if content:
            block["content"] = content
    return block


def plain_messages(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    joined: list[dict[str, Any]] = []
    for message in messages:
        content = plain_content(message["content"])
        if not content:
            continue
        previous = joined[-1] if joined else {}
        if previous.get("role") == message["role"] != "system" and len(previous) == len(message) == 2:
            previous["content"] = plain_content([*as_blocks(previous["content"]), *as_blocks(content)])
        else:
            joined.append({**message, "content": content})
    for message in joined:
        content = message["content"]
        if is_array(content) and message["role"] == "user":
            content.sort(key=lambda block: block["type"] != "tool_result")
    return joined


def as_blocks(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def plain_request(body: dict[str, Any]) -> dict[str, Any]:
    """`body` after the documented normalisation."""
    body = without_nulls(body)
    body["messages"] = plain_messages(body["messages"])
    if not body.get("stream"):
        body.pop("stream", None)
    if "system" in body:
        body["system"] = plain_content(body["system"])
        if not body["system"]:
            del body["system"]
    for tool in body.get("tools", []):
        if tool.get("type") == "custom":
            del tool["type"]
        if "type" not in tool:
            tool["input_schema"] = {"type": "object", **(tool.get("input_schema") or {"properties": {}})}
    for key in ("tools", "stop_sequences", "metadata", "output_config"):
        if not body.get(key, True):
            del body[key]
    legacy = body.pop("output_format", None)
    if legacy is not None:
        body.setdefault("output_config", {})["format"] = legacy
    return body


def drop_closing(schema: Any) -> Any:
    """A schema without `additionalProperties: false`, which the encoder adds where it is missing."""
    if is_object(schema):
        return {k: drop_closing(v) for k, v in schema.items() if not (k == "additionalProperties" and v is False)}
    return [drop_closing(item) for item in schema] if is_array(schema) else schema


@pytest.mark.parametrize(("name", "body"), list(bodies()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_request_survives_its_own_codec(name: str, body: dict[str, Any]) -> None:
    dialect = dialect_for(body)
    path = body if "max_tokens" in body else {**body, "max_tokens": 1}
    request, losses = CODEC.decode_request(json.dumps(path).encode(), PATH)
    check_request(request)
    assert not losses
    encoded = without_nulls(json.loads(CODEC.encode_request(request, dialect).body))
    wanted = plain_request(path)
    for value in (encoded, wanted):
        if "format" in value.get("output_config", {}):
            value["output_config"]["format"] = drop_closing(value["output_config"]["format"])
    if "thinking" not in wanted and "effort" in wanted.get("output_config", {}):
        wanted["thinking"] = encoded.get("thinking")
    assert encoded == wanted


def test_there_is_something_to_read() -> None:
    assert len(list(bodies())) > 100


def answers() -> Iterator[tuple[str, dict[str, Any]]]:
    for row in exchanges("anthropic_messages"):
        body: Any = row["response"].get("body")
        if is_object(body) and body.get("type") == "message":
            yield row["id"], body


def plain_answer(body: dict[str, Any]) -> dict[str, Any]:
    body = without_nulls(body)
    body["content"] = [block for block in map(plain_block, body["content"]) if not is_blank(block)]
    for block in body["content"]:
        if block["type"] == "text" and block.get("citations") == []:
            del block["citations"]
    usage = body["usage"]
    for key in ("cache_creation_input_tokens", "cache_read_input_tokens"):
        usage.setdefault(key, 0)
    for key in ("cache_creation", "output_tokens_details"):
        detail = {name: count for name, count in usage.pop(key, {}).items() if count}
        if detail:
            usage[key] = detail
    return body


def is_blank(block: dict[str, Any]) -> bool:
    if block["type"] == "thinking":
        return not (block["thinking"] or block.get("signature"))
    return block["type"] == "text" and not (block["text"] or block.get("citations"))


@pytest.mark.parametrize(("name", "body"), list(answers()), ids=lambda value: value if isinstance(value, str) else "")
def test_an_answer_survives_its_own_codec(name: str, body: dict[str, Any]) -> None:
    response, losses = CODEC.decode_response(json.dumps(body).encode(), Dialect())
    assert not losses
    check_totals(response, body["usage"])
    encoded, losses = CODEC.encode_response(response)
    assert not losses
    told = plain_answer(json.loads(encoded))
    wanted = plain_answer(body)
    if not wanted["id"].startswith("msg_"):
        wanted["id"] = told["id"]
    assert told == wanted


def check_totals(response: GenerateResponse, wire: dict[str, Any]) -> None:
    usage = response.usage
    assert usage is not None
    buckets = [value for name, value in ((n, getattr(usage, n)) for n in usage.__struct_fields__) if name != "extras"]
    assert min(buckets) >= 0
    cached = (wire.get("cache_read_input_tokens") or 0) + (wire.get("cache_creation_input_tokens") or 0)
    assert usage.total_input() == wire["input_tokens"] + cached
    assert usage.total_output() == wire["output_tokens"]


def streams() -> Iterator[tuple[str, bytes]]:
    for row in exchanges("anthropic_messages"):
        text = row["response"].get("sse")
        if text is not None:
            yield row["id"], text.encode()


def decode(data: bytes, *cuts: int) -> list[StreamEvent]:
    decoder = StreamDecoder()
    events = [event for start, end in pairwise([0, *cuts, len(data)]) for event in decoder.feed(data[start:end])]
    return events + decoder.close()


@pytest.mark.parametrize(("name", "data"), list(streams()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_stream_survives_its_own_codec(name: str, data: bytes) -> None:
    events = decode(data)
    check_stream(events)
    if isinstance(events[-1], Broke):
        assert b"event: error" in data
        return
    folded = assemble(events)
    encoder = StreamEncoder()
    again = decode(encoder.feed(events))
    check_stream(again)
    assert not encoder.losses
    assert shape(assemble(again)) == shape(folded)
    assert assemble(decode(StreamEncoder().feed(replay(folded)))).choices == shape(folded)["choices"]


def shape(response: GenerateResponse) -> dict[str, Any]:
    """What must be equal: all but the early usage, and blocks that held nothing."""
    choices = response.choices
    return {"choices": choices, "model": response.model, "usage": response.usage, "extras": response.extras}


@pytest.mark.parametrize(("name", "data"), list(streams()), ids=lambda value: value if isinstance(value, str) else "")
def test_any_cut_of_a_stream_tells_the_same(name: str, data: bytes) -> None:
    whole = decode(data)
    dice = random.Random(name)
    for _ in range(3):
        cuts = sorted(dice.sample(range(len(data)), k=min(20, len(data))))
        assert decode(data, *cuts) == whole
    windows = decode(data.replace(b"\n", b"\r\n"), *sorted(dice.sample(range(len(data)), k=min(20, len(data)))))
    assert [e for e in windows if not isinstance(e, Heartbeat)] == [e for e in whole if not isinstance(e, Heartbeat)]


def test_recorded_errors_become_failures() -> None:
    rows = [row for row in exchanges("anthropic_messages") if (row.get("status") or 200) >= 400]
    assert rows
    for row in rows:
        body = json.dumps(row["response"]["body"]).encode()
        failure = CODEC.decode_failure(row["status"], (), body)
        assert failure.message == row["response"]["body"]["error"]["message"]
        assert failure.upstream_status == row["status"]


def test_count_requests_are_read() -> None:
    rows = [row["request"]["body"] for row in exchanges("anthropic_count_tokens")]
    rows += [row["request"]["body"] for row in captured("/messages/count_tokens")]
    assert rows
    for body in rows:
        try:
            decode_count_request(json.dumps(body).encode())
        except FailureError as error:
            pytest.fail(error.failure.message)
