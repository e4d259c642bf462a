from typing import Any

from anykey.conversation import events as ev
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import OpaquePart, ReasoningPart, RefusalPart, TextPart, ToolCallPart
from anykey.protocols.openai_responses.stream_decoding_items import ItemDecoder
from tests.unit.protocols.openai_responses.wire import message, text

NOTES: list[dict[str, Any]] = [{"type": "url_citation", "url": f"https://{n}"} for n in "ab"]


class Told:
    """One item's decoder with what it told."""

    def __init__(self) -> None:
        self.events: list[ev.StreamEvent] = []
        self.log = LossLog("response")
        self._next = 0
        self.item = ItemDecoder(self.events.append, self._number, self.log)

    def _number(self) -> int:
        self._next += 1
        return self._next - 1

    @property
    def codes(self) -> list[str]:
        return [loss.code for loss in self.log.losses]


def test_each_content_is_a_part() -> None:
    told = Told()
    told.item.begin(message())
    told.item.text(0, "a", None)
    told.item.refusal(1, "no")
    told.item.finish(message(text("a"), {"type": "refusal", "refusal": "no!"}))
    marks = {"openai_responses": {"message": {"id": "msg_1"}}}
    assert told.events == [
        ev.PartStarted(0, TextPart("", extras=marks)),
        ev.TextDelta(0, "a"),
        ev.PartStarted(1, RefusalPart("", marks)),
        ev.RefusalDelta(1, "no"),
        ev.RefusalDelta(1, "!"),
        ev.PartFinished(0),
        ev.PartFinished(1),
    ]
    assert told.item.refused


def test_annotations_are_told_once() -> None:
    told = Told()
    told.item.text(0, "a", None)
    told.item.annotate(0, NOTES[0])
    told.item.finish_content(0, text("a", *NOTES))
    told.item.finish(message(text("a", *NOTES)))
    citations = [event.citation.url for event in told.events if isinstance(event, ev.CitationAdded)]
    assert citations == ["https://a", "https://b"]


def test_what_is_known_of_a_message_only_at_its_end_is_told_then() -> None:
    told = Told()
    told.item.text(0, "a", None)
    told.item.finish(message(text("a"), phase="final_answer"))
    late = {"openai_responses": {"message": {"id": "msg_1", "phase": "final_answer"}}}
    assert told.events[-1] == ev.PartFinished(0, 0, late)


def test_a_last_word_that_differs_is_a_loss() -> None:
    told = Told()
    told.item.text(0, "abc", None)
    told.item.finish(message(text("xyz"), id=None))
    assert [type(event) for event in told.events] == [ev.PartStarted, ev.TextDelta, ev.PartFinished]
    assert told.codes == ["approximated:content"]


def test_what_comes_after_the_end_is_a_loss() -> None:
    told = Told()
    told.item.text(0, "a", None)
    told.item.begin({"type": "function_call", "call_id": "c", "name": "f", "arguments": ""})
    told.item.finish(None)
    told.item.text(0, "b", None)
    told.item.fragment("x")
    assert told.codes == ["dropped:content", "dropped:content.arguments"]


def test_thoughts_in_the_open_are_thoughts() -> None:
    told = Told()
    told.item.begin({"type": "reasoning", "id": "rs_1", "summary": [], "content": []})
    told.item.begin_content(0, {"type": "reasoning_text", "text": ""})
    told.item.raw_thought("so")
    told.item.finish_content(0, {"type": "reasoning_text", "text": "so"})
    content = [{"type": "reasoning_text", "text": "so"}]
    told.item.finish({"type": "reasoning", "id": "rs_1", "summary": [], "content": content})
    assert told.events == [
        ev.PartStarted(0, ReasoningPart("", extras={"openai_responses": {"id": "rs_1"}})),
        ev.ReasoningDelta(0, "so"),
        ev.PartFinished(0, 0, {"openai_responses": {"summary": [], "content": content}}),
    ]


def test_a_custom_call_streams_its_text() -> None:
    told = Told()
    told.item.begin({"type": "custom_tool_call", "call_id": "c", "name": "f", "input": ""})
    told.item.fragment("a")
    told.item.complete_arguments("ab")
    told.item.finish(
        {"type": "custom_tool_call", "call_id": "c", "name": "f", "input": "ab", "caller": {"type": "direct"}}
    )
    assert told.events == [
        ev.PartStarted(0, ToolCallPart("c", "f", "", "custom")),
        ev.ArgumentsDelta(0, "a"),
        ev.ArgumentsDelta(0, "b"),
        ev.PartFinished(0, 0, {"openai_responses": {"caller": {"type": "direct"}}}),
    ]
    assert told.item.is_call


def test_other_items_are_told_when_they_are_done() -> None:
    told = Told()
    item = {"type": "shell_call", "call_id": "c", "action": {"commands": ["ls"]}}
    told.item.begin({**item, "action": {"commands": []}})
    assert not told.events
    told.item.finish(item)
    told.item.finish(item)
    call = ToolCallPart("c", "shell", '{"commands":["ls"]}', "shell")
    assert told.events == [ev.PartStarted(0, call), ev.PartFinished(0)]
    assert told.item.is_call


def test_contents_nobody_knows_are_kept() -> None:
    told = Told()
    told.item.finish(message({"type": "output_audio", "data": "x"}, id=None))
    opened = told.events[0]
    assert isinstance(opened, ev.PartStarted)
    assert isinstance(opened.part, OpaquePart)
