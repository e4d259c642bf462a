"""What a scripted model says in one turn, in the wire form of each protocol, written by hand: no codec of ours is in it."""

import json
from typing import Any, NamedTuple

from tests.fakes.agents import GEMINI, RESPONSES, signature_of
from tests.fakes.answers import CHAT, MESSAGES, MODEL
from tests.sdk.said import Answer, Block, Json, chat, messages, text_block

READ_TOKENS = 120
WRITTEN_TOKENS = 11


class Turn(NamedTuple):
    """Perhaps a thought, then text or one tool call.

    `signed`: the thought has the maker's state beside it, `signature_of(number)` of the turn; else, in Chat, it is plain
    `reasoning_content`. `read_tokens` is what the model says it has read.
    """

    text: str = ""
    tool: str = ""
    arguments: Json | None = None
    thought: str = ""
    signed: bool = True
    read_tokens: int = READ_TOKENS


def told(protocol: str, turn: Turn, number: int = 0) -> Answer:
    """The turn as `protocol` spells it; `number` makes the ids and the state of different turns different."""
    return _TOLD[protocol](turn, number)


def call_id(number: int) -> str:
    """The id under which a turn calls its tool (Gemini has none)."""
    return f"call_{number}"


def _told_chat(turn: Turn, number: int) -> Answer:
    usage = {
        "prompt_tokens": turn.read_tokens,
        "completion_tokens": WRITTEN_TOKENS,
        "total_tokens": turn.read_tokens + WRITTEN_TOKENS,
    }
    message: Json = {"content": turn.text or None}
    deltas: list[Json] = []
    if turn.thought and turn.signed:
        detail = {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0}
        state = {"signature": signature_of(number)}
        message["reasoning_details"] = [{**detail, "text": turn.thought, **state}]
        deltas += [{"reasoning_details": [{**detail, "text": turn.thought}]}, {"reasoning_details": [detail | state]}]
    elif turn.thought:
        message["reasoning_content"] = turn.thought
        deltas += [{"reasoning_content": piece} for piece in _halves(turn.thought)]
    deltas += [{"content": piece} for piece in _halves(turn.text)]
    if turn.tool:
        spelled = json.dumps(turn.arguments or {})
        call: Json = {
            "id": call_id(number),
            "type": "function",
            "function": {"name": turn.tool, "arguments": spelled},
        }
        message["tool_calls"] = [call]
        deltas.append({"tool_calls": [{**call, "index": 0, "function": {"name": turn.tool, "arguments": ""}}]})
        pieces = _halves(spelled)
        deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in pieces]
    return _named(chat(message, deltas, "tool_calls" if turn.tool else "stop", usage), f"chatcmpl-{number}x")


def _told_messages(turn: Turn, number: int) -> Answer:
    usage = {"input_tokens": turn.read_tokens, "output_tokens": WRITTEN_TOKENS}
    blocks: list[Block] = []
    if turn.thought:
        signature = signature_of(number)
        deltas: list[Json] = [{"type": "thinking_delta", "thinking": piece} for piece in _halves(turn.thought)]
        deltas.append({"type": "signature_delta", "signature": signature})
        whole = {"type": "thinking", "thinking": turn.thought, "signature": signature}
        blocks.append(Block(whole, {"type": "thinking", "thinking": "", "signature": ""}, deltas))
    if turn.text:
        blocks.append(text_block(turn.text))
    if turn.tool:
        call: Json = {"type": "tool_use", "id": call_id(number), "name": turn.tool, "input": turn.arguments or {}}
        pieces = _halves(json.dumps(turn.arguments or {}))
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
        blocks.append(Block(call, {**call, "input": {}}, deltas))
    answer = messages(blocks, {"stop_reason": "tool_use" if turn.tool else "end_turn"}, usage)
    return _named(answer, f"msg_{number}x")


def _told_gemini(turn: Turn, number: int) -> Answer:
    parts: list[Json] = []
    state = {"thoughtSignature": signature_of(number)} if turn.thought else {}
    if turn.thought:
        parts.append({"text": turn.thought, "thought": True})
    if turn.tool:
        parts.append({"functionCall": {"name": turn.tool, "args": turn.arguments or {}}, **state})
    else:
        parts += [{"text": piece} for piece in _halves(turn.text)]
        parts += [{"text": "", **state}] if state else []
    head = {"modelVersion": MODEL, "responseId": f"r{number}"}
    usage = {
        "promptTokenCount": turn.read_tokens,
        "candidatesTokenCount": WRITTEN_TOKENS,
        "totalTokenCount": turn.read_tokens + WRITTEN_TOKENS,
    }

    def document(said: list[Json], **more: Any) -> Json:
        candidate = {"content": {"role": "model", "parts": said}, "index": 0, **more}
        return {"candidates": [candidate], "usageMetadata": usage, **head}

    chunks = [document([part]) for part in parts[:-1]] + [document(parts[-1:], finishReason="STOP")]
    stream = [f"data: {json.dumps(chunk)}\r\n\r\n" for chunk in chunks]
    return Answer(document(parts, finishReason="STOP"), stream)


def _told_responses(turn: Turn, number: int) -> Answer:
    items: list[tuple[Json, Json, list[Json]]] = []
    if turn.thought:
        items.append(_reasoning_item(turn.thought, number))
    if turn.text:
        items.append(_message_item(turn.text, number))
    if turn.tool:
        items.append(_call_item(turn, number))
    base: Json = {"id": f"resp_{number}", "object": "response", "created_at": 1_700_000_000, "model": MODEL}
    usage = {
        "input_tokens": turn.read_tokens,
        "output_tokens": WRITTEN_TOKENS,
        "total_tokens": turn.read_tokens + WRITTEN_TOKENS,
    }
    whole: Json = {**base, "status": "completed", "output": [item for item, _, _ in items], "usage": usage}
    events: list[Json] = [{"type": "response.created", "response": {**base, "status": "in_progress", "output": []}}]
    for index, (item, begun, deltas) in enumerate(items):
        place: Json = {"output_index": index}
        events.append({"type": "response.output_item.added", **place, "item": begun})
        events += [{**delta, **place, "item_id": item["id"]} for delta in deltas]
        events.append({"type": "response.output_item.done", **place, "item": item})
    events.append({"type": "response.completed", "response": whole})
    stream = [
        f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': at})}\n\n"
        for at, event in enumerate(events)
    ]
    return Answer(whole, stream)


def _reasoning_item(thought: str, number: int) -> tuple[Json, Json, list[Json]]:
    part = {"type": "summary_text", "text": thought}
    item = {
        "type": "reasoning",
        "id": f"rs_{number}",
        "summary": [part],
        "encrypted_content": signature_of(number),
    }
    at = {"summary_index": 0}
    deltas: list[Json] = [
        {"type": "response.reasoning_summary_part.added", **at, "part": {**part, "text": ""}},
        *({"type": "response.reasoning_summary_text.delta", **at, "delta": piece} for piece in _halves(thought)),
        {"type": "response.reasoning_summary_text.done", **at, "text": thought},
        {"type": "response.reasoning_summary_part.done", **at, "part": part},
    ]
    return item, {**item, "summary": []}, deltas


def _message_item(text: str, number: int) -> tuple[Json, Json, list[Json]]:
    part: Json = {"type": "output_text", "text": text, "annotations": []}
    item: Json = {"type": "message", "id": f"msg_{number}", "role": "assistant", "status": "completed"}
    at = {"content_index": 0}
    deltas: list[Json] = [
        {"type": "response.content_part.added", **at, "part": {**part, "text": ""}},
        *({"type": "response.output_text.delta", **at, "delta": piece} for piece in _halves(text)),
        {"type": "response.output_text.done", **at, "text": text},
        {"type": "response.content_part.done", **at, "part": part},
    ]
    return {**item, "content": [part]}, {**item, "status": "in_progress", "content": []}, deltas


def _call_item(turn: Turn, number: int) -> tuple[Json, Json, list[Json]]:
    spelled = json.dumps(turn.arguments or {})
    item: Json = {"type": "function_call", "id": f"fc_{number}", "call_id": call_id(number), "name": turn.tool}
    item |= {"arguments": spelled, "status": "completed"}
    kind = "response.function_call_arguments"
    deltas: list[Json] = [{"type": f"{kind}.delta", "delta": piece} for piece in _halves(spelled)]
    deltas.append({"type": f"{kind}.done", "arguments": spelled})
    return item, {**item, "arguments": "", "status": "in_progress"}, deltas


def _named(answer: Answer, name: str) -> Answer:
    """The answer under an id of its own: Claude Code takes messages of one id for one message."""
    old, new = json.dumps(answer.whole["id"]), json.dumps(name)
    return Answer({**answer.whole, "id": name}, [event.replace(old, new) for event in answer.stream])


def _halves(said: str) -> list[str]:
    """Two pieces, so that a stream is one; none of nothing."""
    half = len(said) // 2
    return [piece for piece in (said[:half], said[half:]) if piece]


_TOLD = {CHAT: _told_chat, MESSAGES: _told_messages, GEMINI: _told_gemini, RESPONSES: _told_responses}
