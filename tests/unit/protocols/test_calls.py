"""Calls as the caller knows them: names given back, texts unwrapped."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.conversation import events as ev
from anykey.conversation.assembly import assemble, replay
from anykey.conversation.losses import Loss
from anykey.conversation.message import Message
from anykey.conversation.parts import Part, TextPart, ToolCallKind, ToolCallPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import Choice, Finish, GenerateResponse
from anykey.conversation.tools import CustomTool, FunctionTool, HostedTool, Tool
from anykey.conversation.verify import check_stream
from anykey.protocols.calls import CallMap
from anykey.protocols.names import sent_name

LONG = "mcp__a_server_with_a_long_name__" + "tool_" * 24
PATCH = CustomTool("patch", "Applies a patch.")
READ = FunctionTool("read")


def calls_of(*tools: Tool) -> CallMap:
    return CallMap(GenerateRequest("m", (), tools=tools))


def answer(*parts: Part, index: int = 0) -> GenerateResponse:
    return GenerateResponse("1", "m", (Choice(parts, Finish("tool_calls"), index),))


class Told:
    """A stream decoder that tells these events, one at each read and the last at the close."""

    def __init__(self, events: list[ev.StreamEvent]) -> None:
        self.losses = [Loss("dropped", "first", "it was here before", "response")]
        self._events = events

    def feed(self, data: bytes) -> list[ev.StreamEvent]:
        del data
        return [self._events.pop(0)]

    def close(self) -> list[ev.StreamEvent]:
        events, self._events = self._events, []
        return events


def streamed(calls: CallMap, events: list[ev.StreamEvent]) -> tuple[list[ev.StreamEvent], list[str]]:
    """The events that the caller is told, and the paths of the losses after the one that the decoder inside had."""
    decoder = calls.stream_decoder(Told(list(events)))
    told = [event for _ in events[:-1] for event in decoder.feed(b"")]
    told += decoder.close()
    check_stream(told)
    return told, [loss.path for loss in decoder.losses[1:]]


@pytest.mark.parametrize("limit", [64, 128])
def test_the_caller_gets_its_own_names_back(limit: int) -> None:
    call = Message("assistant", (ToolCallPart("1", "old.tool", "{}"),))
    calls = CallMap(GenerateRequest("m", (call,), tools=(READ, FunctionTool(LONG))))
    assert calls.original(sent_name(LONG, limit)) == (None, LONG)
    assert calls.original(sent_name("old.tool", limit)) == (None, "old.tool")
    assert calls.original("read") == (None, "read")
    sent = answer(TextPart("a"), ToolCallPart("1", sent_name(LONG, limit), "{}"), ToolCallPart("2", "read", "{}"))
    wanted = answer(TextPart("a"), ToolCallPart("1", LONG, "{}"), ToolCallPart("2", "read", "{}"))
    assert calls.response(sent) == (wanted, ())
    told, losses = streamed(calls, replay(sent))
    assert (assemble(told), losses) == (wanted, [])


def test_a_request_of_plain_tools_needs_no_map() -> None:
    calls = calls_of(READ, HostedTool("openai_chat", "web", None, {}))
    decoder, sent = Told([]), answer(ToolCallPart("1", "read", "{}"))
    assert not calls
    assert calls.stream_decoder(decoder) is decoder
    assert calls.response(sent).value is sent
    assert calls_of(FunctionTool("x" * 70))
    assert calls_of(PATCH)


@given(text=st.text(), sizes=st.lists(st.integers(1, 7), min_size=1))
def test_a_free_text_call_is_told_with_its_text(text: str, sizes: list[int]) -> None:
    calls, wire = calls_of(PATCH, READ), json.dumps({"input": text})
    wanted = answer(ToolCallPart("1", "patch", text, "custom"), ToolCallPart("2", "read", wire))
    sent = answer(ToolCallPart("1", "patch", wire), ToolCallPart("2", "read", wire))
    assert calls.response(sent) == (wanted, ())
    events: list[ev.StreamEvent] = [ev.Started("1", "m")]
    events += [
        ev.PartStarted(at, ToolCallPart(name, tool, "")) for at, name, tool in ((0, "1", "patch"), (1, "2", "read"))
    ]
    at = turn = 0
    while at < len(wire):  # both calls in turn, as Chat interleaves them
        fragment = wire[at : at + sizes[turn % len(sizes)]]
        events += [ev.ArgumentsDelta(0, fragment), ev.ArgumentsDelta(1, fragment)]
        at, turn = at + len(fragment), turn + 1
    events += [ev.PartFinished(0), ev.PartFinished(1), ev.ChoiceFinished(Finish("tool_calls")), ev.Ended()]
    told, losses = streamed(calls, events)
    assert (assemble(told), losses) == (wanted, [])


def test_its_changed_name_and_its_text_are_both_given_back() -> None:
    sent = answer(ToolCallPart("1", sent_name(LONG), '{"input":"a"}'))
    assert calls_of(CustomTool(LONG)).response(sent) == (answer(ToolCallPart("1", LONG, "a", "custom")), ())


def test_arguments_that_come_with_the_call_are_read_too() -> None:
    begun = ev.PartStarted(0, ToolCallPart("1", "patch", '{"input":"a'))
    rest = [ev.ArgumentsDelta(0, 'b"}'), ev.PartFinished(0), ev.ChoiceFinished(Finish("tool_calls")), ev.Ended()]
    told, losses = streamed(calls_of(PATCH), [ev.Started("1", "m"), begun, *rest])
    assert told[1:4] == [
        ev.PartStarted(0, ToolCallPart("1", "patch", "", "custom")),
        ev.ArgumentsDelta(0, "a"),
        ev.ArgumentsDelta(0, "b"),
    ]
    assert losses == []


@pytest.mark.parametrize(("arguments", "text"), [("just text", "just text"), ('{"z":1,"input":"a"}', "a"), ("", "")])
def test_other_arguments_are_a_loss(arguments: str, text: str) -> None:
    calls, sent = calls_of(PATCH), answer(TextPart("a"), ToolCallPart("1", "patch", arguments), index=2)
    value, losses = calls.response(sent)
    assert value == answer(TextPart("a"), ToolCallPart("1", "patch", text, "custom"), index=2)
    assert [(loss.kind, loss.path, loss.side) for loss in losses] == [
        ("approximated", "choices[2].parts[1].arguments", "response")
    ]
    told, paths = streamed(calls, replay(sent))
    assert (assemble(told), paths) == (value, ["choices[2].parts[1].arguments"])


def test_a_legacy_call_is_a_call_too() -> None:
    sent = answer(ToolCallPart("1", "patch", '{"input":"a"}', "legacy_function"))
    assert calls_of(PATCH).response(sent).value == answer(ToolCallPart("1", "patch", "a", "custom"))


@pytest.mark.parametrize("kind", ["custom", "hosted"])
def test_a_call_that_was_told_with_its_text_or_not_to_the_caller_stays(kind: ToolCallKind) -> None:
    sent = answer(ToolCallPart("1", "patch", '{"input":"a"}', kind))
    assert calls_of(PATCH).response(sent) == (sent, ())
    told, losses = streamed(calls_of(PATCH), replay(sent))
    assert (assemble(told), losses) == (sent, [])
