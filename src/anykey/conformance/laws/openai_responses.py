"""What clients of Responses rely on.

A stream: each event's name is its ``type``; ``sequence_number`` counts from 0 without a gap; ``response.created`` is first and
one terminal event last; items come by a dense ``output_index``, each added once and done once; what the deltas of a text or of
a call say is what its ``done`` event says; the terminal event repeats the items.
"""

from __future__ import annotations

from typing import Any

from anykey.conformance.laws.inspection import Inspection, parsed
from anykey.conformance.laws.openai_errors import check_failure, check_models
from anykey.conversation.parts import Json
from anykey.protocols.sse import SseEvent

__all__ = ["check_answer", "check_failure", "check_models", "check_stream"]

ENDS = ("response.completed", "response.incomplete")
_WHOLE_TEXTS = {
    "response.output_text": "text",
    "response.refusal": "refusal",
    "response.function_call_arguments": "arguments",
    "response.custom_tool_call_input": "input",
    "response.reasoning_summary_text": "text",
    "response.reasoning_text": "text",
}
"""What is told by ``.delta`` events, and the key under which ``.done`` tells the whole of it."""


def check_answer(body: bytes) -> list[str]:
    """The breaches of a whole answer."""
    found = Inspection()
    value: Any = parsed(body)
    if found.hold(isinstance(value, dict), "the answer is no JSON object"):
        _check_response(found, value, "")
        found.among(value, "status", ("completed", "incomplete"))
    return found.breaches


def check_stream(records: list[SseEvent]) -> list[str]:
    """The breaches of a streamed answer."""
    found = Inspection()
    if records and records[-1].data == b"[DONE]":
        records = records[:-1]
    if not found.hold(bool(records), "the stream holds no event"):
        return found.breaches
    stream = _Stream(found)
    events = [found.event(record, place) for place, record in enumerate(records)]
    for place, (record, event) in enumerate(zip(records, events, strict=True)):
        kind = event.get("type")
        found.hold(
            record.name.decode("latin-1") == kind, f"event {place} is named {record.name!r}, its type is {kind!r}"
        )
        number = event.get("sequence_number")
        found.hold(number == place, f"event {place} ({kind}) has the sequence_number {number!r}")
        stream.read(event, f"event {place} ({kind}): ")
    found.among(events[0], "type", ("response.created",), "the first event's ")
    found.among(events[-1], "type", ENDS, "the last event's ")
    found.hold(sum(event.get("type") in ENDS for event in events) <= 1, "there is more than one terminal event")
    stream.close(events[-1])
    return found.breaches


class _Stream:
    """What was seen of a stream so far."""

    def __init__(self, found: Inspection) -> None:
        self._found = found
        self._added: list[Json] = []
        self._done: set[int] = set()
        self._told: dict[tuple[object, ...], str] = {}

    def read(self, event: Json, where: str) -> None:
        kind = str(event.get("type"))
        if kind == "response.output_item.added":
            index = self._found.count(event, "output_index", where)
            self._found.hold(index == len(self._added), f"{where}output_index is {index}, not {len(self._added)}")
            self._added.append(self._found.object(event, "item", where))
        elif kind == "response.output_item.done":
            self._close_item(event, where)
        elif kind.endswith((".delta", ".done")):
            self._read_text(kind, event, where)

    def _close_item(self, event: Json, where: str) -> None:
        found = self._found
        index = found.count(event, "output_index", where)
        item = found.object(event, "item", where)
        if found.hold(index < len(self._added), f"{where}an item that was not added is done"):
            was = self._added[index]
            found.hold(was.get("type") == item.get("type"), f"{where}the item's type changed")
            found.hold(was.get("id") == item.get("id"), f"{where}the item's id changed")
        found.hold(index not in self._done, f"{where}the item was done before")
        self._done.add(index)
        _check_item(found, item, f"{where}item.")

    def _read_text(self, kind: str, event: Json, where: str) -> None:
        of, _, stage = kind.rpartition(".")
        whole = _WHOLE_TEXTS.get(of)
        if whole is None:
            return
        index = event.get("output_index")
        is_open = type(index) is int and index < len(self._added) and index not in self._done
        self._found.hold(is_open, f"{where}no item is open at output_index {index!r}")
        self._found.text(event, "item_id", where)
        key = (of, index, event.get("content_index"), event.get("summary_index"))
        if stage == "delta":
            self._found.hold(isinstance(event.get("delta"), str), f"{where}delta is no text")
            self._told[key] = self._told.get(key, "") + str(event.get("delta") or "")
        else:
            agrees = event.get(whole) == self._told.get(key, "")
            self._found.hold(agrees, f"{where}{whole} is not what the deltas said")

    def close(self, last: Json) -> None:
        found = self._found
        found.hold(len(self._done) == len(self._added), "an item was added and never done")
        response = found.object(last, "response", "the last event's ")
        if response:
            _check_response(found, response, "the last event's response.")
            output: Any = response.get("output")
            same = isinstance(output, list) and len(output) == len(self._added)  # pyright: ignore[reportUnknownArgumentType] - parsed JSON
            found.hold(same, "the last event does not repeat the items of the stream")


def _check_response(found: Inspection, value: Json, where: str) -> None:
    """The keys without which the official SDK's type is not whole."""
    found.text(value, "id", where)
    found.among(value, "object", ("response",), where)
    found.hold(isinstance(value.get("created_at"), int | float), f"{where}created_at is no number")
    found.text(value, "model", where)
    found.hold(isinstance(value.get("parallel_tool_calls"), bool), f"{where}parallel_tool_calls is no boolean")
    found.hold(isinstance(value.get("tool_choice"), str | dict), f"{where}tool_choice is missing")
    found.hold(isinstance(value.get("tools"), list), f"{where}tools is no array")
    for place, item in found.objects(value, "output", where):
        _check_item(found, item, place)
    usage = found.object(value, "usage", where)
    if usage:
        at = f"{where}usage."
        total = sum(found.count(usage, key, at) for key in ("input_tokens", "output_tokens"))
        told = found.count(usage, "total_tokens", at)
        found.hold(told >= total, f"{at}total_tokens is {told}, less than {total}")
        found.count(found.object(usage, "input_tokens_details", at), "cached_tokens", f"{at}input_tokens_details.")
        found.count(found.object(usage, "output_tokens_details", at), "reasoning_tokens", f"{at}output_tokens_details.")


def _check_item(found: Inspection, item: Json, where: str) -> None:
    match found.text(item, "type", where):
        case "message":
            found.text(item, "id", where)
            found.among(item, "role", ("assistant",), where)
            for place, part in found.objects(item, "content", where):
                found.among(part, "type", ("output_text", "refusal"), place)
                if part.get("type") == "output_text":
                    found.hold(isinstance(part.get("text"), str), f"{place}text is no text")
                    found.hold(isinstance(part.get("annotations"), list), f"{place}annotations is no array")
        case "function_call":
            found.text(item, "call_id", where)
            found.text(item, "name", where)
            found.json_object(item.get("arguments") or "{}", f"{where}arguments")
        case "custom_tool_call":
            found.text(item, "call_id", where)
            found.text(item, "name", where)
            found.hold(isinstance(item.get("input"), str), f"{where}input is no text")
        case "reasoning":
            found.text(item, "id", where)
            found.hold(isinstance(item.get("summary"), list), f"{where}summary is no array")
        case _:
            pass
