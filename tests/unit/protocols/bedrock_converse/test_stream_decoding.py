"""Streams of the service → events."""

import base64
import contextlib
import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.conversation import events as ev
from anykey.conversation.assembly import assemble
from anykey.conversation.failures import Failure, FailureError
from anykey.conversation.parts import (
    Citation,
    MediaPart,
    OpaquePart,
    OpaqueState,
    ReasoningPart,
    TextPart,
    ToolCallPart,
)
from anykey.conversation.response import Finish
from anykey.conversation.usage import Usage
from anykey.conversation.verify import check_stream
from anykey.protocols.bedrock_converse.response import decode_response
from anykey.protocols.bedrock_converse.stream_decoding import CUT_SHORT, StreamDecoder
from tests.fakes.eventstream import answer, error, event, exception

START = event("messageStart", {"role": "assistant"})
STOP = event("messageStop", {"stopReason": "end_turn"})
CALL = {"toolUse": {"toolUseId": "t1", "name": "clock"}}


def delta(value: dict[str, Any], index: int = 0) -> bytes:
    return event("contentBlockDelta", {"contentBlockIndex": index, "delta": value})


def begin(value: dict[str, Any], index: int = 0) -> bytes:
    return event("contentBlockStart", {"contentBlockIndex": index, "start": value})


def end(index: int = 0) -> bytes:
    return event("contentBlockStop", {"contentBlockIndex": index})


def heard(*data: bytes) -> list[ev.StreamEvent]:
    decoder = StreamDecoder()
    events = [told for piece in data for told in decoder.feed(piece)] + decoder.close()
    check_stream(events)
    assert decoder.feed(START) == decoder.close() == []
    return events


def failure(*data: bytes) -> Failure:
    last = heard(*data)[-1]
    assert isinstance(last, ev.Broke)
    return last.failure


def parts(*data: bytes) -> tuple[Any, ...]:
    return assemble(heard(START, *data, STOP)).choices[0].parts


def test_a_text() -> None:
    told = assemble(heard(answer({"text": "Hello "}, {"text": "world"})))
    assert told.choices[0].parts == (TextPart("Hello world"),)
    assert told.choices[0].finish == Finish("stop")
    assert told.usage == Usage(7, output_tokens=3)
    assert (told.id, told.model, told.extras) == ("", "", {})


def test_a_call_beside_a_text_decides_over_the_word() -> None:
    events = heard(
        START, delta({"text": "So."}), end(), begin(CALL, 1), delta({"toolUse": {"input": '{"a":'}}, 1),
        delta({"toolUse": {"input": "1}"}}, 1), end(1), STOP,
    )  # fmt: skip
    told = assemble(events).choices[0]
    assert told.parts == (TextPart("So."), ToolCallPart("t1", "clock", '{"a":1}'))
    assert told.finish == Finish("tool_calls", "end_turn")


def test_a_call_without_arguments_has_empty_ones() -> None:
    assert parts(begin(CALL), delta({"toolUse": {"input": ""}}), end()) == (ToolCallPart("t1", "clock", "{}"),)


def test_a_thought_and_its_signature() -> None:
    thought = [delta({"reasoningContent": {"text": "H"}}), delta({"reasoningContent": {"text": "m"}})]
    signed = delta({"reasoningContent": {"signature": "c2ln"}})
    assert parts(*thought, signed, end()) == (ReasoningPart("Hm", OpaqueState("bedrock_converse", "c2ln")),)
    assert parts(*thought, delta({"reasoningContent": {"text": ""}}), end()) == (ReasoningPart("Hm"),)


def test_a_redacted_thought_is_told_whole() -> None:
    pieces = [base64.b64encode(piece).decode() for piece in (b"secret", b"s")]
    told = [delta({"reasoningContent": {"redactedContent": piece}}) for piece in pieces]
    state = OpaqueState("bedrock_converse", base64.b64encode(b"secrets").decode())
    assert parts(*told, end()) == (ReasoningPart("", state, redacted=True),)
    cut = [delta({"reasoningContent": {"redactedContent": piece}}) for piece in ("c2Vjcm", "V0cw==")]
    assert parts(*cut, end()) == (ReasoningPart("", state, redacted=True),)


def test_a_citation_of_a_page() -> None:
    raw = {"title": "T", "location": {"web": {"url": "https://e.test"}}, "sourceContent": [{"text": "cited"}]}
    (text,) = parts(delta({"text": "So."}), delta({"citation": raw}), end())
    assert text.citations == (Citation("bedrock_converse", raw, "https://e.test", "T", "cited"),)


def test_a_picture_and_a_servers_own_tool_are_told_whole() -> None:
    picture = [begin({"image": {"format": "png"}}), delta({"image": {"source": {"bytes": "iVBO"}}}), end()]
    assert parts(*picture) == (MediaPart("image", "image/png", "iVBO"),)
    result = {"toolResult": {"toolUseId": "s1", "type": "x"}}
    (opaque,) = parts(
        begin(result), delta({"toolResult": [{"text": "a"}]}), delta({"toolResult": [{"text": "b"}]}), end()
    )
    whole = {"toolUseId": "s1", "type": "x", "content": [{"text": "a"}, {"text": "b"}]}
    assert opaque == OpaquePart("bedrock_converse", "toolResult", {"toolResult": whole})


def test_a_block_of_a_kind_nobody_knows_is_kept() -> None:
    assert parts(delta({"x": "a"}), delta({"x": "b"}), end()) == (OpaquePart("bedrock_converse", "x", {"x": "ab"}),)


def test_what_comes_at_the_end_is_kept() -> None:
    stop = event("messageStop", {"stopReason": "refusal", "additionalModelResponseFields": {"a": 1}})
    meta = event(
        "metadata", {"usage": {"inputTokens": 1, "outputTokens": 2}, "trace": {"b": 2}, "serviceTier": {"type": "flex"}}
    )
    told = assemble(heard(START, stop, meta))
    assert told.choices[0].finish == Finish("refusal")
    own = {"additionalModelResponseFields": {"a": 1}, "trace": {"b": 2}, "serviceTier": {"type": "flex"}}
    assert told.extras == {"bedrock_converse": own}


def test_an_event_that_nobody_knows_is_told_to_whom_it_may_concern() -> None:
    assert ev.OpaqueEvent("bedrock_converse", "ping", {"a": 1}) in heard(START, event("ping", {"a": 1}), STOP)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (exception("throttlingException", "Slow down."), "rate_limited"),
        (exception("modelStreamErrorException", "It fell over."), "upstream_error"),
        (exception("internalServerException", "It fell over."), "upstream_error"),
        (exception("serviceUnavailableException", "Later."), "unavailable"),
        (exception("validationException", "Input is too long for requested model."), "context_too_long"),
        (error("SomethingElse", "Who knows."), "upstream_error"),
    ],
)
def test_an_exception_breaks_the_answer(told: bytes, kind: str) -> None:
    found = failure(START, delta({"text": "H"}), told)
    assert (found.kind, found.upstream_status) == (kind, 200)
    assert found.message


def test_an_answer_cut_short_is_no_end() -> None:
    whole = answer({"text": "Hello"})
    assert failure(whole[:300]).message == CUT_SHORT
    assert failure(START).message == CUT_SHORT
    assert failure(b"").message == CUT_SHORT


def test_a_wrong_checksum_breaks_the_answer() -> None:
    bent = bytearray(delta({"text": "Hello"}))
    bent[-6] ^= 1
    found = failure(START, delta({"text": "H"}), bytes(bent))
    assert found.kind == "upstream_error"
    assert "checksum" in found.message


@pytest.mark.parametrize(
    "told",
    [
        [delta({"toolUse": {"input": "{}"}})],
        [begin(CALL), delta({"text": "a"})],
        [delta({"text": "a"}), delta({"reasoningContent": {"text": "b"}})],
        [delta({"text": "a"}), delta({"reasoningContent": {"redactedContent": "YQ=="}})],
        [delta({"text": "a"}), delta({"image": {"source": {"bytes": "YQ=="}}})],
        [event("contentBlockDelta", {"delta": {"text": "a"}})],
        [STOP, delta({"text": "a"})],
        [event("metadata", {}).replace(b"{}", b"[]")],
    ],
)
def test_what_cannot_stand_breaks_the_answer(told: list[bytes]) -> None:
    assert failure(START, *told).kind == "upstream_error"


@given(
    texts=st.lists(st.text(max_size=8), max_size=4),
    cuts=st.lists(st.integers(0, 3000), max_size=10),
    stop=st.sampled_from(["end_turn", "max_tokens", "guardrail_intervened", "x"]),
    at=st.integers(0, 3000),
)
def test_any_cut_of_a_stream_gives_the_same_events(texts: list[str], cuts: list[int], stop: str, at: int) -> None:
    data = answer(*({"text": text} for text in texts), stop=stop)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:stop_at] for start, stop_at in itertools.pairwise(edges)]
    assert heard(*pieces) == heard(data)
    heard(data[:at])  # legal wherever it stops


_WORDS = (
    "start delta toolUse toolUseId name input text reasoningContent reasoningText signature redactedContent citation "
    "citationsContent content citations location web source sourceContent image format bytes toolResult usage inputTokens "
    "cacheDetails serviceTier type message role stopReason output x"
)
KEYS = st.sampled_from(_WORDS.split())
LEAVES: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers(-2, 9) | st.sampled_from(["", "a", "YQ=="])
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4))
NAMES = st.sampled_from(
    ["messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata", "x"]
)
INDICES = st.sampled_from([{}, {"contentBlockIndex": 0}, {"contentBlockIndex": 1}])


@given(st.lists(st.tuples(NAMES, INDICES, st.dictionaries(KEYS, VALUES, max_size=3)), max_size=8))
def test_whatever_is_said_the_events_are_legal(told: list[tuple[str, Any, Any]]) -> None:
    heard(*(event(name, {**index, **value}) for name, index, value in told))


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.lists(st.dictionaries(KEYS, VALUES, max_size=3), max_size=3))
def test_whatever_an_answer_says_it_is_read_or_refused(rest: dict[str, Any], content: list[Any]) -> None:
    for body in (rest, {**rest, "output": {"message": {"content": content}}}):
        with contextlib.suppress(FailureError):  # a refusal; any other exception is a fault of ours
            decode_response(json.dumps(body).encode())
