"""Judgements of answers: what passes, what the gateway answers for, what is only unclear."""

from collections.abc import Callable

import pytest

from anykey.conformance import judging
from anykey.conversation.parts import Part, RefusalPart, TextPart, ToolCallPart
from anykey.conversation.response import Choice, Finish, FinishReason, GenerateResponse
from anykey.conversation.usage import Usage


def answer(*parts: Part, finish: FinishReason | None = "stop", read: int = 10, said: int = 5) -> GenerateResponse:
    ended = None if finish is None else Finish(finish)
    return GenerateResponse("r", "m", (Choice(parts, ended),), Usage(input_tokens=read, output_tokens=said))


def text(words: str, finish: FinishReason | None = "stop", read: int = 10, said: int = 5) -> GenerateResponse:
    return answer(TextPart(words), finish=finish, read=read, said=said)


def call(name: str, arguments: str = '{"city":"Oslo"}', identity: str = "c1") -> ToolCallPart:
    return ToolCallPart(identity, name, arguments)


CUSTOM = ToolCallPart("c1", "note", "calm", kind="custom")
CASES: list[tuple[Callable[[], judging.Verdict], str]] = [
    (lambda: judging.says_something(text("hi")), "pass"),
    (lambda: judging.says_something(text(" ")), "fail"),
    (lambda: judging.says_something(text("", "length")), "unclear"),
    (lambda: judging.says_something(GenerateResponse("r", "m", ())), "fail"),
    (lambda: judging.read(text("It is Meridian."), "MERIDIAN", 60), "pass"),
    (lambda: judging.read(text("No idea.", read=61), "MERIDIAN", 60), "pass"),
    (lambda: judging.read(text("No idea.", read=12), "MERIDIAN", 60), "fail"),
    (lambda: judging.read(text("", read=61), "MERIDIAN", 60), "fail"),
    (lambda: judging.saw(text("Red."), "red", 60), "pass"),
    (lambda: judging.saw(text("Nothing is rendered."), "red", 60), "unclear"),
    (lambda: judging.called(answer(call("f"), finish="tool_calls"), "f"), "pass"),
    (lambda: judging.called(answer(call("f"), finish="length"), "f"), "fail"),
    (lambda: judging.called(answer(call("g"), finish="tool_calls"), "f"), "fail"),
    (lambda: judging.called(answer(call("f", "{}"), finish="tool_calls"), "f"), "unclear"),
    (lambda: judging.called(text("I would rather not."), "f"), "fail"),
    (lambda: judging.called_all(answer(call("f"), call("g", identity="c2")), "f", "g"), "pass"),
    (lambda: judging.called_all(answer(call("f"), call("g")), "f", "g"), "fail"),
    (lambda: judging.called_all(answer(call("f")), "f", "g"), "unclear"),
    (lambda: judging.called_all(text("No."), "f"), "fail"),
    (lambda: judging.wrote_freely(answer(CUSTOM), "note"), "pass"),
    (lambda: judging.wrote_freely(answer(call("note")), "note"), "fail"),
    (lambda: judging.wrote_freely(answer(ToolCallPart("c", "note", " ", kind="custom")), "note"), "unclear"),
    (lambda: judging.wrote_freely(text("No."), "note"), "fail"),
    (lambda: judging.called_within(answer(ToolCallPart("c", "f", "{}", namespace="n")), "n", "f"), "pass"),
    (lambda: judging.called_within(answer(call("n__f")), "n", "f"), "fail"),
    (lambda: judging.called_within(text("No."), "n", "f"), "fail"),
    (lambda: judging.kept_to_schema(text('{"answer":"four","count":4}')), "pass"),
    (lambda: judging.kept_to_schema(text('{"answer":"four","count":4.5}')), "fail"),
    (lambda: judging.kept_to_schema(text('{"answer":"four"}')), "fail"),
    (lambda: judging.kept_to_schema(text("```json\n{}```")), "fail"),
    (lambda: judging.kept_to_schema(answer(RefusalPart("no"))), "unclear"),
    (lambda: judging.stopped_before(text("one two three "), "four", "three"), "pass"),
    (lambda: judging.stopped_before(text("three", "length"), "four", "three"), "fail"),
    (lambda: judging.stopped_before(text("three four"), "four", "three"), "fail"),
    (lambda: judging.stopped_before(text("Hello."), "four", "three"), "unclear"),
    (lambda: judging.kept_to_limit(text("Once", "length", said=16), 16), "pass"),
    (lambda: judging.kept_to_limit(text("Once", "length", said=200), 16), "fail"),
    (lambda: judging.kept_to_limit(text("The end.", "stop", said=4), 16), "unclear"),
    (lambda: judging.from_cache(text("x")), "unclear"),
    (
        lambda: judging.from_cache(GenerateResponse("r", "m", (), Usage(cache_read_tokens=1024))),
        "pass",
    ),
]


@pytest.mark.parametrize(("judge", "outcome"), CASES)
def test_an_answer_is_judged(judge: Callable[[], judging.Verdict], outcome: str) -> None:
    verdict = judge()
    assert verdict.outcome == outcome
    assert bool(verdict.reason) == (verdict != judging.PASS)


def test_a_pass_by_the_count_alone_says_so() -> None:
    assert judging.read(text("No idea.", read=61), "MERIDIAN", 60) == judging.COUNTED
    assert judging.saw(text("No idea.", read=61), "red", 60) == judging.COUNTED
    assert judging.saw(text("Red."), "red", 60) == judging.PASS


def test_hosted_calls_are_not_the_clients() -> None:
    hosted = ToolCallPart("c", "web_search", "{}", kind="hosted")
    assert judging.calls_of(answer(hosted, call("f"))) == [call("f")]
