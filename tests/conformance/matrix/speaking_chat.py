"""A program that speaks Chat Completions through the ``openai`` SDK, and keeps all that an answer brings, extra fields too."""

import json
from typing import Any, cast

from openai import APIError, APIStatusError, AsyncOpenAI

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

ENDS = {"stop": "stop", "length": "length", "tool_calls": "tool_calls", "content_filter": "refusal"}


class ChatSpeaker:
    """One conversation."""

    def __init__(self, sdk: AsyncOpenAI, model: str, *, stream: bool) -> None:
        self._completions: Any = sdk.chat.completions
        self._model = model
        self._stream = stream
        self._history: list[Json] = []

    async def say(self, ask: Ask) -> Told:
        for item in ask.says:
            self._history.append(_message(item))
        asked = _request(ask, self._model, self._history)
        if self._stream:
            answer = await self._streamed(asked)
        else:
            answer = (await self._completions.create(**asked)).model_dump(exclude_unset=True)
        choice = answer["choices"][0]
        self._history.append(choice["message"])
        return _told(choice["message"], choice["finish_reason"], answer["usage"])

    async def count(self, ask: Ask) -> int:
        raise AssertionError("Chat cannot count")

    def fault(self, error: Exception) -> Fault:
        return openai_fault(error)

    async def _streamed(self, asked: Json) -> Json:
        """The whole answer, put together from the chunks as the API's guide says."""
        message: Json = {"role": "assistant", "content": None}
        finish, usage = None, None
        asked["stream_options"] = {"include_usage": True}
        async for chunk in await self._completions.create(**asked, stream=True):
            usage = chunk.usage or usage
            for choice in chunk.choices:
                _add(message, choice.delta.model_dump(exclude_unset=True))
                finish = choice.finish_reason or finish
        for key in ("tool_calls", "reasoning_details"):
            if key in message:
                message[key] = [message[key][index] for index in sorted(message[key])]
        for call in message.get("tool_calls", []):
            del call["index"]
        assert usage is not None
        return {"choices": [{"message": message, "finish_reason": finish}], "usage": usage.model_dump()}


def openai_fault(error: Exception) -> Fault:
    """An error of the SDK, for both of OpenAI's protocols."""
    assert isinstance(error, APIError), error
    status = error.status_code if isinstance(error, APIStatusError) else None
    return Fault(type(error).__name__, status, error.message)


def _add(message: Json, delta: Json) -> None:
    """Texts grow; entries of lists grow by their index."""
    for key, value in delta.items():
        if key in ("tool_calls", "reasoning_details"):
            entries: dict[int, Json] = message.setdefault(key, {})
            for entry in value:
                _grow(entries.setdefault(entry["index"], {}), entry)
        elif key == "annotations":
            message.setdefault(key, []).extend(value)
        elif isinstance(value, str) and key != "role":
            message[key] = (message.get(key) or "") + value


def _grow(entry: Json, more: Json) -> None:
    for key, value in more.items():
        if isinstance(value, dict):
            _grow(entry.setdefault(key, {}), cast("Json", value))
        elif key in ("arguments", "input", "text"):
            entry[key] = entry.get(key, "") + value
        elif value is not None:
            entry[key] = value


def _message(item: Item) -> Json:
    match item:
        case Text(_, text):
            return {"role": "user", "content": text}
        case Medium("application/pdf", data):
            file = {"filename": "paper.pdf", "file_data": f"data:application/pdf;base64,{data}"}
            return {"role": "user", "content": [{"type": "file", "file": file}]}
        case Medium(media_type, data):
            url = {"url": f"data:{media_type};base64,{data}"}
            return {"role": "user", "content": [{"type": "image_url", "image_url": url}]}
        case Result(call_id, text):
            return {"role": "tool", "tool_call_id": call_id, "content": text}
        case Call():
            raise AssertionError("the model calls")


def _request(ask: Ask, model: str, history: list[Json]) -> Json:
    system = [{"role": "system", "content": ask.system}] if ask.system else []
    asked: Json = {"model": model, "messages": system + history}
    if ask.tools:
        asked["tools"] = [_tool(tool) for tool in ask.tools]
    if ask.limit:
        asked["max_completion_tokens"] = ask.limit
    if ask.stop:
        asked["stop"] = list(ask.stop)
    if ask.schema:
        named = {"name": "answer", "schema": ask.schema, "strict": True}
        asked["response_format"] = {"type": "json_schema", "json_schema": named}
    if ask.thinks:
        asked["reasoning_effort"] = "high"
    return asked


def _tool(tool: Tool) -> Json:
    if tool.custom:
        return {"type": "custom", "custom": {"name": tool.name, "description": tool.description}}
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _told(message: Json, finish: str, usage: Json) -> Told:
    message = {"reasoning_details": [], "tool_calls": [], "annotations": [], **message}
    told = Told(text=message.get("content") or "", refusal=message.get("refusal") or "", end=ENDS[finish])
    if told.refusal:
        told.end = "refusal"
    told.thought = message.get("reasoning_content") or message.get("reasoning") or ""
    if not told.thought:
        told.thought = "".join(entry.get("text", "") for entry in message["reasoning_details"])
    for call in message["tool_calls"]:
        if call["type"] == "custom":
            told.calls.append(Call(call["custom"]["name"], call["custom"]["input"], call["id"]))
        else:
            function = call["function"]
            told.calls.append(Call(function["name"], json.loads(function["arguments"]), call["id"]))
    for entry in message["annotations"]:
        cited = entry["url_citation"]
        said = told.text[cited["start_index"] : cited["end_index"]]
        told.sources.append(Source(cited["url"], cited["title"], said))
    details: Json = usage.get("prompt_tokens_details") or {}
    told.usage = Usage(usage["prompt_tokens"], usage["completion_tokens"], details.get("cached_tokens") or 0)
    return told
