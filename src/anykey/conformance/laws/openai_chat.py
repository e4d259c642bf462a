"""What clients of Chat Completions rely on.

A stream: chunks of one id; the first delta of a choice says its role; a tool call's first delta says its id and name; each
choice finishes once; the usage that was asked for comes in a chunk without choices; ``[DONE]`` is last.
"""

from __future__ import annotations

from typing import Any

from anykey.conformance.laws.inspection import Inspection, parsed
from anykey.conformance.laws.openai_errors import check_failure, check_models
from anykey.conversation.parts import Json
from anykey.protocols.sse import SseEvent

__all__ = ["check_answer", "check_failure", "check_models", "check_stream"]

FINISHES = ("stop", "length", "tool_calls", "content_filter", "function_call")


def check_answer(body: bytes) -> list[str]:
    """The breaches of a whole answer."""
    found = Inspection()
    value: Any = parsed(body)
    if not found.hold(isinstance(value, dict), "the answer is no JSON object"):
        return found.breaches
    _check_head(found, value, "chat.completion")
    choices = list(found.objects(value, "choices"))
    found.hold(bool(choices), "there is no choice")
    for place, choice in choices:
        found.count(choice, "index", place)
        found.among(choice, "finish_reason", FINISHES, place)
        _check_message(found, found.object(choice, "message", place), f"{place}message.")
    _check_usage(found, found.object(value, "usage"))
    return found.breaches


def check_stream(records: list[SseEvent]) -> list[str]:
    """The breaches of a streamed answer whose usage was asked for."""
    found = Inspection()
    if found.hold(bool(records) and records[-1].data == b"[DONE]", "the stream does not end with [DONE]"):
        records = records[:-1]
    stream = _Stream(found)
    for place, record in enumerate(records):
        stream.read(found.event(record, place), f"chunk {place}: ")
    stream.close()
    return found.breaches


class _Stream:
    """What was seen of a stream so far."""

    def __init__(self, found: Inspection) -> None:
        self._found = found
        self._ids: set[str] = set()
        self._spoken: set[int] = set()
        self._finished: set[int] = set()
        self._arguments: dict[tuple[int, int], str] = {}
        self._usage: Json | None = None

    def read(self, chunk: Json, where: str) -> None:
        found = self._found
        self._ids.add(_check_head(found, chunk, "chat.completion.chunk", where))
        choices = list(found.objects(chunk, "choices", where))
        for place, choice in choices:
            self._read_choice(choice, place)
        if isinstance(chunk.get("usage"), dict):
            self._usage = chunk["usage"]
            found.hold(not choices, f"{where}usage comes in a chunk that has choices")

    def _read_choice(self, choice: Json, where: str) -> None:
        found = self._found
        index = found.count(choice, "index", where)
        delta = found.object(choice, "delta", where)
        if index not in self._spoken:
            self._spoken.add(index)
            found.among(delta, "role", ("assistant",), f"{where}delta.")
        found.hold(index not in self._finished or not delta, f"{where}delta comes after the finish reason")
        found.hold(isinstance(delta.get("content"), str | None), f"{where}delta.content is neither text nor null")
        if delta.get("tool_calls") is not None:
            for place, call in found.objects(delta, "tool_calls", f"{where}delta."):
                self._read_call(index, call, place)
        if choice.get("finish_reason") is not None:
            found.among(choice, "finish_reason", FINISHES, where)
            found.hold(index not in self._finished, f"{where}finish_reason comes twice")
            self._finished.add(index)

    def _read_call(self, choice: int, call: Json, where: str) -> None:
        found = self._found
        key = (choice, found.count(call, "index", where))
        kind = "custom" if "custom" in call else "function"
        inner = found.object(call, kind, where)
        if key not in self._arguments:
            found.text(call, "id", where)
            found.among(call, "type", ("function", "custom"), where)
            found.text(inner, "name", f"{where}{kind}.")
        if kind == "function":
            self._arguments[key] = self._arguments.get(key, "") + str(inner.get("arguments") or "")
        else:
            self._arguments[key] = "{}"  # free text

    def close(self) -> None:
        found = self._found
        found.hold(len(self._ids) <= 1, "the chunks have different ids")
        found.hold(bool(self._finished) and self._finished == self._spoken, "a choice has no finish reason")
        for text in self._arguments.values():
            found.json_object(text or "{}", "the arguments of a tool call")
        if found.hold(self._usage is not None, "no usage is reported, although it was asked for"):
            _check_usage(found, self._usage or {})


def _check_head(found: Inspection, value: Json, kind: str, where: str = "") -> str:
    found.among(value, "object", (kind,), where)
    found.count(value, "created", where)
    found.text(value, "model", where)
    return found.text(value, "id", where)


def _check_message(found: Inspection, message: Json, where: str) -> None:
    found.among(message, "role", ("assistant",), where)
    found.hold(isinstance(message.get("content"), str | None), f"{where}content is neither text nor null")
    if message.get("tool_calls") is None:
        return
    for place, call in found.objects(message, "tool_calls", where):
        found.text(call, "id", place)
        found.among(call, "type", ("function", "custom"), place)
        kind = "custom" if call.get("type") == "custom" else "function"
        inner = found.object(call, kind, place)
        found.text(inner, "name", f"{place}{kind}.")
        if kind == "function":
            found.json_object(inner.get("arguments"), f"{place}function.arguments")
        else:
            found.hold(isinstance(inner.get("input"), str), f"{place}custom.input is no text")


def _check_usage(found: Inspection, usage: Json) -> None:
    if usage:
        read = found.count(usage, "prompt_tokens", "usage.")
        said = found.count(usage, "completion_tokens", "usage.")
        total = found.count(usage, "total_tokens", "usage.")
        found.hold(total >= read + said, f"usage.total_tokens is {total}, less than {read} + {said}")
