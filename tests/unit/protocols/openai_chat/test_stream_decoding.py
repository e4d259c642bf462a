from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.conversation import events as ev
from anykey.conversation.assembly import assemble
from anykey.conversation.parts import ReasoningPart, TextPart, ToolCallPart
from anykey.conversation.response import Finish
from anykey.conversation.usage import Usage
from anykey.protocols.openai_chat.codec import CODEC
from anykey.protocols.sse import EVENT_LIMIT
from tests.unit.protocols.openai_chat.samples import DONE, PLAIN, chunk, dump, told

USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
USAGE_CHUNK = b"data: " + dump({"id": "c1", "choices": [], "usage": USAGE}) + b"\n\n"
ROLE = chunk({"role": "assistant", "content": "", "refusal": None})


def broken(data: bytes) -> ev.Broke:
    last = told(data)[-1]
    assert isinstance(last, ev.Broke)
    return last


def test_a_plain_stream() -> None:
    data = ROLE + chunk({"content": "Hel"}) + chunk({"content": "lo"}) + chunk({}, "stop") + USAGE_CHUNK + DONE
    assert told(data) == [
        ev.Started("c1", "m", 7),
        ev.PartStarted(0, TextPart("")),
        ev.TextDelta(0, "Hel"),
        ev.TextDelta(0, "lo"),
        ev.PartFinished(0),
        ev.ChoiceFinished(Finish("stop")),
        ev.UsageReported(Usage(3, output_tokens=2)),
        ev.Ended(),
    ]


def test_a_head_before_the_first_choice_waits_for_it() -> None:
    head = (
        b"data: " + dump({"id": "", "model": "", "choices": [], "prompt_filter_results": [1], "usage": USAGE}) + b"\n\n"
    )
    events = told(head + chunk({"content": "a"}, "stop", system_fingerprint="fp") + DONE)
    extras = {"openai_chat": {"prompt_filter_results": [1], "system_fingerprint": "fp"}}
    assert events[0] == ev.Started("c1", "m", 7, Usage(3, output_tokens=2), None, extras)


@pytest.mark.parametrize(
    "end",
    [
        chunk({}, "stop") + DONE,
        chunk({"content": ""}, "stop") + DONE,
        chunk({"role": "assistant", "content": ""}, "stop") + chunk({"content": ""}, "stop") + DONE,
        chunk({}, "stop"),
        chunk({}, "stop") + b"data: [DONE]",
        chunk({}, "stop") + b'data: {"choices":[],"usa',
        DONE,
    ],
    ids=["plain", "empty content", "finish twice", "no DONE", "DONE without a blank line", "cut usage", "no finish"],
)
def test_every_way_to_end(end: bytes) -> None:
    response = assemble(told(ROLE + chunk({"content": "a"}) + end))
    assert response.choices[0].parts == (TextPart("a"),)
    assert response.choices[0].finish == Finish("stop")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        ROLE,
        ROLE + chunk({"content": "a"}),
        ROLE + chunk({"content": "a"}) + b"data: {",
        chunk({"tool_calls": [{"index": 0, "id": "1", "function": {"name": "f", "arguments": '{"a'}}]}),
        chunk({"tool_calls": [{"index": 0, "id": "1", "function": {"name": "f", "arguments": '{"a'}}]}) + DONE,
        DONE,
        chunk({"content": "a"}, "stop") + chunk({"content": "b"}, index=1),
        b"data: [1, 2]\n\n",
        b"data: nonsense\n\n" + chunk({"content": "a"}, "stop") + DONE,
        b"data: \xff\n\n",
        b"data: " + b"[" * 100_000 + b"\n\n",
        b"data: " + b"x" * EVENT_LIMIT,
    ],
)
def test_an_incomplete_or_unreadable_stream_is_broken(data: bytes) -> None:
    assert broken(data).failure.kind == "upstream_error"


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (b'event: error\ndata: {"error":{"message":"no","code":"rate_limit_exceeded"}}\n\n', "rate_limited"),
        (b'data: {"error":{"message":"busy","type":"overloaded_error"}}\n\n', "overloaded"),
        (b'data: {"error":"bad","choices":[]}\n\n', "upstream_error"),
        (b"event: error\ndata: {}\n\n", "upstream_error"),
    ],
)
def test_an_error_in_the_stream_breaks_it(record: bytes, kind: str) -> None:
    assert broken(chunk({"content": "a"}) + record + DONE).failure.kind == kind


@pytest.mark.parametrize(
    "noise",
    [
        b": OPENROUTER PROCESSING\n\n",
        b'event: ping\ndata: {"type":"ping"}\n\n',
        chunk({"content": ""}),
        chunk({"content": None, "tool_calls": None, "role": "assistant"}),
        chunk({}, ""),
        chunk({}, None, obfuscation="xyz", p="abc", usage=None),
        chunk({}, choice={"message": {"role": "assistant", "content": "Hello"}}),
        chunk({}, choice={"logprobs": {"content": []}}),
    ],
)
def test_noise_changes_nothing(noise: bytes) -> None:
    quiet = [chunk({"content": "a"}), chunk({"content": "b"}, "stop"), DONE]
    noisy = noise.join([b"", *quiet])
    assert assemble(told(noisy)).choices == assemble(told(b"".join(quiet))).choices


@pytest.mark.parametrize("where", [0, 1, 2])
def test_usage_may_come_anywhere_and_the_last_counts(where: int) -> None:
    pieces = [chunk({"content": "a"}), chunk({}, "stop"), DONE]
    early = b"data: " + dump({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 0}}) + b"\n\n"
    pieces.insert(where, early + USAGE_CHUNK)
    assert assemble(told(b"".join(pieces))).usage == Usage(3, output_tokens=2)
    again = chunk({}, "stop", usage=USAGE) + chunk({"content": ""}, "stop", usage=USAGE) + DONE
    events = told(chunk({"content": "a"}) + again)
    assert [type(event) for event in events].count(ev.UsageReported) == 1


def test_choices_may_interleave() -> None:
    data = b"".join(
        [
            chunk({"content": "a"}),
            chunk({"content": "x"}, index=1),
            chunk({"content": "b"}, "stop"),
            chunk({"content": "y"}, "length", index=1),
            DONE,
        ]
    )
    first, second = assemble(told(data)).choices
    assert (first.parts, second.parts) == ((TextPart("ab"),), (TextPart("xy"),))
    assert (second.index, second.finish) == (1, Finish("length"))


def test_keys_of_the_answer_that_come_late_are_kept() -> None:
    data = chunk({"content": "a"}, vendor="v") + chunk({"content": "b"}, "stop", vendor="v", timings={"t": 1}) + DONE
    response = assemble(told(data))
    assert response.extras == {"openai_chat": {"vendor": "v", "timings": {"t": 1}}}
    assert response.choices[0].parts == (TextPart("ab"),)


def full() -> bytes:
    """A stream with most of what there is, in both line ends."""
    calls = [
        {"tool_calls": [{"index": 0, "id": "1", "type": "function", "function": {"name": "f", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '"é"}'}}]},
        {"tool_calls": [{"index": 1, "id": "2", "function": {"name": "g", "arguments": "{}"}}]},
    ]
    data = (
        ROLE
        + b": comment\n\n"
        + chunk({"reasoning_content": "so…"})
        + chunk({"content": "日本"})
        + chunk({"content": "語"})
    )
    data += b"".join(chunk(call) for call in calls) + chunk({}, "tool_calls").replace(b"\n", b"\r\n")
    return data + USAGE_CHUNK + DONE


@given(st.lists(st.integers(0, len(full())), max_size=30))
def test_any_cut_gives_the_same_events(cuts: list[int]) -> None:
    data = full()
    decoder = CODEC.stream_decoder(PLAIN)
    events: list[ev.StreamEvent] = []
    edges = [0, *sorted(cuts), len(data)]
    for start, end in pairwise(edges):
        events += decoder.feed(data[start:end])
    assert events + decoder.close() == told(data)


def test_the_full_stream_is_what_it_says() -> None:
    response = assemble(told(full(), size=1))
    assert response.choices[0].parts == (
        ReasoningPart("so…"),
        TextPart("日本語"),
        ToolCallPart("1", "f", '{"a":"é"}'),
        ToolCallPart("2", "g", "{}"),
    )
    assert response.choices[0].finish == Finish("tool_calls")


KEYS = [
    *(
        "choices",
        "delta",
        "index",
        "content",
        "tool_calls",
        "function",
        "name",
        "arguments",
        "id",
        "finish_reason",
        "type",
    ),
    *("reasoning_details", "text", "error", "usage", "logprobs", "annotations", "images", "refusal", "audio"),
]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(st.lists(JUNK, max_size=4), st.dictionaries(st.sampled_from(["content", "tool_calls", "images", "audio"]), JUNK))
def test_nothing_makes_it_raise_or_break_the_law(values: list[Any], delta: dict[str, Any]) -> None:
    data = b"".join(b"data: " + dump(value) + b"\n\n" for value in values)
    told(chunk(delta) + data + chunk({"reasoning_details": values, **delta}) + chunk({}, "stop") + DONE)
    told(data)
