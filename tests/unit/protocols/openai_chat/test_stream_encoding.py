import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.conversation import events as ev
from anykey.conversation.assembly import assemble, replay
from anykey.conversation.failures import Failure
from anykey.conversation.parts import (
    Citation,
    MediaPart,
    OpaquePart,
    OpaqueState,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from anykey.conversation.response import Choice, Finish, GenerateResponse
from anykey.conversation.usage import Usage
from anykey.conversation.verify import check_stream
from anykey.protocols.openai_chat.codec import CODEC
from tests.unit.protocols.openai_chat.samples import asking, codes, frames, told

REQUEST = asking(include_usage=True)


def stream(*parts: Part, finish: Finish | None = None, **fields: Any) -> GenerateResponse:
    return GenerateResponse("c1", "m", (Choice(parts, finish or Finish("stop")),), created=7, **fields)


def encode(events: list[ev.StreamEvent], **asked: Any) -> tuple[bytes, list[str]]:
    encoder = CODEC.stream_encoder(msgspec.structs.replace(REQUEST, **asked))
    data = b"".join(encoder.feed([event]) for event in events)
    assert data == CODEC.stream_encoder(msgspec.structs.replace(REQUEST, **asked)).feed(events)
    assert encoder.feed([ev.Heartbeat()]) == b""
    assert all(loss.side == "response" for loss in encoder.losses)
    return data, codes(encoder.losses)


def deltas(data: bytes) -> list[dict[str, Any]]:
    return [frame["choices"][0]["delta"] for frame in frames(data) if frame != "[DONE]" and frame["choices"]]


def test_a_plain_stream_byte_by_byte() -> None:
    data, losses = encode(replay(stream(TextPart('a"é\n'), usage=Usage(3, output_tokens=2))))
    head = '"id":"c1","object":"chat.completion.chunk","created":7,"model":"m"'
    usage = (
        '{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"prompt_tokens_details":{"cached_tokens":0},'
        '"completion_tokens_details":{"reasoning_tokens":0}}'
    )
    assert data.decode().split("\n\n") == [
        f'data: {{{head},"choices":[{{"index":0,"delta":{{"role":"assistant","content":""}},"finish_reason":null}}]}}',
        f'data: {{{head},"choices":[{{"index":0,"delta":{{"content":"a\\"é\\n"}},"finish_reason":null}}]}}',
        f'data: {{{head},"choices":[{{"index":0,"delta":{{}},"finish_reason":"stop"}}]}}',
        f'data: {{{head},"choices":[],"usage":{usage}}}',
        "data: [DONE]",
        "",
    ]
    assert losses == []


def test_usage_is_told_to_those_who_asked() -> None:
    data, _ = encode(replay(stream(TextPart("a"), usage=Usage(3))), include_usage=None)
    assert all(frame == "[DONE]" or "usage" not in frame for frame in frames(data))


def test_parallel_calls_are_numbered_from_zero() -> None:
    parts = (
        TextPart("a"),
        ToolCallPart("1", "f", '{"a":1}'),
        ToolCallPart("s", "web", "{}", "hosted"),
        ToolCallPart("2", "g", ""),
    )
    data, losses = encode(replay(stream(*parts, finish=Finish("tool_calls"))))
    assert [delta["tool_calls"][0] for delta in deltas(data) if "tool_calls" in delta] == [
        {"index": 0, "id": "1", "type": "function", "function": {"name": "f", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"a":1}'}},
        {"index": 1, "id": "2", "type": "function", "function": {"name": "g", "arguments": ""}},
        {"index": 1, "function": {"arguments": "{}"}},
    ]
    assert losses == ["dropped:choices[0].content[2]"]
    assert frames(data)[-2]["choices"][0]["finish_reason"] == "tool_calls"


def test_a_call_cut_by_the_limit_stays_cut() -> None:
    data, _ = encode(replay(stream(ToolCallPart("1", "f", ""), finish=Finish("length"))))
    assert assemble(told(data)).choices[0] == Choice((ToolCallPart("1", "f", ""),), Finish("length"))


def test_citations_come_when_their_text_is_whole() -> None:
    known = Citation("anthropic_messages", {}, "https://x", "X")
    data, losses = encode(
        replay(stream(TextPart("ab"), TextPart("cde", citations=(known, Citation("anthropic_messages", {})))))
    )
    inner = {"start_index": 2, "end_index": 5, "title": "X", "url": "https://x"}
    assert deltas(data)[-2] == {"annotations": [{"type": "url_citation", "url_citation": inner}]}
    assert losses == ["dropped:choices[0].content[1].citations[1]"]


@pytest.mark.parametrize(
    ("event", "loss"),
    [
        (ev.OpaqueEvent("anthropic_messages", "odd", {}), "dropped:odd"),
        (ev.PartFinished(0, extras={"anthropic_messages": {"x": 1}}), "dropped:choices[0].content[0].x"),
        (ev.PartStarted(1, OpaquePart("anthropic_messages", "odd", {})), "dropped:choices[0].content[1]"),
        (ev.PartStarted(1, MediaPart("document", text="x")), "dropped:choices[0].content[1]"),
        (ev.PartStarted(1, TextPart("", extras={"anthropic_messages": {"x": 1}})), "dropped:choices[0].content[1].x"),
        (ev.ChoiceFinished(Finish("pause")), "approximated:choices[0].finish_reason"),
        (ev.ChoiceFinished(Finish("stop"), extras={"anthropic_messages": {"x": 1}}), "dropped:choices[0].x"),
        (ev.Ended({"anthropic_messages": {"container": {}}}), "dropped:container"),
    ],
)
def test_what_a_chat_stream_cannot_tell_is_a_loss(event: ev.StreamEvent, loss: str) -> None:
    encoder = CODEC.stream_encoder(REQUEST)
    encoder.feed([ev.Started("c1", "m"), ev.PartStarted(0, TextPart("")), event])
    assert codes(encoder.losses) == [loss]


def test_a_refusal_beside_the_text_is_told() -> None:
    finish = Finish("refusal", detail={"explanation": "No."})
    data, _ = encode(replay(stream(finish=finish)))
    assert deltas(data)[1] == {"refusal": "No."}
    assert frames(data)[-2]["choices"][0]["finish_reason"] == "content_filter"


def test_a_broken_stream_ends_in_one_error_and_no_mark_of_completion() -> None:
    encoder = CODEC.stream_encoder(REQUEST)
    encoder.feed([ev.Started("c1", "m"), ev.PartStarted(0, TextPart("")), ev.TextDelta(0, "a")])
    error = encoder.feed([ev.Broke(Failure("overloaded", "busy"))])
    assert json.loads(error[6:]) == {
        "error": {"message": "busy", "type": "server_error", "param": None, "code": "overloaded"}
    }
    assert encoder.feed([ev.Ended()]) == b""


def test_a_heartbeat_is_a_comment() -> None:
    encoder = CODEC.stream_encoder(REQUEST)
    assert encoder.heartbeat() == encoder.feed([ev.Heartbeat()]) == CODEC.heartbeat() == b": keep-alive\n\n"


def test_log_probabilities_and_sound_are_told() -> None:
    logprobs = {"content": [{"token": "a"}]}
    events = replay(stream(TextPart("a")))
    events[-2:-2] = [
        ev.LogprobsAdded(logprobs),
        ev.OpaqueEvent("openai_chat", "audio", {"choice": 0, "audio": {"id": "x"}}),
    ]
    told_frames = [frame["choices"][0] for frame in frames(encode(events)[0]) if frame != "[DONE]"]
    assert told_frames[-3]["logprobs"] == logprobs
    assert told_frames[-2]["delta"] == {"audio": {"id": "x"}}


NAMES = st.from_regex(r"[a-z_]{1,9}", fullmatch=True)
OWN = st.sampled_from([{}, {"openai_chat": {"id": "r1"}}])
PARTS = st.one_of(
    st.builds(TextPart, st.text(min_size=1)),
    st.builds(
        ReasoningPart,
        st.text(min_size=1),
        st.none()
        | st.builds(OpaqueState, st.sampled_from(["openai_chat", "anthropic_messages", "xyz-v1"]), st.text(min_size=1)),
    ),
    st.builds(
        ReasoningPart,
        st.just(""),
        st.builds(OpaqueState, st.just("openai_chat"), st.text(min_size=1)),
        redacted=st.just(True),
    ),
    st.builds(ToolCallPart, NAMES, NAMES, st.dictionaries(NAMES, st.integers()).map(json.dumps)),
    st.builds(RefusalPart, st.text(min_size=1)),
)


def merged(parts: tuple[Part, ...]) -> list[tuple[type[Part], str]]:
    """What a reader of the stream can tell: neighbours of one kind are one."""
    out: list[tuple[type[Part], str]] = []
    for part in parts:
        text = part.arguments if isinstance(part, ToolCallPart) else getattr(part, "text", "")
        last = out[-1] if out else None
        if last and last[0] is type(part) and not isinstance(part, ToolCallPart):
            out[-1] = (last[0], last[1] + text)
        else:
            out.append((type(part), text))
    return out


@given(st.lists(PARTS, max_size=5))
def test_every_legal_stream_is_told_legally_and_says_the_same(parts: list[Part]) -> None:
    calls = [part for part in parts if isinstance(part, ToolCallPart)]
    unique = len({part.id for part in calls}) == len(calls)
    if not unique:
        return
    answer = stream(*parts, finish=Finish("tool_calls" if calls else "stop"), usage=Usage(1, output_tokens=1))
    data, _ = encode(replay(answer))
    events = told(data)
    check_stream(events)
    again = assemble(events)
    assert merged(again.choices[0].parts) == merged(tuple(parts))
    assert again.usage == answer.usage
    states = [part.state for part in parts if isinstance(part, ReasoningPart) and part.redacted]
    assert states == [p.state for p in again.choices[0].parts if isinstance(p, ReasoningPart) and p.redacted]


def test_text_after_a_hosted_call_is_in_its_place() -> None:
    hosted = ToolCallPart("c", "search", "", "hosted")
    encoder = CODEC.stream_encoder(asking())
    encoder.feed([ev.Started("c", "m"), ev.PartStarted(0, hosted), ev.PartFinished(0), ev.PartStarted(1, TextPart(""))])
    assert codes(encoder.losses) == ["dropped:choices[0].content[0]"]
