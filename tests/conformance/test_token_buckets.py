"""Every usage that was ever recorded: its buckets sum to the provider's own totals, and a protocol that has to tell them to its
client tells the same buckets, as far as it has a number for each.

What is charged is the buckets; so this is where money would be lost or made on the way.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import msgspec
import pytest

from anykey.conversation import events as ev
from anykey.conversation.parts import ProtocolName
from anykey.conversation.response import Choice, Finish, GenerateResponse
from anykey.conversation.usage import Usage
from anykey.protocols.catalog import CODECS
from tests.conformance.sides import PAIRS, PROTOCOLS, answers, asking, dumps, heard, pair_id
from tests.properties.words import Json

pytestmark = pytest.mark.corpus

BUCKETS = tuple(name for name in Usage.__struct_fields__ if name.endswith("_tokens"))
Folds = dict[str, str]

LEAST = {"openai_chat": 450, "openai_responses": 400, "anthropic_messages": 350, "gemini_generate": 300}
"""How many usage objects there are to be read, at the least."""

FOLDED: dict[ProtocolName, tuple[Folds, str]] = {
    "openai_chat": (
        {"cache_write_1h_tokens": "cache_write_5m_tokens"},
        "cache writes are one number here, whatever their lifetime",
    ),
    "openai_responses": (
        {"cache_write_1h_tokens": "cache_write_5m_tokens"},
        "cache writes are one number here, whatever their lifetime",
    ),
    "anthropic_messages": (
        {
            "input_audio_tokens": "input_tokens",
            "input_image_tokens": "input_tokens",
            "output_audio_tokens": "output_tokens",
            "output_image_tokens": "output_tokens",
        },
        "Messages tells no modalities: sound and images are in its totals",
    ),
    "gemini_generate": (
        {"cache_write_5m_tokens": "input_tokens", "cache_write_1h_tokens": "input_tokens"},
        "generateContent bills no cache writes: they are in the prompt",
    ),
}
"""The buckets a protocol has no number for, each with the one that it is told in, and why."""

TOTAL_TELLS_MORE = "completion_tokens leaves reasoning out, which total_tokens holds"

DO_NOT_ADD_UP = {
    "f48e7019f26eddcb": "a test's own numbers: 17 in and 492 out, 61 together",
    "a71e47895fbaa875": "a test's own numbers: 17 in, 492 and 1209 out, 61 together",
}


class Recorded(NamedTuple):
    """A usage object of a provider, with the recording it is from."""

    identity: str
    wire: Json


def _objects(body: Any) -> Iterator[Json]:
    """The usage objects of an answer, a chunk or an event."""
    if isinstance(body, dict):
        value: Json = body  # pyright: ignore[reportUnknownVariableType] - parsed JSON
        for holder in (value, value.get("response"), value.get("message")):
            for name in ("usage", "usageMetadata"):
                found: Any = holder.get(name) if isinstance(holder, dict) else None  # pyright: ignore[reportUnknownVariableType,reportUnknownMemberType] - parsed JSON
                if isinstance(found, dict) and found:
                    yield found


def _chunks(sse: str) -> Iterator[Any]:
    for line in sse.splitlines():
        if line.startswith("data:") and line[5:].strip().startswith("{"):
            yield msgspec.json.decode(line[5:])


@cache
def usages(protocol: ProtocolName) -> tuple[Recorded, ...]:
    whole = [(identity, wire) for identity, body in answers(protocol, "body") for wire in _objects(body)]
    streamed = [
        (identity, wire)
        for identity, sse in answers(protocol, "sse")
        for chunk in _chunks(sse)
        for wire in _objects(chunk)
    ]
    return tuple(Recorded(identity, wire) for identity, wire in (*whole, *streamed))


ANSWERS: dict[ProtocolName, Json] = {
    "openai_chat": {"id": "c", "model": "m", "choices": [{"index": 0, "message": {"content": "a"}}]},
    "openai_responses": {"id": "resp_1", "object": "response", "model": "m", "status": "completed", "output": []},
    "anthropic_messages": {"id": "msg_1", "type": "message", "model": "m", "content": [{"type": "text", "text": "a"}]},
    "gemini_generate": {"candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"}]},
}


def read(protocol: ProtocolName, wire: Json) -> Usage | None:
    """The buckets that the protocol's reader finds in a usage object."""
    name = "usageMetadata" if protocol == "gemini_generate" else "usage"
    codec = CODECS[protocol]
    return codec.decode_response(dumps({**ANSWERS[protocol], name: wire}), codec.dialect({})).value.usage


def totals(protocol: ProtocolName, wire: Json) -> tuple[int, int]:
    """What the provider itself says went in and came out; a missing number is nought."""

    def number(*names: str) -> int:
        return sum(wire.get(name) or 0 for name in names)

    if protocol == "openai_chat":
        return number("prompt_tokens"), number("completion_tokens")
    if protocol == "openai_responses":
        return number("input_tokens"), number("output_tokens")
    if protocol == "anthropic_messages":
        cached = number("cache_read_input_tokens", "cache_creation_input_tokens")
        return number("input_tokens") + cached, number("output_tokens")
    return number("promptTokenCount", "toolUsePromptTokenCount"), number("candidatesTokenCount", "thoughtsTokenCount")


def buckets(usage: Usage | None) -> dict[str, int]:
    return {name: count for name in BUCKETS if (count := getattr(usage, name, 0))}


def folded(protocol: ProtocolName, usage: Usage) -> dict[str, int]:
    """The buckets as a client of `protocol` is told them."""
    told: Counter[str] = Counter()
    for name, count in buckets(usage).items():
        told[FOLDED[protocol][0].get(name, name)] += count
    return dict(told)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_buckets_are_not_negative_and_sum_to_the_providers_totals(protocol: ProtocolName) -> None:
    found: Counter[str] = Counter()
    wrong: list[Any] = []
    for identity, wire in usages(protocol):
        usage = read(protocol, wire)
        if usage is None:
            found["counts nothing"] += 1
            continue
        found["read"] += 1
        assert all(getattr(usage, name) >= 0 for name in BUCKETS)
        given, made = totals(protocol, wire)
        more = (wire.get("total_tokens") or 0) - given - made if protocol == "openai_chat" else 0
        if more > 0:
            found[TOTAL_TELLS_MORE] += 1
            made += more
        whole = wire.get("total_tokens", wire.get("totalTokenCount"))
        if whole is None or identity in DO_NOT_ADD_UP:
            whole = given + made
        if (usage.total_input(), usage.total_output(), usage.total_input() + usage.total_output()) != (
            given,
            made,
            whole,
        ):
            wrong.append((identity, wire, buckets(usage)))
    print(protocol, dict(found))
    assert wrong == []
    assert found["read"] >= LEAST[protocol]


@pytest.mark.parametrize("pair", PAIRS, ids=pair_id)
def test_a_client_is_told_the_same_buckets(pair: tuple[ProtocolName, ProtocolName]) -> None:
    client, upstream = pair
    codec = CODECS[client]
    different: list[Any] = []
    for identity, wire in usages(upstream):
        usage = read(upstream, wire)
        if usage is None:
            continue
        answer = GenerateResponse("msg_1", "m", (Choice((), Finish("stop")),), usage)
        body, losses = codec.encode_response(answer, asking(stream=False))
        again = codec.decode_response(body, codec.dialect({})).value.usage
        if buckets(again) != folded(client, usage):
            different.append((identity, buckets(usage), buckets(again)))
        if client != upstream and folded(client, usage) != buckets(usage):
            assert any(loss.code.startswith("approximated:usage.") for loss in losses), (identity, FOLDED[client][1])
    assert different == []


@pytest.mark.parametrize("pair", PAIRS, ids=pair_id)
def test_a_stream_tells_its_client_the_same_buckets(pair: tuple[ProtocolName, ProtocolName]) -> None:
    client, upstream = pair
    compared, different = 0, list[Any]()
    for identity, sse in answers(upstream, "sse"):
        events = heard(upstream, sse.encode())
        usage = last_usage(events)
        if usage is None or not isinstance(events[-1], ev.Ended):
            continue
        written = CODECS[client].stream_encoder(asking(stream=True)).feed(events)
        again = last_usage(heard(client, written))
        compared += 1
        if buckets(again) != folded(client, usage):
            different.append((identity, buckets(usage), buckets(again)))
    assert different == []
    assert compared >= 25


def last_usage(events: list[ev.StreamEvent]) -> Usage | None:
    """Reports are cumulative: the last one counts."""
    return next((event.usage for event in reversed(events) if isinstance(event, ev.UsageReported)), None)
