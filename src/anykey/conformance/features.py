"""The table of features: what is asked, and how its answer is judged.

The questions are worded so that a capable model can hardly go wrong, and so that anykey's demo model obeys them too.
"""

from __future__ import annotations

from typing import NamedTuple

from anykey.conformance import judging, probes, samples
from anykey.conformance.probes import Probe, asked
from anykey.conformance.records import Mode, Verdict
from anykey.conversation.message import Message
from anykey.conversation.parts import CacheHint, MediaPart, TextPart, ToolResultPart
from anykey.conversation.request import GenerateRequest, OutputFormat, Reasoning
from anykey.conversation.response import GenerateResponse
from anykey.conversation.tools import Tool, ToolChoice

ENOUGH_TOKENS = 1024
"""For an answer of a sentence, after some thinking."""
THINKING_TOKENS = 4096
SHORT_LIMIT = 16
"""The least that Responses takes."""

WHOLE: tuple[Mode, ...] = ("whole",)
BOTH: tuple[Mode, ...] = ("whole", "stream")
PAGE = samples.long_text(f"The code of the weather station is {samples.STATION_CODE}.")
RESULT = PAGE.replace(". ", ".\n", 1)


class Feature(NamedTuple):
    """``required``: to refuse it is to fail."""

    name: str
    probe: Probe
    modes: tuple[Mode, ...] = BOTH
    required: bool = False


def question(model: str, text: str) -> GenerateRequest:
    """One plain question."""
    return GenerateRequest(model, (_user(TextPart(text)),), max_output_tokens=ENOUGH_TOKENS)


def _greeting(model: str) -> GenerateRequest:
    return question(model, "Greet me in one short sentence.")


def _system(model: str) -> GenerateRequest:
    order = samples.long_text(f"Begin every answer with the word {samples.CODEWORD}. The rest is an example of prose.")
    return GenerateRequest(
        model, _greeting(model).messages, instructions=(TextPart(order),), max_output_tokens=ENOUGH_TOKENS
    )


def _conversation(model: str) -> GenerateRequest:
    told = samples.long_text(f"The name of my boat is {samples.CODEWORD}. Here is where it lies.")
    said = (_user(TextPart(told)), Message("assistant", (TextPart("A fine boat."),)))
    return GenerateRequest(
        model, (*said, _user(TextPart("What is its name? One word."))), max_output_tokens=ENOUGH_TOKENS
    )


def _tool(model: str) -> GenerateRequest:
    text = 'What is the weather in Oslo? Please call get_weather {"city": "Oslo"}.'
    return _with_tools(model, text, (samples.WEATHER,), ToolChoice("named", (samples.WEATHER.name,)))


def _parallel(model: str) -> GenerateRequest:
    text = (
        'I need both in one go, so make two calls at the same time: call get_weather {"city": "Oslo"} '
        'and call get_time {"city": "Oslo"}.'
    )
    request = _with_tools(model, text, (samples.WEATHER, samples.TIME), ToolChoice("required"))
    return GenerateRequest(
        model,
        request.messages,
        tools=request.tools,
        tool_choice=request.tool_choice,
        parallel_tool_calls=True,
        max_output_tokens=ENOUGH_TOKENS,
    )


def _thinking(model: str) -> GenerateRequest:
    text = 'Think about which tool fits, then call get_weather {"city": "Oslo"}.'
    return GenerateRequest(
        model,
        (_user(TextPart(text)),),
        tools=(samples.WEATHER,),
        reasoning=Reasoning(effort="low"),
        max_output_tokens=THINKING_TOKENS,
    )


def _schema(model: str) -> GenerateRequest:
    form = OutputFormat("json_schema", samples.ANSWER_SCHEMA, "answer", strict=True)
    text = "How many legs has a horse? Give the answer as a sentence, and the count."
    return GenerateRequest(model, (_user(TextPart(text)),), output_format=form, max_output_tokens=ENOUGH_TOKENS)


def _image(model: str) -> GenerateRequest:
    picture = MediaPart("image", "image/png", data=samples.red_square())
    return GenerateRequest(
        model, (_user(picture, TextPart("Which colour is this? One word.")),), max_output_tokens=ENOUGH_TOKENS
    )


def _document(model: str) -> GenerateRequest:
    page = MediaPart("document", "application/pdf", data=samples.one_page(PAGE), title="station.pdf")
    return GenerateRequest(
        model, (_user(page, TextPart("Which code does the page name?")),), max_output_tokens=ENOUGH_TOKENS
    )


def _stop(model: str) -> GenerateRequest:
    text = "Repeat this line and nothing else: one two three four five"
    return GenerateRequest(model, (_user(TextPart(text)),), stop=("four",), max_output_tokens=ENOUGH_TOKENS)


def _limit(model: str) -> GenerateRequest:
    text = "Tell me a long 300 word story about the sea."
    return GenerateRequest(model, (_user(TextPart(text)),), max_output_tokens=SHORT_LIMIT)


def _cached(model: str) -> GenerateRequest:
    prefix = TextPart(samples.long_text("Here is some prose.", samples.PREFIX_WORDS), cache=CacheHint())
    return GenerateRequest(
        model,
        (_user(prefix, TextPart("Say yes.")),),
        cache_key="anykey-conformance",
        max_output_tokens=ENOUGH_TOKENS,
    )


def _counted(model: str) -> GenerateRequest:
    return question(model, samples.long_text("Please read this."))


def _custom(model: str) -> GenerateRequest:
    text = "Keep this as a note: call write_note The sea is calm today."
    return _with_tools(model, text, (samples.NOTE,), ToolChoice("named", (samples.NOTE.name,), custom=True))


def _namespace(model: str) -> GenerateRequest:
    return _with_tools(model, "Find Oslo in the atlas.", (samples.FIND,), ToolChoice("required"))


def _with_tools(model: str, text: str, tools: tuple[Tool, ...], choice: ToolChoice) -> GenerateRequest:
    return GenerateRequest(
        model, (_user(TextPart(text)),), tools=tools, tool_choice=choice, max_output_tokens=ENOUGH_TOKENS
    )


def _user(*parts: TextPart | MediaPart) -> Message:
    return Message("user", parts)


_TOLD = ToolResultPart("", (TextPart(RESULT),))
_FAILED = ToolResultPart("", (TextPart(RESULT),), is_error=True)
_SHOWN = ToolResultPart("", (TextPart(RESULT), MediaPart("image", "image/png", data=samples.red_square())))


def _read_codeword(response: GenerateResponse) -> Verdict:
    return judging.read(response, samples.CODEWORD, samples.LONG_TOKENS)


def _read_code(response: GenerateResponse) -> Verdict:
    return judging.read(response, samples.STATION_CODE, samples.LONG_TOKENS)


FEATURES: tuple[Feature, ...] = (
    Feature("text", asked(_greeting, judging.says_something), required=True),
    Feature("system", asked(_system, _read_codeword), required=True),
    Feature("multi_turn", asked(_conversation, _read_codeword), required=True),
    Feature("tool", asked(_tool, lambda response: judging.called(response, "get_weather"))),
    Feature(
        "parallel_tools", asked(_parallel, lambda response: judging.called_all(response, "get_weather", "get_time"))
    ),
    Feature("tool_result", probes.answered(_tool, _TOLD, _read_code)),
    Feature("tool_result_image", probes.answered(_tool, _SHOWN, _read_code, "messages")),
    Feature("tool_result_error", probes.answered(_tool, _FAILED, _read_code)),
    Feature("thinking", probes.thinking(_thinking, _TOLD)),
    Feature("structured_output", asked(_schema, judging.kept_to_schema)),
    Feature("image", asked(_image, lambda response: judging.saw(response, "red", samples.LONG_TOKENS))),
    Feature("pdf", asked(_document, lambda response: judging.saw(response, samples.STATION_CODE, samples.LONG_TOKENS))),
    Feature("stop", asked(_stop, lambda response: judging.stopped_before(response, "four", "three"), "stop")),
    Feature("limit", asked(_limit, lambda response: judging.kept_to_limit(response, SHORT_LIMIT))),
    Feature("cached_usage", probes.cached(_cached)),
    Feature("custom_tool", asked(_custom, lambda response: judging.wrote_freely(response, "write_note"), "tools")),
    Feature(
        "namespace_tool", asked(_namespace, lambda response: judging.called_within(response, "atlas", "find"), "tools")
    ),
    Feature("unknown_model", probes.unknown_model(_greeting), required=True),
    Feature("wrong_key", probes.wrong_key(_greeting), required=True),
    Feature("wrong_field", probes.wrong_field(_greeting), required=True),
    Feature("count_tokens", probes.counted(_counted, samples.LONG_TOKENS), WHOLE),
    Feature("models", probes.listed_models, WHOLE),
)
