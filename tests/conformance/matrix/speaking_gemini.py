"""A program that speaks generateContent through the ``google-genai`` SDK, and sends back every part it was given."""

import base64
from typing import Any

from google.genai import types
from google.genai.errors import APIError

from tests.conformance.matrix.spoken import Ask, Call, Fault, Item, Medium, Result, Source, Text, Told, Usage

ENDS = {"STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "refusal"}


class GeminiSpeaker:
    """One conversation. ``sdk`` is the asynchronous side of a client."""

    def __init__(self, sdk: Any, model: str, *, stream: bool) -> None:
        self._models = sdk.models
        self._model = model
        self._stream = stream
        self._history: list[types.Content] = []
        self._names: dict[str, str] = {}

    async def say(self, ask: Ask) -> Told:
        self._history.append(types.Content(role="user", parts=[self._part(item) for item in ask.says]))
        asked: dict[str, Any] = {"model": self._model, "contents": self._history, "config": _config(ask)}
        if self._stream:
            answers = [chunk async for chunk in await self._models.generate_content_stream(**asked)]
        else:
            answers = [await self._models.generate_content(**asked)]
        parts = [part for answer in answers for part in _parts(answer)]
        self._history.append(types.Content(role="model", parts=parts))
        told = _told(parts, answers[-1])
        self._names |= {call.id: call.name for call in told.calls}
        return told

    async def count(self, ask: Ask) -> int:
        contents = [types.Content(role="user", parts=[self._part(item) for item in ask.says])]
        return (await self._models.count_tokens(model=self._model, contents=contents)).total_tokens

    def fault(self, error: Exception) -> Fault:
        assert isinstance(error, APIError), error
        return Fault(type(error).__name__, error.code, error.message or "")

    def _part(self, item: Item) -> types.Part:
        match item:
            case Text(_, text):
                return types.Part(text=text)
            case Medium(media_type, data):
                return types.Part.from_bytes(data=base64.b64decode(data), mime_type=media_type)
            case Result(call_id, text, error, medium):
                answer = types.FunctionResponse(id=call_id, name=self._names[call_id])
                answer.response = {"error" if error else "output": text}
                if medium:
                    blob = types.FunctionResponseBlob(mime_type=medium.media_type, data=base64.b64decode(medium.data))
                    answer.parts = [types.FunctionResponsePart(inline_data=blob)]
                return types.Part(function_response=answer)
            case Call():
                raise AssertionError("the model calls")


def _config(ask: Ask) -> types.GenerateContentConfig:
    config = types.GenerateContentConfig(max_output_tokens=ask.limit)
    config.automatic_function_calling = types.AutomaticFunctionCallingConfig(disable=True)
    config.system_instruction = ask.system or None
    config.stop_sequences = list(ask.stop) or None
    if ask.tools:
        declared = [
            types.FunctionDeclaration(
                name=tool.name, description=tool.description, parameters_json_schema=tool.parameters
            )
            for tool in ask.tools
        ]
        config.tools = [types.Tool(function_declarations=declared)]
    if ask.schema:
        config.response_mime_type = "application/json"
        config.response_json_schema = ask.schema
    if ask.thinks:
        config.thinking_config = types.ThinkingConfig(include_thoughts=True, thinking_level=types.ThinkingLevel.HIGH)
    return config


def _parts(answer: types.GenerateContentResponse) -> list[types.Part]:
    content = (answer.candidates or [types.Candidate()])[0].content
    return (content.parts if content else None) or []


def _told(parts: list[types.Part], last: types.GenerateContentResponse) -> Told:
    assert last.candidates
    candidate = last.candidates[0]
    assert candidate.finish_reason
    told = Told(end=ENDS[candidate.finish_reason.value])
    for part in parts:
        if part.thought:
            told.thought += part.text or ""
        elif part.function_call:
            call = part.function_call
            told.calls.append(Call(call.name or "", call.args, call.id or ""))
        else:
            told.text += part.text or ""
    if told.calls:
        told.end = "tool_calls"  # the protocol has no word for it
    if told.end == "refusal":
        told.refusal, told.text = told.text, ""
    told.sources = _sources(told.text, candidate.grounding_metadata)
    usage = last.usage_metadata
    assert usage
    written = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
    told.usage = Usage(usage.prompt_token_count or 0, written, usage.cached_content_token_count or 0)
    return told


def _sources(text: str, grounding: types.GroundingMetadata | None) -> list[Source]:
    """Offsets are bytes."""
    found: list[Source] = []
    data = text.encode()
    for support in (grounding.grounding_supports if grounding else None) or []:
        assert grounding
        assert grounding.grounding_chunks
        assert support.segment
        said = data[support.segment.start_index or 0 : support.segment.end_index].decode()
        for index in support.grounding_chunk_indices or []:
            web = grounding.grounding_chunks[index].web
            assert web
            found.append(Source(web.uri or "", web.title or "", said))
    return found
