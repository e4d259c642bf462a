"""What the scripted upstreams say, in the wire form of each protocol, written by hand: no codec of ours is in it.

`Answer` is one answer in its two forms. Each function returns the same thing said in any protocol, with the same
text, tool calls and token counts, so that one test can ask any client about any upstream.
"""

import json
from typing import Any, NamedTuple

from tests.fakes.agents import GEMINI, RESPONSES
from tests.fakes.answers import CHAT, MESSAGES, MODEL, chat_chunk, messages_event
from tests.fakes.wire import RecordedCall, Script, WireConnection
from tests.sdk import said_gemini, said_responses

Json = dict[str, Any]
FOUR = (CHAT, RESPONSES, MESSAGES, GEMINI)
CALLS = (("get_weather", {"city": "Paris"}), ("get_weather", {"city": "Rome"}))
CALL_IDS = ("toolu_01A", "toolu_02B")
THOUGHT = "The user wants the weather."
SIGNATURE = "EqQBCkYIBxgCKkD+7/sig=="
PATCH = '*** Begin Patch\n+ print("Grüße 😀")\n*** End Patch'


class Answer(NamedTuple):
    """`whole`: the document. `stream`: the events as text."""

    whole: Json
    stream: list[str]


def telling(*answers: Answer) -> Script:
    """A script that gives these answers in turn, the last one again and again, each in the form that is asked for."""
    left = list(answers)

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if not (call.json().get("stream") or "streamGenerateContent" in call.target):
            await connection.json(200, answer.whole)
            return
        await connection.sse_start()
        await connection.sse(*answer.stream)
        await connection.sse_end()

    return script


def chat(message: Json, deltas: list[Json], finish: str, usage: Json) -> Answer:
    """A Chat answer: `message` whole, or as `deltas`."""
    whole = {
        "id": "chatcmpl-7",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": MODEL,
        "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}],
        "usage": usage,
    }
    told = [{"role": "assistant", "content": ""}, *deltas]
    stream = [chat_chunk([{"index": 0, "delta": delta, "finish_reason": None}]) for delta in told]
    stream += [chat_chunk([{"index": 0, "delta": {}, "finish_reason": finish}]), chat_chunk([], usage=usage)]
    return Answer(whole, [*stream, "data: [DONE]\n\n"])


class Block(NamedTuple):
    """A content block of Messages: whole, as it starts in a stream, and its deltas."""

    whole: Json
    start: Json
    deltas: list[Json]


def messages(blocks: list[Block], stop: Json, usage: Json) -> Answer:
    """A Messages answer. `stop` has `stop_reason` and what belongs to it."""
    whole = {
        "id": "msg_7",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [block.whole for block in blocks],
        "stop_sequence": None,
        **stop,
        "usage": usage,
    }
    start = {**whole, "content": [], "stop_reason": None, "stop_sequence": None, "usage": {**usage, "output_tokens": 1}}
    stream = [messages_event("message_start", message=start)]
    for index, block in enumerate(blocks):
        stream.append(messages_event("content_block_start", index=index, content_block=block.start))
        stream += [messages_event("content_block_delta", index=index, delta=delta) for delta in block.deltas]
        stream.append(messages_event("content_block_stop", index=index))
    stream.append(messages_event("message_delta", delta={"stop_sequence": None, **stop}, usage=usage))
    return Answer(whole, [*stream, messages_event("message_stop")])


def responses(output: list[Json], usage: Json, status: str = "completed", **more: Any) -> Answer:
    """A Responses answer of these items."""
    return Answer(
        said_responses.whole(output, usage, status, **more), said_responses.stream(output, usage, status, **more)
    )


def gemini(parts: list[Json], usage: Json, finish: str = "STOP", **more: Any) -> Answer:
    """A Gemini answer of these parts; `more` goes into its candidate."""
    return Answer(said_gemini.whole(parts, usage, finish, **more), said_gemini.stream(parts, usage, finish, **more))


def text(
    protocol: str, said: str, finish: str = "stop", stop: Json | None = None, usage: tuple[Json, Json] | None = None
) -> Answer:
    """Plain text. `finish` is Chat's word, `stop` the fields of Messages; `usage` is (Chat's, Messages')."""
    chat_usage, messages_usage = usage or _usage(7, 3)
    half = len(said) // 2
    if protocol == RESPONSES:
        return responses([said_responses.message(said)], said_responses.usage(7, 3))
    if protocol == GEMINI:
        return gemini([{"text": said}], said_gemini.usage(7, 3))
    if protocol == CHAT:
        return chat({"content": said}, [{"content": said[:half]}, {"content": said[half:]}], finish, chat_usage)
    return messages([text_block(said)], stop or {"stop_reason": "end_turn"}, messages_usage)


def two_calls(protocol: str) -> Answer:
    """A word of text, then two tool calls in parallel: 40 tokens in, 20 out."""
    chat_usage, messages_usage = _usage(40, 20)
    if protocol == RESPONSES:
        named = zip(CALL_IDS, CALLS, strict=True)
        items = [said_responses.call(identity, name, json.dumps(arguments)) for identity, (name, arguments) in named]
        return responses([said_responses.message("Looking."), *items], said_responses.usage(40, 20))
    if protocol == GEMINI:
        return gemini([{"text": "Looking."}, *(said_gemini.call(*made) for made in CALLS)], said_gemini.usage(40, 20))
    if protocol == MESSAGES:
        blocks = [text_block("Looking."), *(_call_block(index) for index in range(2))]
        return messages(blocks, {"stop_reason": "tool_use"}, messages_usage)
    calls: list[Json] = [
        {"id": CALL_IDS[index], "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for index, (name, arguments) in enumerate(CALLS)
    ]
    deltas: list[Json] = [{"content": "Looking."}]
    for index, call in enumerate(calls):
        arguments = call["function"]["arguments"]
        begun = {**call, "index": index, "function": {**call["function"], "arguments": ""}}
        deltas.append({"tool_calls": [begun]})
        for part in (arguments[:6], arguments[6:]):
            deltas.append({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
    return chat({"content": "Looking.", "tool_calls": calls}, deltas, "tool_calls", chat_usage)


def free_text_call() -> Answer:
    """A Messages answer: a call of `patch` whose input is one text, cut in its escapes, its surrogate pair among them."""
    value = {"input": PATCH}
    spelled = json.dumps(value)
    call = {"type": "tool_use", "id": CALL_IDS[0], "name": "patch", "input": value}
    cuts = [(at, at + 5) for at in range(0, len(spelled), 5)]
    deltas = [{"type": "input_json_delta", "partial_json": spelled[start:end]} for start, end in cuts]
    return messages([Block(call, {**call, "input": {}}, deltas)], {"stop_reason": "tool_use"}, _usage(40, 20)[1])


def thinking(protocol: str) -> Answer:
    """Reasoning, then text; of 20 tokens out, 12 are reasoning."""
    if protocol == RESPONSES:
        items = [said_responses.reasoning(THOUGHT, SIGNATURE), said_responses.message("Sunny.")]
        return responses(items, said_responses.usage(9, 20, thought=12))
    if protocol == GEMINI:
        parts: list[Json] = [{"text": THOUGHT, "thought": True}, {"text": "Sunny."}]
        return gemini(parts, said_gemini.usage(9, 8, thought=12))
    if protocol == CHAT:
        usage = {**_usage(9, 20)[0], "completion_tokens_details": {"reasoning_tokens": 12}}
        deltas: list[Json] = [
            {"reasoning_content": THOUGHT[:9]},
            {"reasoning_content": THOUGHT[9:]},
            {"content": "Sunny."},
        ]
        return chat({"reasoning_content": THOUGHT, "content": "Sunny."}, deltas, "stop", usage)
    thought = {"type": "thinking", "thinking": THOUGHT, "signature": SIGNATURE}
    told = [{"type": "thinking_delta", "thinking": part} for part in (THOUGHT[:9], THOUGHT[9:])]
    block = Block(
        thought,
        {"type": "thinking", "thinking": "", "signature": ""},
        [*told, {"type": "signature_delta", "signature": SIGNATURE}],
    )
    usage = {**_usage(9, 20)[1], "output_tokens_details": {"thinking_tokens": 12}}
    return messages([block, text_block("Sunny.")], {"stop_reason": "end_turn"}, usage)


def refusal(protocol: str) -> Answer:
    """The model declines."""
    chat_usage, messages_usage = _usage(7, 3)
    words = "I cannot help with that."
    if protocol == RESPONSES:
        return responses([said_responses.refusal(words)], said_responses.usage(7, 3))
    if protocol == GEMINI:
        return gemini([{"text": words}], said_gemini.usage(7, 3), "SAFETY")
    if protocol == CHAT:
        return chat({"content": None, "refusal": words}, [{"refusal": words}], "stop", chat_usage)
    stop = {
        "stop_reason": "refusal",
        "stop_details": {"type": "refusal", "category": "cyber", "explanation": "Not allowed."},
    }
    return messages([text_block(words)], stop, messages_usage)


def cached(protocol: str) -> Answer:
    """100 tokens in, of which 60 came from a cache and (Chat and Messages say so) 30 were written to one; 3 out."""
    if protocol == RESPONSES:
        return responses([said_responses.message("Hello world")], said_responses.usage(100, 3, cached=60))
    if protocol == GEMINI:
        return gemini([{"text": "Hello world"}], said_gemini.usage(100, 3, cached=60))
    details = {"cached_tokens": 60, "cache_write_tokens": 30}
    chat_usage = {**_usage(100, 3)[0], "prompt_tokens_details": details}
    kept = {"cache_creation_input_tokens": 30, "cache_read_input_tokens": 60}
    return text(protocol, "Hello world", usage=(chat_usage, {**_usage(10, 3)[1], **kept}))


def text_block(said: str) -> Block:
    """A text block in two deltas."""
    half = len(said) // 2
    deltas = [{"type": "text_delta", "text": part} for part in (said[:half], said[half:])]
    return Block({"type": "text", "text": said}, {"type": "text", "text": ""}, deltas)


def _call_block(index: int) -> Block:
    name, arguments = CALLS[index]
    spelled = json.dumps(arguments)
    call = {"type": "tool_use", "id": CALL_IDS[index], "name": name, "input": arguments}
    deltas = [{"type": "input_json_delta", "partial_json": part} for part in ("", spelled[:6], spelled[6:])]
    return Block(call, {**call, "input": {}}, deltas)


def _usage(read: int, written: int) -> tuple[Json, Json]:
    chat_usage = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
    return chat_usage, {"input_tokens": read, "output_tokens": written}
