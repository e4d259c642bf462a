"""The rows of the matrix: what is said, what must have reached the upstream, and what the client's SDK must tell."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

from tests.conformance.matrix.cell import Cell
from tests.conformance.matrix.spoken import (
    ORDINARY,
    Answer,
    Ask,
    Call,
    Item,
    Medium,
    Result,
    Source,
    Text,
    Tool,
    Usage,
    numbered,
)
from tests.fakes.agents import GEMINI, RESPONSES
from tests.fakes.answers import CHAT, MESSAGES

Feature = Callable[[Cell], Awaitable[None]]
FEATURES: dict[str, Feature] = {}

HELLO = "Grüße 😀 from here"
BEGUN = "It begins and does not end."
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CLOSED = {**SCHEMA, "additionalProperties": False}
WEATHER = Tool("get_weather", "The weather.", SCHEMA)
PARIS, ROME = Call("get_weather", {"city": "Paris"}, "call_1"), Call("get_weather", {"city": "Rome"}, "call_2")
PNG = Medium("image/png", base64.b64encode(b"\x89PNG\r\n\x1a\n\xfb\xef\xff\xfe").decode())
PDF = Medium("application/pdf", base64.b64encode(b"%PDF-1.7\n\xfb\xef\xff\xfe").decode())
PATCH = '*** Begin Patch\n+ print("Grüße 😀")\n*** End Patch'


def feature(name: str) -> Callable[[Feature], Feature]:
    """Enter a row, in the order of this file."""

    def enter(run: Feature) -> Feature:
        FEATURES[name] = run
        return run

    return enter


def user(*items: Item | str) -> tuple[Item, ...]:
    return tuple(Text("user", item) if isinstance(item, str) else item for item in items)


@feature("text")
async def text(cell: Cell) -> None:
    told = await cell.say(Ask(says=user("hi")), Answer(text=HELLO))
    cell.carries("the question", cell.heard.items, [Text("user", "hi")])
    cell.carries("the answer", (told.text, told.end, told.usage), (HELLO, "stop", ORDINARY))


@feature("system")
async def system(cell: Cell) -> None:
    told = await cell.say(Ask(says=user("hi"), system="Be brief. 😀"), Answer(text=HELLO))
    cell.carries("the system text", cell.heard.system, "Be brief. 😀")
    assert cell.heard.items == [Text("user", "hi")]
    assert told.text == HELLO


@feature("multi-turn")
async def multi_turn(cell: Cell) -> None:
    await cell.say(Ask(says=user("one")), Answer(text="First."))
    await cell.say(Ask(says=user("two")), Answer(text="Second."))
    told = await cell.say(Ask(says=user("three")), Answer(text="Third."))
    said = [("user", "one"), ("model", "First."), ("user", "two"), ("model", "Second."), ("user", "three")]
    cell.carries("the history", cell.heard.items, [Text(*turn) for turn in said])
    assert told.text == "Third."


@feature("parallel tools")
async def parallel_tools(cell: Cell) -> None:
    answer = Answer(text="Looking.", calls=(PARIS, ROME), end="tool_calls")
    told = await cell.say(Ask(says=user("Weather?"), tools=(WEATHER,)), answer)
    cell.carries("the tool", cell.heard.tools, [WEATHER])
    cell.carries("the calls", numbered([*told.calls]), numbered([PARIS, ROME]))
    assert (told.text, told.end) == ("Looking.", "tool_calls")
    one, two = told.calls
    results = (Result(one.id, "sun"), Result(two.id, "rain"))
    second = await cell.say(Ask(says=results, tools=(WEATHER,)), Answer(text="Sun and rain."))
    calls = [PARIS, ROME, Result(PARIS.id, "sun"), Result(ROME.id, "rain")]
    history = [Text("user", "Weather?"), Text("model", "Looking."), *calls]
    cell.carries("the results", numbered(cell.heard.items), numbered(history))
    assert second.text == "Sun and rain."


async def _result_of(cell: Cell, result: Result) -> list[Item]:
    """Have the model call a tool, and give it ``result``: what reached the upstream after the call."""
    told = await cell.say(Ask(says=user("Weather?"), tools=(WEATHER,)), Answer(calls=(PARIS,), end="tool_calls"))
    (call,) = told.calls
    answer = await cell.say(Ask(says=(result._replace(id=call.id),), tools=(WEATHER,)), Answer(text=HELLO))
    assert answer.text == HELLO
    question, called, *rest = numbered(cell.heard.items)
    assert (question, called) == (Text("user", "Weather?"), PARIS._replace(id="#0"))
    return rest


@feature("tool result with image")
async def result_with_image(cell: Cell) -> None:
    first, *rest = await _result_of(cell, Result("", "A map.", medium=PNG))
    assert isinstance(first, Result)
    assert (first.id, first.error) == ("#0", False)
    shown = [first.medium, *(item for item in rest if isinstance(item, Medium))]
    cell.carries("the text", first.text.startswith("A map."), True)
    cell.carries("the image", [medium for medium in shown if medium], [PNG])


@feature("tool result with error")
async def result_with_error(cell: Cell) -> None:
    result = await _result_of(cell, Result("", "No such city.", error=True))
    cell.carries("the error", result, [Result("#0", "No such city.", error=True)])


@feature("thinking over three tool turns")
async def thinking(cell: Cell) -> None:
    states = [base64.b64encode(b"\xfb\xef\xff state of turn %d" % turn).decode() for turn in range(3)]
    says = user("Weather?")
    for turn, state in enumerate(states):
        call = PARIS._replace(id=f"call_{turn}")
        answer = Answer(thought=f"I think {turn}.", state=state, calls=(call,), end="tool_calls")
        told = await cell.say(Ask(says=says, tools=(WEATHER,), thinks=True), answer)
        assert cell.heard.thinks
        cell.carries("the thought", told.thought, f"I think {turn}.")
        says = (Result(told.calls[0].id, "done"),)
    await cell.say(Ask(says=says, tools=(WEATHER,), thinks=True), Answer(text=HELLO))
    cell.carries("the states", cell.heard.states, states)
    if cell.upstream != GEMINI:  # which wants its signatures alone
        cell.carries("the thoughts", cell.heard.thoughts, [f"I think {turn}." for turn in range(3)])
    assert cell.heard.thinks
    assert sum(isinstance(item, Call) for item in cell.heard.items) == 3


@feature("structured output")
async def structured_output(cell: Cell) -> None:
    told = await cell.say(Ask(says=user("Where?"), schema=CLOSED), Answer(text='{"city": "Köln"}'))
    cell.carries("the schema", cell.heard.schema, CLOSED)
    assert json.loads(told.text) == {"city": "Köln"}


@feature("image")
async def image(cell: Cell) -> None:
    told = await cell.say(Ask(says=user(PNG)), Answer(text=HELLO))
    cell.carries("the image", cell.heard.items, [PNG])
    assert told.text == HELLO


@feature("PDF")
async def pdf(cell: Cell) -> None:
    told = await cell.say(Ask(says=user(PDF)), Answer(text=HELLO))
    cell.carries("the PDF", cell.heard.items, [PDF])
    assert told.text == HELLO


@feature("stop")
async def stop(cell: Cell) -> None:
    """An upstream without stop sequences says more than was wanted; the gateway keeps it."""
    native = cell.upstream != RESPONSES
    said = Answer(text="one two ", end="stop_sequence", stop="END") if native else Answer(text="one two END three")
    told = await cell.say(Ask(says=user("count"), stop=("END",)), said)
    cell.carries("the sequence", cell.heard.stop, ("END",) if native else ())
    assert told.text == "one two "
    # Only Messages has a word for it, where the upstream has one too or the gateway saw it itself.
    word = cell.client == MESSAGES and cell.upstream in (MESSAGES, RESPONSES)
    cell.carries("the end", (told.end, told.stop), ("stop_sequence", "END") if word else ("stop", None))


@feature("limit")
async def limit(cell: Cell) -> None:
    told = await cell.say(Ask(says=user("count"), limit=77), Answer(text="one two", end="length"))
    cell.carries("the limit", cell.heard.limit, 77)
    assert (told.text, told.end) == ("one two", "length")


@feature("refusal")
async def refusal(cell: Cell) -> None:
    told = await cell.say(Ask(says=user("Do harm.")), Answer(text="I will not.", end="refusal"))
    cell.carries("the end", told.end, "refusal")
    cell.carries("the words", told.refusal or told.text, "I will not.")


@feature("cached usage")
async def cached_usage(cell: Cell) -> None:
    usage = Usage(read=100, written=5, cached=60)
    told = await cell.say(Ask(says=user("hi")), Answer(text=HELLO, usage=usage))
    cell.carries("the usage", told.usage, usage)


@feature("error before the answer")
async def error_before(cell: Cell) -> None:
    fault = await cell.fails(Ask(says=user("hi")), cell.failure(429, "Slow down, please."))
    kind = "ClientError" if cell.client == GEMINI else "RateLimitError"
    cell.carries("the exception", (fault.kind, fault.status), (kind, 429))
    assert "Slow down, please." in fault.message


@feature("error in the answer")
async def error_within(cell: Cell) -> None:
    """A stream that ends in an error, a whole answer that ends too early."""
    fault = await cell.fails(Ask(says=user("hi")), cell.breaking(Answer(text=BEGUN), "The model fell over."))
    cell.carries("the exception", fault.kind, WITHIN[cell.client][cell.stream])
    assert fault.message
    if cell.stream:
        assert "The model fell over." in fault.message
    else:
        assert fault.status == 502


WITHIN = {
    CHAT: ("InternalServerError", "APIError"),
    RESPONSES: ("InternalServerError", "FailedError"),
    MESSAGES: ("InternalServerError", "APIStatusError"),
    GEMINI: ("ServerError", "ServerError"),
}
"""The exception of each SDK: (in a whole answer, in a stream)."""


@feature("cancellation")
async def cancellation(cell: Cell) -> None:
    begun = asyncio.Event()
    gone: asyncio.Future[float | None] = asyncio.get_running_loop().create_future()
    async with cell.asking(Ask(says=user("hi")), cell.lingering(Answer(text=BEGUN), begun, gone)) as task:
        await asyncio.wait_for(begun.wait(), 5)
        await asyncio.sleep(0.02)
        assert not task.done()
    cell.carries("the upstream was let go", await asyncio.wait_for(gone, 6) is not None, True)


@feature("count tokens")
async def count_tokens(cell: Cell) -> None:
    """Asked of the upstream where it can count, else estimated."""
    counted = await cell.count(Ask(says=user("How many tokens are these?")), 4321)
    if cell.upstream == CHAT:
        cell.carries("an estimate", 3 < counted < 30, True)
    else:
        cell.carries("the count", counted, 4321)
        assert cell.heard.items == [Text("user", "How many tokens are these?")]


@feature("custom tool")
async def custom_tool(cell: Cell) -> None:
    """Free text, or a function with one text where the upstream has functions only."""
    native = cell.upstream == RESPONSES
    tool = Tool("patch", "Applies it.", {}, custom=True)
    spelled = Call("patch", PATCH if native else {"input": PATCH}, "call_1")
    told = await cell.say(Ask(says=user("Patch."), tools=(tool,)), Answer(calls=(spelled,), end="tool_calls"))
    (asked,) = cell.heard.tools
    assert (asked.name, asked.custom) == ("patch", native)
    assert native or list(asked.parameters["properties"]) == ["input"]
    (call,) = told.calls
    cell.carries("the call", call, Call("patch", PATCH, call.id))
    await cell.say(Ask(says=(Result(call.id, "applied"),), tools=(tool,)), Answer(text=HELLO))
    history = [Text("user", "Patch."), spelled, Result("call_1", "applied")]
    cell.carries("the history", numbered(cell.heard.items), numbered(history))


@feature("namespace tool")
async def namespace_tool(cell: Cell) -> None:
    """Two tools of one name in two groups; an upstream without groups is told a name of its own for each."""
    tools = (WEATHER._replace(namespace="here"), WEATHER._replace(namespace="there"))
    native = cell.upstream == RESPONSES
    names = [("get_weather", "here"), ("get_weather", "there")]
    names = names if native else [(f"{space}__{name}", "") for name, space in names]
    calls = tuple(Call(name, {"city": "Paris"}, f"call_{name}_{space}", space) for name, space in names)
    told = await cell.say(Ask(says=user("Weather?"), tools=tools), Answer(calls=calls, end="tool_calls"))
    cell.carries("the tools", [(tool.name, tool.namespace) for tool in cell.heard.tools], names)
    got = [(call.name, call.namespace, call.arguments) for call in told.calls]
    cell.carries("the calls", got, [("get_weather", space, {"city": "Paris"}) for space in ("here", "there")])
    results = tuple(Result(call.id, call.namespace) for call in told.calls)
    await cell.say(Ask(says=results, tools=tools), Answer(text=HELLO))
    history = [
        Text("user", "Weather?"),
        *calls,
        *(Result(call.id, s) for call, s in zip(calls, ("here", "there"), strict=True)),
    ]
    cell.carries("the history", numbered(cell.heard.items), numbered(history))


@feature("citations")
async def citations(cell: Cell) -> None:
    said = "It rains in Köln 😀"
    source = Source("https://example.com/weather", "The weather", said)
    answer = Answer(text=f"Grüße 😀! {said}. Bye.", source=source)
    told = await cell.say(Ask(says=user("Weather?")), answer)
    assert [(told_source.url, told_source.title) for told_source in told.sources] == [source[:2]]
    cell.carries("the piece of text", told.sources, [source])
    assert told.text == answer.text
