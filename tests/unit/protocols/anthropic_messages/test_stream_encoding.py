import json
from typing import Any

import pytest
from hypothesis import given, settings
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
from anykey.protocols.anthropic_messages.response import encode_response
from anykey.protocols.anthropic_messages.stream_decoding import StreamDecoder
from anykey.protocols.anthropic_messages.stream_encoding import PING, StreamEncoder

BEGIN = ev.Started("msg_1", "m", usage=Usage(3))
FINISH = [ev.ChoiceFinished(Finish("stop")), ev.UsageReported(Usage(7, 5, 2, 0, 11)), ev.Ended()]
OURS = OpaqueState("anthropic_messages", "sig")


def encode(*events: ev.StreamEvent) -> tuple[list[dict[str, Any]], list[str]]:
    encoder = StreamEncoder()
    data = b"".join(encoder.feed([event]) for event in events)
    whole = StreamEncoder()
    assert whole.feed(list(events)) == data
    return read(data), [f"{loss.kind} {loss.path}" for loss in encoder.losses]


def read(data: bytes) -> list[dict[str, Any]]:
    """The records; each must have the name of its type, and blocks must follow one another."""
    records: list[dict[str, Any]] = []
    opened, following = None, 0
    for block in data.decode().split("\n\n")[:-1]:
        name, _, text = block.partition("\n")
        record = json.loads(text.removeprefix("data: "))
        assert name == f"event: {record['type']}"
        if record["type"] == "content_block_start":
            assert (opened, record["index"]) == (None, following)
            opened = following
        elif record["type"] == "content_block_delta":
            assert record["index"] == opened
        elif record["type"] == "content_block_stop":
            assert record["index"] == opened
            opened, following = None, following + 1
        records.append(record)
    assert opened is None
    return records


def tell(part: Part, *deltas: ev.StreamEvent, index: int = 0) -> list[ev.StreamEvent]:
    return [ev.PartStarted(index, part), *deltas, ev.PartFinished(index)]


def blocks(records: list[dict[str, Any]]) -> list[Any]:
    return [record["content_block"] for record in records if record["type"] == "content_block_start"]


def deltas(records: list[dict[str, Any]]) -> list[Any]:
    return [record["delta"] for record in records if record["type"] == "content_block_delta"]


def test_a_text_stream() -> None:
    records, losses = encode(BEGIN, *tell(TextPart(""), ev.TextDelta(0, 'a"\u2028'), ev.TextDelta(0, "b")), *FINISH)
    assert not losses
    message = records[0]["message"]
    assert (message["content"], message["usage"]["input_tokens"], message["usage"]["output_tokens"]) == ([], 3, 0)
    assert blocks(records) == [{"type": "text", "text": ""}]
    assert deltas(records) == [{"type": "text_delta", "text": 'a"\u2028'}, {"type": "text_delta", "text": "b"}]
    usage = {"input_tokens": 7, "cache_creation_input_tokens": 2, "cache_read_input_tokens": 5, "output_tokens": 11}
    assert records[-2]["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert records[-2]["usage"].items() >= usage.items()
    assert records[-1] == {"type": "message_stop"}


def test_an_answer_without_parts() -> None:
    records, _ = encode(BEGIN, *FINISH)
    assert [record["type"] for record in records] == ["message_start", "message_delta", "message_stop"]


def test_interleaved_parts_come_one_after_another() -> None:
    records, _ = encode(
        BEGIN,
        ev.PartStarted(0, ToolCallPart("a", "t", "")),
        ev.PartStarted(1, ToolCallPart("b", "t", "")),
        ev.ArgumentsDelta(1, '{"y":'),
        ev.ArgumentsDelta(0, '{"x":'),
        ev.PartStarted(2, TextPart("")),
        ev.TextDelta(2, "end"),
        ev.ArgumentsDelta(1, "2}"),
        ev.PartFinished(1),
        ev.ArgumentsDelta(0, "1}"),
        ev.PartFinished(0),
        ev.PartFinished(2),
        *FINISH,
    )
    assert [block.get("id") for block in blocks(records)] == ["a", "b", None]
    fragments = [delta.get("partial_json") or delta.get("text") for delta in deltas(records)]
    assert fragments == ['{"x":', "1}", '{"y":', "2}", "end"]


def test_empty_text_and_empty_thoughts_are_no_blocks() -> None:
    records, losses = encode(
        BEGIN,
        *tell(TextPart("")),
        *tell(ReasoningPart(""), index=1),
        *tell(TextPart(""), ev.TextDelta(2, "x"), index=2),
        *FINISH,
    )
    assert blocks(records) == [{"type": "text", "text": ""}]
    assert not losses


def test_thoughts() -> None:
    signed = tell(ReasoningPart(""), ev.ReasoningDelta(0, "hm"), ev.StateDelta(0, OURS))
    records, losses = encode(BEGIN, *signed, *tell(ReasoningPart(""), ev.StateDelta(1, OURS), index=1), *FINISH)
    assert blocks(records) == [{"type": "thinking", "thinking": "", "signature": ""}] * 2
    signature = {"type": "signature_delta", "signature": "sig"}
    assert deltas(records) == [{"type": "thinking_delta", "thinking": "hm"}, signature, signature]
    assert not losses
    foreign = tell(ReasoningPart(""), ev.ReasoningDelta(0, "hm"), ev.StateDelta(0, OpaqueState("xai", "s")))
    records, losses = encode(BEGIN, *foreign, *tell(ReasoningPart("", OURS, redacted=True), index=1), *FINISH)
    assert blocks(records)[1] == {"type": "redacted_thinking", "data": "sig"}
    assert losses == ["dropped content[0].state"]


def test_tool_calls() -> None:
    custom = tell(
        ToolCallPart("c", "t", "", "custom"), ev.ArgumentsDelta(2, 'say "'), ev.ArgumentsDelta(2, 'hi"'), index=2
    )
    records, losses = encode(
        BEGIN, *tell(ToolCallPart("a", "t", "")), *tell(ToolCallPart("b", "t", '{"a":1}'), index=1), *custom, *FINISH
    )
    assert [block["input"] for block in blocks(records)] == [{}, {}, {}]
    assert [delta["partial_json"] for delta in deltas(records)] == ['{"a":1}', '{"input":"say \\"hi\\""}']
    assert losses == ["emulated content[2]"]


def test_a_refusal_is_text_and_the_stop_reason() -> None:
    records, _ = encode(BEGIN, *tell(RefusalPart(""), ev.RefusalDelta(0, "no")), *FINISH)
    assert (deltas(records), records[-2]["delta"]["stop_reason"]) == ([{"type": "text_delta", "text": "no"}], "refusal")


def test_what_has_no_form_here_is_named_once() -> None:
    foreign = Citation("openai_chat", {})
    records, losses = encode(
        ev.Started("x", "m", service_tier="flex", extras={"openai_chat": {"system_fingerprint": "f"}}),
        *tell(
            TextPart("", extras={"openai_chat": {"a": 1}}),
            ev.TextDelta(0, "x"),
            ev.CitationAdded(0, foreign),
            ev.CitationAdded(0, foreign),
        ),
        ev.LogprobsAdded({}),
        ev.LogprobsAdded({}),
        *tell(MediaPart("image", "image/png", "x"), index=1),
        ev.PartStarted(0, TextPart(""), 1),
        ev.TextDelta(0, "other", 1),
        ev.PartFinished(0, 1),
        ev.ChoiceFinished(Finish("stop"), 1),
        ev.OpaqueEvent("openai_chat", "audio", {}),
        *FINISH[:-1],
        ev.Ended({"openai_chat": {"timings": 1}}),
    )
    note = "[The model made a medium of the kind image here, which cannot be shown.]"
    assert deltas(records) == [{"type": "text_delta", "text": "x"}]
    assert blocks(records)[1] == {"type": "text", "text": note}
    names = [
        "service_tier",
        "system_fingerprint",
        "content[0].a",
        "content[0].citations",
        "logprobs",
        "content[1]",
        "choices[1]",
        "audio",
        "timings",
    ]
    assert losses == [f"dropped {name}" for name in names]


def test_late_keys_of_a_part_are_named() -> None:
    _, losses = encode(
        BEGIN, ev.PartStarted(0, TextPart("x")), ev.PartFinished(0, 0, {"openai_chat": {"late": 1}}), *FINISH
    )
    assert losses == ["dropped content[0].late"]


def test_our_own_events_citations_and_late_fields_come_back() -> None:
    citation = Citation("anthropic_messages", {"type": "char_location"})
    records, losses = encode(
        BEGIN,
        *tell(TextPart(""), ev.CitationAdded(0, citation), ev.TextDelta(0, "x")),
        *tell(OpaquePart("anthropic_messages", "web_search_tool_result", {"type": "web_search_tool_result"}), index=1),
        ev.OpaqueEvent("anthropic_messages", "new", {"type": "new"}),
        ev.ChoiceFinished(Finish("other", "compaction"), 0, {"anthropic_messages": {"stop_reason": "compaction"}}),
        ev.Ended({"anthropic_messages": {"container": {"id": "c"}, "context_management": {}}}),
    )
    assert deltas(records)[0] == {"type": "citations_delta", "citation": {"type": "char_location"}}
    assert blocks(records)[1] == {"type": "web_search_tool_result"}
    assert records[-2]["delta"] == {"stop_reason": "compaction", "stop_sequence": None, "container": {"id": "c"}}
    assert records[-2]["context_management"] == {}
    assert {"type": "new"} in records
    assert not losses


def test_a_heartbeat_and_a_broken_stream() -> None:
    encoder = StreamEncoder()
    assert encoder.heartbeat() == encoder.feed([ev.Heartbeat()]) == PING == b'event: ping\ndata: {"type":"ping"}\n\n'
    broken = encoder.feed(
        [BEGIN, ev.PartStarted(0, TextPart("")), ev.TextDelta(0, "x"), ev.Broke(Failure("overloaded", "busy"))]
    )
    assert broken.endswith(
        b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"},"request_id":null}\n\n'
    )
    assert b"message_stop" not in broken


@pytest.mark.parametrize("last", [None, ToolCallPart("toolu_1", "t", "{}")])
def test_a_sealed_thought_after_the_text_is_told_only_before_something_else(last: Part | None) -> None:
    """Claude Code prints the last block of an answer; where that is a thought, it prints nothing."""
    sealed = ReasoningPart("", OpaqueState("anthropic_messages", "c2VhbGVk", "end"), redacted=True)
    parts: tuple[Part, ...] = (TextPart("Done."), sealed, sealed, *((last,) if last else ()))
    answer = GenerateResponse("msg_1", "m", (Choice(parts, Finish("stop")),), Usage(1, output_tokens=2))
    records, losses = encode(*replay(answer))
    begun = [record["content_block"]["type"] for record in records if record["type"] == "content_block_start"]
    assert begun == (["text", "redacted_thinking", "redacted_thinking", "tool_use"] if last else ["text"])
    whole = encode_response(answer)
    assert [block["type"] for block in json.loads(whole.body)["content"]] == begun
    expected = [] if last else ["dropped content[1].state", "dropped content[2].state"]
    assert losses == [f"{loss.kind} {loss.path}" for loss in whole.losses] == expected


TEXTS = st.text(min_size=1, max_size=5)
PARTS: st.SearchStrategy[Part] = st.one_of(
    st.builds(TextPart, TEXTS),
    st.builds(ReasoningPart, TEXTS, st.just(OURS)),
    st.builds(ToolCallPart, st.sampled_from(["toolu_1", "toolu_2"]), st.just("t"), st.just('{"a":1}')),
    st.just(ReasoningPart("", OURS, redacted=True)),
    st.just(OpaquePart("anthropic_messages", "x_result", {"type": "x_result"})),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(PARTS, max_size=4), st.randoms(use_true_random=False))
def test_any_legal_stream_is_written_legally_and_comes_back(parts: list[Part], dice: Any) -> None:
    if any(isinstance(part, TextPart) for part in parts):  # a thought that would end it has a test of its own
        while isinstance(parts[-1], ReasoningPart) and parts[-1].redacted:
            parts.pop()
    calls = any(isinstance(part, ToolCallPart) for part in parts)
    answer = GenerateResponse(
        "msg_1", "m", (Choice(tuple(parts), Finish("tool_calls" if calls else "stop")),), Usage(1, output_tokens=2)
    )
    events = shuffle(replay(answer), dice)
    check_stream(events)
    records, losses = encode(*events)
    assert not losses
    assert records[-1] == {"type": "message_stop"}
    encoder, decoder = StreamEncoder(), StreamDecoder()
    again = decoder.feed(encoder.feed(events)) + decoder.close()
    check_stream(again)
    assert assemble(again) == answer
    assert encode_response(assemble(again)) == encode_response(answer)


def shuffle(events: list[ev.StreamEvent], dice: Any) -> list[ev.StreamEvent]:
    """The same stream with its parts interleaved; they begin in order, as parts do."""
    lanes: dict[int, list[ev.StreamEvent]] = {}
    for event in events:
        index: int | None = getattr(event, "index", None)
        if index is not None:
            lanes.setdefault(index, []).append(event)
    mixed = [lane.pop(0) for _, lane in sorted(lanes.items())]
    while any(lanes.values()):
        mixed.append(lanes[dice.choice([key for key, lane in lanes.items() if lane])].pop(0))
    return [events[0], *mixed, *(event for event in events[1:] if not hasattr(event, "index"))]


@pytest.mark.parametrize("early", [True, False])
def test_usage_may_come_before_or_after_the_finish(early: bool) -> None:
    ending = [FINISH[1], FINISH[0], FINISH[2]] if early else FINISH
    records, _ = encode(BEGIN, *ending)
    assert records[-2]["usage"]["output_tokens"] == 11


def test_log_probabilities_of_a_further_choice_are_lost_with_it() -> None:
    encoder = StreamEncoder()
    encoder.feed([ev.Started("msg_1", "m"), ev.LogprobsAdded({"content": []}, 1)])
    assert [loss.path for loss in encoder.losses] == ["choices[1]"]


def test_what_hangs_on_a_text_that_is_never_told_is_lost_by_name() -> None:
    encoder = StreamEncoder()
    empty = TextPart("", extras={"openai_chat": {"x_new": 1}})
    encoder.feed([ev.Started("msg_1", "m"), ev.PartStarted(0, empty), ev.PartFinished(0)])
    assert [loss.path for loss in encoder.losses] == ["content[0].x_new"]


def test_a_search_of_another_provider_is_told_whole_when_its_addresses_are_known() -> None:
    action = '{"query":"x","sources":[{"url":"https://a"}]}'
    call = ToolCallPart("ws_1", "web_search", "", "hosted")
    cited = TextPart("Found.", citations=(Citation("openai_responses", {}, "https://a", "A", None, 0, 5),))
    begun = [
        ev.PartStarted(0, call),
        ev.ArgumentsDelta(0, action[:9]),
        ev.ArgumentsDelta(0, action[9:]),
        ev.PartFinished(0),
    ]
    records, losses = encode(BEGIN, *begun, *tell(cited, index=1), *FINISH)
    assert [block["type"] for block in blocks(records)] == ["server_tool_use", "web_search_tool_result", "text"]
    assert blocks(records)[0]["input"] == {"query": "x"}
    assert losses == ["approximated content[0]", "approximated content[1].citations"]


def test_our_own_server_calls_stream_their_input() -> None:
    call = ToolCallPart("srvtoolu_1", "web_search", '{"query":"x"}', "hosted", extras={"anthropic_messages": {}})
    records, losses = encode(BEGIN, *tell(call), *FINISH)
    assert blocks(records) == [{"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}]
    assert (deltas(records)[0]["partial_json"], losses) == ('{"query":"x"}', [])
