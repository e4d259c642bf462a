"""A program that speaks Messages through the ``anthropic`` SDK."""

from typing import Any

from anthropic import APIError, APIStatusError, AsyncAnthropic

from tests.conformance.matrix.spoken import Ask, Call, Fault, Item, Json, Medium, Result, Source, Text, Told, Usage

ENDS = {
    "end_turn": "stop",
    "stop_sequence": "stop_sequence",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "refusal": "refusal",
}
LIMIT = 16_000
"""The protocol wants one always."""


class MessagesSpeaker:
    """One conversation."""

    def __init__(self, sdk: AsyncAnthropic, model: str, *, stream: bool) -> None:
        self._messages: Any = sdk.messages
        self._model = model
        self._stream = stream
        self._history: list[Json] = []

    async def say(self, ask: Ask) -> Told:
        self._history.append({"role": "user", "content": [_block(item) for item in ask.says]})
        asked = _request(ask, self._model, self._history)
        if self._stream:
            async with self._messages.stream(**asked) as stream:
                answer = await stream.get_final_message()
        else:
            answer = await self._messages.create(**asked)
        self._history.append({"role": "assistant", "content": answer.content})
        return _told(answer)

    async def count(self, ask: Ask) -> int:
        asked = _request(ask, self._model, [{"role": "user", "content": [_block(item) for item in ask.says]}])
        del asked["max_tokens"]
        return (await self._messages.count_tokens(**asked)).input_tokens

    def fault(self, error: Exception) -> Fault:
        assert isinstance(error, APIError), error
        status = error.status_code if isinstance(error, APIStatusError) else None
        return Fault(type(error).__name__, status, error.message)


def _block(item: Item) -> Json:
    match item:
        case Text(_, text):
            return {"type": "text", "text": text}
        case Medium(media_type, data):
            kind = "document" if media_type == "application/pdf" else "image"
            return {"type": kind, "source": {"type": "base64", "media_type": media_type, "data": data}}
        case Result(call_id, text, error, medium):
            content: list[Json] = [{"type": "text", "text": text}]
            content += [_block(medium)] if medium else []
            return {"type": "tool_result", "tool_use_id": call_id, "content": content, "is_error": error}
        case Call():
            raise AssertionError("the model calls")


def _request(ask: Ask, model: str, history: list[Json]) -> Json:
    asked: Json = {"model": model, "max_tokens": ask.limit or LIMIT, "messages": history}
    if ask.system:
        asked["system"] = ask.system
    if ask.tools:
        asked["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.parameters} for tool in ask.tools
        ]
    if ask.stop:
        asked["stop_sequences"] = list(ask.stop)
    if ask.schema:
        asked["output_config"] = {"format": {"type": "json_schema", "schema": ask.schema}}
    if ask.thinks:
        asked["thinking"] = {"type": "enabled", "budget_tokens": 8192}
    return asked


def _told(answer: Any) -> Told:
    told = Told(end=ENDS[answer.stop_reason], stop=answer.stop_sequence)
    for block in answer.content:
        match block.type:
            case "text":
                told.text += block.text
                cited: list[Any] = block.citations or []
                told.sources += [Source(one.url, one.title, block.text) for one in cited]
            case "thinking":
                told.thought += block.thinking
            case "tool_use":
                told.calls.append(Call(block.name, block.input, block.id))
            case _:
                assert block.type == "redacted_thinking"
    if told.end == "refusal":
        told.refusal, told.text = told.text, ""
    usage = answer.usage
    cached = usage.cache_read_input_tokens or 0
    read = usage.input_tokens + cached + (usage.cache_creation_input_tokens or 0)
    told.usage = Usage(read, usage.output_tokens, cached)
    return told
