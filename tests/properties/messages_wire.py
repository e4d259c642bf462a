"""What a Messages client may send and a server that speaks it may answer, with every optional field of the protocol."""

from typing import Any

from hypothesis import strategies as st

from tests.properties.chat_wire import PDF, PNG
from tests.properties.words import (
    Json,
    counts,
    dumps,
    filled,
    flags,
    objects,
    one_of,
    ratios,
    schemas,
    text,
    thing,
    words,
)

CONTROL = thing({"type": "ephemeral"}, {"ttl": st.sampled_from(["5m", "1h"])})
MARKS = {"cache_control": CONTROL}

RAW_CITATION = one_of(
    thing(
        {"type": "char_location", "cited_text": text, "document_index": counts, "document_title": text},
        {"start_char_index": counts, "end_char_index": counts},
    ),
    thing({"type": "web_search_result_location", "cited_text": text, "url": "https://example.test", "title": text}),
)
TEXT = thing({"type": "text", "text": filled}, {**MARKS, "x_unknown": objects})
CITED = thing({"type": "text", "text": filled, "citations": st.lists(RAW_CITATION, max_size=2)})
SOURCES = one_of(
    {"type": "base64", "media_type": "image/png", "data": PNG},
    {"type": "url", "url": "https://example.test/a.png"},
    thing({"type": "file", "file_id": words}),
)
IMAGE = thing({"type": "image", "source": SOURCES}, {**MARKS, "transformations": objects})
DOCUMENT = thing(
    {
        "type": "document",
        "source": one_of(
            {"type": "base64", "media_type": "application/pdf", "data": PDF},
            thing({"type": "text", "media_type": "text/plain", "data": filled}),
            {"type": "url", "url": "https://example.test/a.pdf"},
            thing({"type": "content", "content": filled}),
        ),
    },
    {**MARKS, "title": words, "context": words, "citations": thing({"enabled": flags})},
)
SEARCH_RESULT = thing(
    {"type": "search_result", "source": words, "title": words, "content": st.just([{"type": "text", "text": "found"}])},
    MARKS,
)
OTHER = thing({"type": "x_new_block", "value": objects}, MARKS)
USER_BLOCKS = one_of(TEXT, IMAGE, DOCUMENT, SEARCH_RESULT, OTHER)
RESULT_BLOCKS = one_of(TEXT, IMAGE, SEARCH_RESULT)
THINKING = thing({"type": "thinking", "thinking": filled, "signature": one_of(filled, "")}, {"x_unknown": objects})
REDACTED = thing({"type": "redacted_thinking", "data": filled})
SERVER_USE = thing({"type": "server_tool_use", "id": words, "name": "web_search", "input": objects})
ASSISTANT_BLOCKS = one_of(TEXT, CITED, THINKING, REDACTED, SERVER_USE, OTHER)
TOOL_USE = thing({"type": "tool_use", "name": words, "input": objects}, {**MARKS, "caller": objects})
TOOL_RESULT = thing(
    {"type": "tool_result"},
    {**MARKS, "content": one_of(text, st.lists(RESULT_BLOCKS, max_size=2)), "is_error": flags},
)

FUNCTION_TOOL = thing(
    {"name": words, "input_schema": schemas},
    {
        **MARKS,
        "type": "custom",
        "description": text,
        "strict": flags,
        "input_examples": st.just([{"a": 1}]),
        "defer_loading": flags,
        "allowed_callers": st.just(["direct"]),
        "eager_input_streaming": flags,
    },
)
HOSTED_TOOL = thing(
    {"type": "web_search_20250305", "name": "web_search"},
    {**MARKS, "max_uses": st.integers(1, 5), "user_location": objects},
)

OPTIONS: dict[str, Any] = {
    "cache_control": CONTROL,
    "container": words,
    "context_management": thing({"edits": st.just([{"type": "clear_tool_uses_20250919"}])}),
    "diagnostics": thing({"previous_message_id": words}),
    "fallbacks": st.just([{"model": "m2"}]),
    "inference_geo": words,
    "mcp_servers": st.just([{"type": "url", "url": "https://example.test", "name": "m"}]),
    "metadata": thing({}, {"user_id": words, "x_unknown": objects}),
    "output_config": thing(
        {},
        {
            "effort": st.sampled_from(["low", "medium", "high", "xhigh", "max"]),
            "format": thing({"type": "json_schema", "schema": schemas}),
            "task_budget": objects,
        },
    ),
    "output_format": thing({"type": "json_schema", "schema": schemas}),
    "service_tier": st.sampled_from(["auto", "standard_only"]),
    "speed": st.sampled_from(["standard", "fast"]),
    "stop_sequences": st.lists(text, max_size=6),
    "stream": flags,
    "system": one_of(filled, st.lists(TEXT, max_size=3)),
    "temperature": ratios,
    "thinking": one_of(
        thing({"type": "enabled", "budget_tokens": st.integers(1024, 4000)}, {"display": "summarized"}),
        thing({"type": "adaptive"}, {"display": st.sampled_from(["summarized", "omitted"]), "x_unknown": objects}),
        {"type": "disabled"},
        {"type": "between_tools"},
    ),
    "thread": objects,
    "top_k": counts,
    "top_p": ratios,
    "user_profile_id": words,
    "x_unknown": objects,
}


@st.composite
def exchanges(draw: st.DrawFn, serial: int) -> tuple[list[Json], list[Json]]:
    """What the assistant said, and the blocks with which the user's next message must begin."""
    blocks: list[Json] = draw(st.lists(ASSISTANT_BLOCKS, max_size=2))
    uses = [{"id": f"toolu_{serial}_{n}", **use} for n, use in enumerate(draw(st.lists(TOOL_USE, max_size=2)))]
    results = [{"tool_use_id": use["id"], **draw(TOOL_RESULT)} for use in uses]
    return [*blocks, *uses] or [{"type": "text", "text": "ok"}], results


@st.composite
def requests(draw: st.DrawFn) -> Json:
    """A body that Anthropic or a compatible server would take."""
    messages: list[Json] = []
    opening: list[Json] = []
    for serial in range(draw(st.integers(0, 2))):
        said = draw(st.lists(USER_BLOCKS, min_size=0 if opening else 1, max_size=2))
        blocks, results = draw(exchanges(serial))
        messages.append({"role": "user", "content": [*opening, *said]})
        if draw(st.integers(0, 6)) == 0:
            messages.append({"role": "system", "content": draw(filled)})
        messages.append({"role": "assistant", "content": blocks})
        opening = results
    last = draw(one_of(filled, st.lists(USER_BLOCKS, min_size=1, max_size=2)))
    if opening:
        last = opening + (last if isinstance(last, list) else [{"type": "text", "text": last}])
    messages.append({"role": "user", "content": last})
    body: Json = {"model": draw(words), "max_tokens": draw(st.integers(1, 100_000)), "messages": messages}
    tools: list[Json] = draw(st.lists(one_of(FUNCTION_TOOL, HOSTED_TOOL), max_size=2, unique_by=_name_of))
    if tools:
        body["tools"] = tools
        body |= draw(thing({}, {"tool_choice": _choices([tool["name"] for tool in tools])}))
    for name in sorted(draw(st.sets(st.sampled_from(sorted(OPTIONS)), max_size=6))):
        body[name] = draw(OPTIONS[name])
    return body


def _name_of(tool: Json) -> str:
    """No two tools have one name, which is refused."""
    return tool["name"]


def _choices(names: list[str]) -> st.SearchStrategy[Json]:
    parallel = {"disable_parallel_tool_use": flags}
    return one_of(
        thing({"type": st.sampled_from(["auto", "any"])}, parallel),
        thing({"type": "tool", "name": st.sampled_from(names)}, parallel),
        {"type": "none"},
    )


USAGE = thing(
    {"input_tokens": counts, "output_tokens": counts},
    {
        "cache_read_input_tokens": counts,
        "cache_creation_input_tokens": counts,
        "cache_creation": thing({"ephemeral_5m_input_tokens": counts, "ephemeral_1h_input_tokens": counts}),
        "output_tokens_details": thing({"thinking_tokens": counts}),
        "server_tool_use": thing({"web_search_requests": counts}),
        "service_tier": "standard",
    },
)
STOPS = st.sampled_from(
    ["end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal", "model_context_window_exceeded"]
)
ANSWER_BLOCKS = one_of(TEXT, CITED, THINKING, REDACTED, SERVER_USE, OTHER)


@st.composite
def responses(draw: st.DrawFn) -> Json:
    """A whole answer."""
    content: list[Json] = draw(st.lists(ANSWER_BLOCKS, max_size=3))
    content += [{"id": f"toolu_{n}", **use} for n, use in enumerate(draw(st.lists(TOOL_USE, max_size=2)))]
    for block in content:
        block.pop("cache_control", None)
    head: Json = {"id": f"msg_{draw(words)}", "type": "message", "role": "assistant", "model": draw(words)}
    optional = {
        "container": objects,
        "stop_details": thing({"type": "refusal", "category": "cyber"}),
        "x_unknown": objects,
    }
    ending = {"stop_reason": draw(STOPS), "stop_sequence": draw(one_of(None, filled)), "usage": draw(USAGE)}
    return {**head, "content": content, **ending, **draw(thing({}, optional))}


def record(value: Json) -> str:
    """One event of a stream, with its name."""
    return f"event: {value['type']}\ndata: {dumps(value).decode()}\n\n"


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """The same answer told piece by piece, with pings and either kind of line end."""
    answer = draw(responses())
    content, usage = answer.pop("content"), answer["usage"]
    events: list[Json] = [{"type": "message_start", "message": {**answer, "content": [], "stop_reason": None}}]
    for index, block in enumerate(content):
        start, deltas = _pieces(block, draw(st.integers(0, 9)))
        events.append({"type": "content_block_start", "index": index, "content_block": start})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        if draw(st.integers(0, 4)) == 0:
            events.append({"type": "ping"})
        events.append({"type": "content_block_stop", "index": index})
    ending = {"stop_reason": answer["stop_reason"], "stop_sequence": answer["stop_sequence"]}
    events += [{"type": "message_delta", "delta": ending, "usage": usage}, {"type": "message_stop"}]
    wire = "".join(record(event) for event in events)
    return wire.replace("\n", draw(st.sampled_from(["\n", "\r\n"]))).encode()


def _pieces(block: Json, cut: int) -> tuple[Json, list[Json]]:
    """A block as its start and its deltas, cut in two at ``cut``."""
    match block["type"]:
        case "text":
            deltas = [{"type": "citations_delta", "citation": raw} for raw in block.get("citations", ())]
            deltas += [{"type": "text_delta", "text": piece} for piece in (block["text"][:cut], block["text"][cut:])]
            return {**block, "text": "", "citations": []}, deltas
        case "thinking":
            deltas = [
                {"type": "thinking_delta", "thinking": p} for p in (block["thinking"][:cut], block["thinking"][cut:])
            ]
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
            return {**block, "thinking": "", "signature": ""}, deltas
        case "tool_use" | "server_tool_use":
            spelled = dumps(block["input"]).decode()
            pieces = [{"type": "input_json_delta", "partial_json": p} for p in ("", spelled[:cut], spelled[cut:])]
            return {**block, "input": {}}, pieces
        case _:
            return block, []
