"""The table of legal streams and requests."""

import pytest

from anykey.conversation import events as ev
from anykey.conversation.failures import Failure
from anykey.conversation.message import Message
from anykey.conversation.parts import MediaPart, OpaqueState, ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import Finish
from anykey.conversation.verify import IllegalRequest, IllegalStream, check_request, check_stream, open_tool_calls

START = ev.Started("i", "m")
TEXT = ev.PartStarted(0, TextPart(""))
DONE = ev.PartFinished(0)
FINISH = ev.ChoiceFinished(Finish("stop"))
END = ev.Ended()
CALL = ToolCallPart("c", "f", "")


@pytest.mark.parametrize(
    "events",
    [
        [START, FINISH, END],
        [ev.Heartbeat(), START, TEXT, ev.Heartbeat(), ev.TextDelta(0, "x"), DONE, FINISH, END],
        [
            START,
            ev.PartStarted(0, CALL),
            ev.PartStarted(1, CALL),
            ev.ArgumentsDelta(0, "{"),
            DONE,
            ev.PartFinished(1),
            FINISH,
            END,
        ],
        [START, ev.PartStarted(0, ReasoningPart("")), ev.StateDelta(0, OpaqueState("a", "b")), DONE, FINISH, END],
        [START, TEXT, ev.Broke(Failure("upstream_error", "x"))],
        [ev.Broke(Failure("upstream_error", "x"))],
        [
            START,
            TEXT,
            DONE,
            FINISH,
            ev.PartStarted(0, TextPart(""), 1),
            ev.PartFinished(0, 1),
            ev.ChoiceFinished(Finish("stop"), 1),
            END,
        ],
    ],
)
def test_legal(events: list[ev.StreamEvent]) -> None:
    check_stream(events)


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ([TEXT], "before Started"),
        ([START, START], "twice"),
        ([START, ev.TextDelta(0, "x")], "no open part"),
        ([START, TEXT, ev.ArgumentsDelta(0, "x")], "TextPart"),
        ([START, TEXT, TEXT], "opened twice"),
        ([START, DONE], "without an open part"),
        ([START, TEXT, FINISH], "open part"),
        ([START, FINISH, FINISH], "finished twice"),
        ([START, FINISH, TEXT], "after it finished"),
        ([START, END], "before every choice"),
        ([START, FINISH, ev.PartStarted(0, TextPart(""), 1), ev.PartFinished(0, 1), END], "before every choice"),
        ([START, FINISH, END, ev.Heartbeat()], "after the end"),
        ([START, FINISH], "does not end"),
    ],
)
def test_illegal(events: list[ev.StreamEvent], why: str) -> None:
    with pytest.raises(IllegalStream, match=why):
        check_stream(events)


def test_a_part_in_a_role_that_cannot_say_it_is_illegal() -> None:
    check_request(GenerateRequest("m", (Message("assistant", (CALL,)), Message("tool", (ToolResultPart("c"),)))))
    with pytest.raises(IllegalRequest, match="ToolCallPart in a user"):
        check_request(GenerateRequest("m", (Message("user", (CALL,)),)))


def test_a_medium_has_exactly_one_source() -> None:
    with pytest.raises(IllegalRequest, match="0 sources"):
        check_request(GenerateRequest("m", (Message("user", (MediaPart("image"),)),)))
    with pytest.raises(IllegalRequest, match="2 sources"):
        check_request(GenerateRequest("m", (Message("user", (MediaPart("image", data="x", url="y"),)),)))


def test_unanswered_calls_are_found_in_order() -> None:
    calls = Message("assistant", (ToolCallPart("a", "f", ""), ToolCallPart("b", "g", "")))
    assert open_tool_calls((calls, Message("tool", (ToolResultPart("a"),)))) == {"b": "g"}
