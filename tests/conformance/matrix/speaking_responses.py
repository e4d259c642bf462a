"""A program that speaks Responses through the ``openai`` SDK, without stored state: every turn sends all items before it."""

import json
from typing import Any

from openai import AsyncOpenAI

from tests.conformance.matrix.speaking_chat import openai_fault
from tests.conformance.matrix.spoken import (
    Ask,
    Call,
    Fault,
    Item,
    Json,
    Medium,
    Result,
    Source,
    Text,
    Told,
    Tool,
    Usage,
)


class FailedError(Exception):
    """The SDK raises nothing for a response that failed: it is an event like the others, and the program's to notice."""


class ResponsesSpeaker:
    """One conversation."""

    def __init__(self, sdk: AsyncOpenAI, model: str, *, stream: bool) -> None:
        self._responses: Any = sdk.responses
        self._model = model
        self._stream = stream
        self._history: list[Json] = []
        self._custom: set[str] = set()

    async def say(self, ask: Ask) -> Told:
        for item in ask.says:
            self._history.append(self._item(item))
        asked = _request(ask, self._model, self._history)
        answer = await (self._streamed(asked) if self._stream else self._responses.create(**asked))
        if answer.status == "failed":
            raise FailedError(answer.error.message)
        told = _told(answer)
        self._custom |= {call.id for call in told.calls if isinstance(call.arguments, str)}
        self._history += [item.model_dump(exclude_unset=True) for item in answer.output]
        return told

    async def count(self, ask: Ask) -> int:
        asked = _request(ask, self._model, [self._item(item) for item in ask.says])
        for key in ("store", "include"):
            del asked[key]
        return (await self._responses.input_tokens.count(**asked)).input_tokens

    def fault(self, error: Exception) -> Fault:
        return Fault("FailedError", None, str(error)) if isinstance(error, FailedError) else openai_fault(error)

    async def _streamed(self, asked: Json) -> Any:
        """The final response; what the deltas told must be in it."""
        told, last = "", None
        async for event in await self._responses.create(**asked, stream=True):
            if event.type.endswith(".delta"):
                told += event.delta
            last = event
        assert last is not None
        assert last.type.removeprefix("response.") == last.response.status
        if last.response.status != "failed":
            assert told == "".join(_texts(last.response))
        return last.response

    def _item(self, item: Item) -> Json:
        match item:
            case Text(_, text):
                return {"role": "user", "content": text}
            case Result(call_id, text, _, medium):
                kind = "custom_tool_call_output" if call_id in self._custom else "function_call_output"
                output: Any = [{"type": "input_text", "text": text}, _medium(medium)] if medium else text
                return {"type": kind, "call_id": call_id, "output": output}
            case Medium():
                return {"role": "user", "content": [_medium(item)]}
            case Call():
                raise AssertionError("the model calls")


def _medium(medium: Medium) -> Json:
    data = f"data:{medium.media_type};base64,{medium.data}"
    if medium.media_type == "application/pdf":
        return {"type": "input_file", "filename": "paper.pdf", "file_data": data}
    return {"type": "input_image", "image_url": data, "detail": "auto"}


def _request(ask: Ask, model: str, history: list[Json]) -> Json:
    asked: Json = {"model": model, "input": history, "store": False, "include": ["reasoning.encrypted_content"]}
    if ask.system:
        asked["instructions"] = ask.system
    grouped: dict[str, list[Json]] = {}
    for tool in ask.tools:
        grouped.setdefault(tool.namespace, []).append(_tool(tool))
    if ask.tools:
        asked["tools"] = grouped.pop("", [])
        for name, tools in grouped.items():
            asked["tools"].append({"type": "namespace", "name": name, "description": "A group.", "tools": tools})
    if ask.limit:
        asked["max_output_tokens"] = ask.limit
    if ask.schema:
        asked["text"] = {"format": {"type": "json_schema", "name": "answer", "schema": ask.schema, "strict": True}}
    if ask.thinks:
        asked["reasoning"] = {"effort": "high", "summary": "auto"}
    return asked


def _tool(tool: Tool) -> Json:
    if tool.custom:
        return {"type": "custom", "name": tool.name, "description": tool.description}
    head = {"type": "function", "name": tool.name, "description": tool.description}
    return {**head, "parameters": tool.parameters, "strict": False}


def _texts(answer: Any) -> list[str]:
    """All that a stream tells in deltas, in order."""
    found: list[str] = []
    for item in answer.output:
        match item.type:
            case "reasoning":
                found += [part.text for part in item.summary]
            case "message":
                found += [part.refusal if part.type == "refusal" else part.text for part in item.content]
            case "custom_tool_call":
                found.append(item.input)
            case _:
                found.append(item.arguments)
    return found


def _told(answer: Any) -> Told:
    told = Told()
    for item in answer.output:
        match item.type:
            case "reasoning":
                told.thought += "".join(part.text for part in item.summary)
            case "message":
                for part in item.content:
                    if part.type == "refusal":
                        told.refusal += part.refusal
                    else:
                        _read_text(told, part)
            case "custom_tool_call":
                told.calls.append(Call(item.name, item.input, item.call_id, item.namespace or ""))
            case _:
                arguments = json.loads(item.arguments)
                told.calls.append(Call(item.name, arguments, item.call_id, item.namespace or ""))
    told.end = _end(told, answer)
    usage = answer.usage
    told.usage = Usage(usage.input_tokens, usage.output_tokens, usage.input_tokens_details.cached_tokens)
    return told


def _read_text(told: Told, part: Any) -> None:
    told.text += part.text
    for cited in part.annotations:
        said = part.text[cited.start_index : cited.end_index]
        told.sources.append(Source(cited.url, cited.title, said))


def _end(told: Told, answer: Any) -> str:
    if answer.status == "incomplete":
        reason = answer.incomplete_details.reason
        return {"max_output_tokens": "length", "content_filter": "refusal"}[reason]
    if told.refusal:
        return "refusal"
    return "tool_calls" if told.calls else "stop"
