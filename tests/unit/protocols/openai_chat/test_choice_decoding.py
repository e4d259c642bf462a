from typing import Any

import pytest

from anykey.conversation import events as ev
from anykey.conversation.assembly import assemble
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
from anykey.conversation.response import Choice, Finish
from anykey.protocols.openai_chat.codec import CODEC
from tests.unit.protocols.openai_chat.samples import DONE, PLAIN, chunk, codes, told


def choice(*deltas: dict[str, Any], finish: str = "stop") -> Choice:
    return assemble(told(b"".join(chunk(delta) for delta in deltas) + chunk({}, finish) + DONE)).choices[0]


def call(index: int | None = 0, **fields: Any) -> dict[str, Any]:
    function = {key: fields.pop(key) for key in ("name", "arguments") if key in fields}
    return {"tool_calls": [{**({} if index is None else {"index": index}), **fields, "function": function}]}


F = ToolCallPart("1", "f", '{"a":1}')


@pytest.mark.parametrize(
    "deltas",
    [
        [call(id="1", type="function", name="f", arguments=""), call(arguments='{"a"'), call(arguments=":1}")],
        [call(id="1", name="f", arguments='{"a":1}')],
        [call(None, id="1", name="f", arguments='{"a":1}')],
        [call(id="1", name="f"), call(id="", name="f", type="", arguments='{"a":1}')],
        [call(id="1", name="f", arguments=None), call(id=None, name=None, arguments='{"a":1}')],
        [call(None, id="1", name="f", arguments='{"a":'), call(None, arguments="1}")],
        [call(id="1", arguments='{"a"'), call(name="f", arguments=":1}")],
        [call(id="1", name="f", arguments={"a": 1})],
    ],
)
def test_a_call_however_it_comes(deltas: list[dict[str, Any]]) -> None:
    assert choice(*deltas) == Choice((F,), Finish("tool_calls", "stop"))


def test_parallel_calls_close_when_they_are_whole_and_may_interleave() -> None:
    whole = told(
        chunk(call(0, id="1", name="f", arguments="{}"))
        + chunk(call(1, id="2", name="g", arguments="{}"), "tool_calls")
        + DONE
    )
    assert [type(event).__name__ for event in whole[1:7]] == [
        "PartStarted",
        "ArgumentsDelta",
        "PartFinished",
        "PartStarted",
        "ArgumentsDelta",
        "PartFinished",
    ]
    mixed = choice(
        call(0, id="1", name="f", arguments='{"a"'),
        call(1, id="2", name="g", arguments='{"b"'),
        call(0, arguments=":1}"),
        call(1, arguments=":2}"),
    )
    assert mixed.parts == (F, ToolCallPart("2", "g", '{"b":2}'))


def test_a_new_id_and_name_under_a_known_index_is_a_new_call() -> None:
    parts = choice(
        call(0, id="1", name="f", arguments='{"a"'),
        call(0, arguments=":1}"),
        call(0, id="2", name="g", arguments='{"b"'),
        call(0, arguments=":2}"),
    ).parts
    assert parts == (F, ToolCallPart("2", "g", '{"b":2}'))


def test_calls_without_index_or_id_are_told_apart_by_their_names() -> None:
    parts = choice(call(None, name="f", arguments="{}"), call(None, name="g", arguments="{}")).parts
    ids = {part.id for part in parts if isinstance(part, ToolCallPart)}
    assert len(ids) == 2
    assert all(identity.startswith("call_") for identity in ids)


def test_a_call_cut_by_the_limit_is_told_as_it_is() -> None:
    cut = choice(call(id="1", name="f", arguments='{"a'), finish="length")
    assert cut == Choice((ToolCallPart("1", "f", '{"a'),), Finish("length"))


@pytest.mark.parametrize(
    ("deltas", "parts"),
    [
        (
            [{"content": None, "reasoning_content": "a"}, {"content": "b", "reasoning_content": None}],
            (ReasoningPart("a"), TextPart("b")),
        ),
        (
            [{"reasoning": "a"}, {"content": "b"}, {"reasoning": "c"}],
            (ReasoningPart("a"), TextPart("b"), ReasoningPart("c")),
        ),
        (
            [{"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "a"}]}]}, {"content": "b"}],
            (ReasoningPart("a"), TextPart("b")),
        ),
        ([{"content": [{"type": "text", "text": "b"}, {"type": "text", "text": ""}]}], (TextPart("b"),)),
        (
            [{"content": [{"type": "reference", "ids": [1]}]}],
            (OpaquePart("openai_chat", "reference", {"type": "reference", "ids": [1]}),),
        ),
        ([{"refusal": "n"}, {"refusal": "o"}], (RefusalPart("no"),)),
        (
            [{"images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]}],
            (MediaPart("image", "image/png", "AA"),),
        ),
        ([{"function_call": {"name": "f", "arguments": ""}}, {"function_call": {"arguments": "{}"}}], None),
        (
            [
                {"tool_calls": [{"index": 0, "id": "1", "type": "custom", "custom": {"name": "f", "input": "x"}}]},
                {"tool_calls": [{"index": 0, "custom": {"input": "y"}}]},
            ],
            (ToolCallPart("1", "f", "xy", "custom"),),
        ),
        (
            [{"tool_calls": [{"type": "mcp", "x": 1}]}],
            (OpaquePart("openai_chat", "tool_calls.mcp", {"type": "mcp", "x": 1}),),
        ),
    ],
)
def test_every_kind_of_delta(deltas: list[dict[str, Any]], parts: tuple[Part, ...] | None) -> None:
    found = choice(*deltas).parts
    if parts is None:
        (legacy,) = found
        assert isinstance(legacy, ToolCallPart)
        assert (legacy.kind, legacy.name, legacy.arguments) == ("legacy_function", "f", "{}")
    else:
        assert found == parts


def test_reasoning_details_carry_text_and_state() -> None:
    parts = choice(
        {
            "reasoning": "a",
            "reasoning_details": [{"type": "reasoning.text", "text": "a", "index": 0, "format": "anthropic-claude-v1"}],
        },
        {"reasoning": "b", "reasoning_details": [{"type": "reasoning.text", "text": "b", "index": 0}]},
        {
            "reasoning_details": [
                {"type": "reasoning.text", "signature": "s", "format": "anthropic-claude-v1", "index": 0}
            ]
        },
        {"reasoning_details": [{"type": "reasoning.encrypted", "data": "g", "index": 1}, {"type": 3}]},
        {"content": "c"},
    ).parts
    assert parts == (
        ReasoningPart("ab", OpaqueState("anthropic_messages", "s")),
        ReasoningPart("", OpaqueState("openai_chat", "g"), redacted=True),
        TextPart("c"),
    )


def test_a_format_without_its_signature_is_kept() -> None:
    detail = {"type": "reasoning.text", "text": "a", "index": 0, "format": "anthropic-claude-v1"}
    assert choice({"reasoning_details": [detail]}).parts == (
        ReasoningPart("a", extras={"openai_chat": {"format": "anthropic-claude-v1"}}),
    )


def test_a_signature_belongs_to_the_plain_text_before_it() -> None:
    parts = choice(
        {"reasoning_content": "a"},
        {"reasoning_details": [{"type": "reasoning.text", "signature": "s", "index": 0}]},
    ).parts
    assert parts == (ReasoningPart("a", OpaqueState("openai_chat", "s")),)


def test_citations_belong_to_the_text() -> None:
    annotation = {"type": "url_citation", "url_citation": {"url": "https://x"}}
    parts = choice({"content": "a"}, {"annotations": [annotation]}).parts
    assert parts == (TextPart("a", citations=(Citation("openai_chat", annotation, "https://x"),)),)


def test_sound_and_log_probabilities_pass() -> None:
    logprobs = {"content": [{"token": "a"}], "refusal": None}
    data = (
        chunk({"audio": {"id": "x", "data": "AA"}})
        + chunk({"content": "a"}, "stop", choice={"logprobs": logprobs})
        + DONE
    )
    events = told(data)
    assert ev.OpaqueEvent("openai_chat", "audio", {"choice": 0, "audio": {"id": "x", "data": "AA"}}) in events
    assert assemble(events).choices[0].logprobs == logprobs


def test_unknown_keys_of_choice_and_delta_are_kept() -> None:
    data = (
        chunk({"content": "a", "channel": "analysis"}, choice={"native_finish_reason": None, "filter": {}})
        + chunk({}, "stop")
        + DONE
    )
    found = assemble(told(data)).choices[0]
    assert found.extras == {"openai_chat": {"filter": {}, "message": {"channel": "analysis"}}}


def test_what_comes_after_the_finish_is_a_loss() -> None:
    decoder = CODEC.stream_decoder(PLAIN)
    decoder.feed(chunk({"content": "a"}, "stop"))
    decoder.feed(chunk({"content": "late", "role": "assistant"}, "stop", choice={"native_finish_reason": "STOP"}))
    assert codes(decoder.losses) == ["dropped:choices[0].delta", "dropped:choices[0].native_finish_reason"]


def test_a_call_that_never_gets_a_name_is_a_loss() -> None:
    decoder = CODEC.stream_decoder(PLAIN)
    decoder.feed(chunk(call(id="1", arguments="{}")) + chunk({}, "stop"))
    assert codes(decoder.losses) == ["dropped:choices[0].tool_calls"]


def test_an_id_that_is_no_text_is_none() -> None:
    events = told(chunk({"tool_calls": [{"id": ["x"], "function": {"name": "f", "arguments": "{}"}}]}, "tool_calls"))
    (call,) = [part for part in assemble(events).choices[0].parts if isinstance(part, ToolCallPart)]
    assert (call.name, call.arguments) == ("f", "{}")
    assert call.id.startswith("call_")


def test_the_state_of_a_second_thought_is_not_taken_for_that_of_the_first() -> None:
    entries = [{"type": "reasoning.text", "signature": word, "index": number} for number, word in enumerate("ab")]
    events = told(chunk({"reasoning_details": entries}) + chunk({"content": "x"}, "stop"))
    states = [
        part.state.data for part in assemble(events).choices[0].parts if isinstance(part, ReasoningPart) and part.state
    ]
    assert states == ["a", "b"]
