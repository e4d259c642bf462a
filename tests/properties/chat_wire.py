"""What a Chat Completions client may send and a server that speaks it may answer, with every optional field of the protocol."""

from typing import Any

from hypothesis import strategies as st

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

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
PDF = "JVBERi0xLjQKJeLjz9MK"

BREAKPOINT = thing({"mode": "explicit"}, {"ttl": st.sampled_from(["30m", "12h"])})
CONTROL = thing({"type": "ephemeral"}, {"ttl": st.sampled_from(["5m", "1h"])})
MARKS = {"prompt_cache_breakpoint": BREAKPOINT}

TEXT_PART = thing({"type": "text", "text": text}, MARKS)
IMAGE_PART = thing(
    {
        "type": "image_url",
        "image_url": thing(
            {"url": st.sampled_from(["https://example.test/a.png", f"data:image/png;base64,{PNG}"])},
            {"detail": st.sampled_from(["auto", "low", "high", "original"])},
        ),
    },
    MARKS,
)
AUDIO_PART = thing(
    {"type": "input_audio", "input_audio": thing({"data": PDF, "format": st.sampled_from(["wav", "mp3"])})}, MARKS
)
FILE_PART = thing(
    {
        "type": "file",
        "file": one_of(
            thing({"file_data": f"data:application/pdf;base64,{PDF}"}, {"filename": words}),
            thing({"file_id": words}, {"filename": words}),
        ),
    },
    MARKS,
)
OTHER_PART = thing({"type": "x_new_part", "x_new_part": objects})
USER_PARTS = one_of(TEXT_PART, IMAGE_PART, FILE_PART, AUDIO_PART, OTHER_PART)
TOOL_PARTS = one_of(TEXT_PART, IMAGE_PART)
REFUSAL_PART = thing({"type": "refusal", "refusal": filled})

ARGUMENTS = one_of(
    objects.map(lambda value: dumps(value).decode()),
    objects.map(lambda value: " " + dumps(value).decode().replace(":", ": ")),
    "",
    '{"cut": "o',
    "[1]",
)
FUNCTION_CALL = thing(
    {"type": "function", "function": thing({"name": words, "arguments": ARGUMENTS})}, {"extra_content": objects}
)
CUSTOM_CALL = thing({"type": "custom", "custom": thing({"name": words, "input": text})})

DETAIL = one_of(
    thing(
        {"type": "reasoning.text", "text": filled},
        {"signature": filled, "format": st.sampled_from(["anthropic-claude-v1", "google-gemini-v1"]), "id": words},
    ),
    thing({"type": "reasoning.summary", "summary": filled}, {"format": "openai-responses-v1"}),
    thing({"type": "reasoning.encrypted", "data": filled}, {"format": "google-gemini-v1", "id": words}),
)
CITATION = thing(
    {
        "type": "url_citation",
        "url_citation": thing(
            {"url": "https://example.test", "title": text, "start_index": counts, "end_index": counts}
        ),
    }
)

REASONING = one_of(
    thing({"reasoning_content": text}),
    thing({"reasoning": text}),
    thing({"reasoning_details": st.lists(DETAIL, min_size=1, max_size=2)}),
)
"""Earlier reasoning under one of its names: what is given twice counts once."""

SYSTEM = thing(
    {"role": st.sampled_from(["system", "developer"]), "content": one_of(filled, st.lists(TEXT_PART, max_size=2))},
    {"name": words},
)
USER = thing(
    {"role": "user", "content": one_of(filled, st.lists(USER_PARTS, max_size=3))}, {"name": words, "x_unknown": objects}
)
ASSISTANT_FIELDS: dict[str, Any] = {
    "content": one_of(None, text, st.lists(one_of(TEXT_PART, REFUSAL_PART), max_size=2)),
    "refusal": one_of(None, filled),
    "name": words,
    "audio": thing({"id": words}),
    "annotations": st.lists(CITATION, max_size=2),
    "prefix": flags,
}

FUNCTION_TOOL = thing(
    {
        "type": "function",
        "function": thing({"name": words}, {"description": text, "parameters": schemas, "strict": flags}),
    },
    {"cache_control": CONTROL},
)
CUSTOM_TOOL = thing(
    {
        "type": "custom",
        "custom": thing(
            {"name": words},
            {
                "description": text,
                "format": thing(
                    {
                        "type": "grammar",
                        "grammar": thing({"definition": filled, "syntax": st.sampled_from(["lark", "regex"])}),
                    }
                ),
            },
        ),
    }
)
TOOLS = one_of(FUNCTION_TOOL, CUSTOM_TOOL, thing({"type": "x_hosted", "x_hosted": objects}))

OPTIONS: dict[str, Any] = {
    "audio": thing({"format": st.sampled_from(["wav", "mp3"]), "voice": words}),
    "frequency_penalty": ratios,
    "logit_bias": st.dictionaries(st.sampled_from(["1", "50256"]), st.integers(-100, 100), max_size=2),
    "logprobs": flags,
    "top_logprobs": st.integers(0, 20),
    "max_completion_tokens": st.integers(1, 100_000),
    "max_tokens": st.integers(1, 100_000),
    "metadata": st.dictionaries(words, words, max_size=2) | thing({"user_id": words}),
    "modalities": st.just(["text", "audio"]),
    "moderation": thing({"model": words}, {"policy": objects}),
    "n": st.integers(1, 3),
    "parallel_tool_calls": flags,
    "prediction": thing({"type": "content", "content": text}),
    "presence_penalty": ratios,
    "prompt_cache_key": words,
    "prompt_cache_options": thing({"mode": st.sampled_from(["implicit", "explicit"])}, {"ttl": "30m"}),
    "prompt_cache_retention": st.sampled_from(["in_memory", "24h"]),
    "response_format": one_of(
        {"type": "text"},
        {"type": "json_object"},
        thing(
            {
                "type": "json_schema",
                "json_schema": thing({"name": words}, {"schema": schemas, "description": text, "strict": flags}),
            }
        ),
    ),
    "safety_identifier": words,
    "seed": counts,
    "service_tier": st.sampled_from(["auto", "default", "flex", "scale", "priority", "fast"]),
    "stop": one_of(filled, st.lists(text, max_size=6)),
    "store": flags,
    "stream": flags,
    "stream_options": thing({}, {"include_usage": flags, "include_obfuscation": flags}),
    "temperature": ratios | st.just(1.5),
    "top_p": ratios,
    "user": words | st.text("ab", min_size=65, max_size=70),
    "verbosity": st.sampled_from(["low", "medium", "high"]),
    "web_search_options": thing({}, {"search_context_size": "low", "user_location": objects}),
    # what compatible servers take besides
    "top_k": counts,
    "cache_control": CONTROL,
    "x_unknown": objects,
}


SWITCHES = one_of(
    thing({"reasoning_effort": st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh", "max"])}),
    thing({"thinking": thing({"type": st.sampled_from(["enabled", "disabled", "auto"])}, {"budget_tokens": counts})}),
    thing({"enable_thinking": flags}, {"thinking_budget": counts}),
    thing({"reasoning": thing({}, {"effort": "low", "max_tokens": counts, "enabled": flags, "exclude": flags})}),
)
"""How much to think, in one of the four ways: of two that contradict each other one is taken."""


@st.composite
def assistant_turns(draw: st.DrawFn, serial: int) -> list[Json]:
    """An answer, with the results of the tools it called."""
    fields = draw(st.sets(st.sampled_from(sorted(ASSISTANT_FIELDS)), max_size=3))
    message: Json = {"role": "assistant", **{name: draw(ASSISTANT_FIELDS[name]) for name in sorted(fields)}}
    if draw(flags):
        message |= draw(REASONING)
    calls: list[Json] = draw(st.lists(one_of(FUNCTION_CALL, CUSTOM_CALL), max_size=2))
    if not calls:
        return [message if message.get("content") else {**message, "content": "ok"}]
    calls = [{"id": f"call_{serial}_{number}", **call} for number, call in enumerate(calls)]
    message["tool_calls"] = calls
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": draw(one_of(text, st.lists(TOOL_PARTS, max_size=2)))}
        for call in calls
    ]
    return [message, *results]


@st.composite
def requests(draw: st.DrawFn) -> Json:
    """A body that OpenAI or a compatible server would take."""
    messages: list[Json] = draw(st.lists(SYSTEM, max_size=2))
    for serial in range(draw(st.integers(0, 2))):
        messages += [draw(USER), *draw(assistant_turns(serial))]
        if draw(st.integers(0, 5)) == 0:
            messages.append(draw(SYSTEM))
    if not messages or messages[-1]["role"] != "tool" or draw(flags):
        messages.append(draw(USER))
    body: Json = {"model": draw(words), "messages": messages}
    tools: list[Json] = draw(st.lists(TOOLS, max_size=2, unique_by=_name_of))
    if tools:
        body["tools"] = tools
        functions, customs = ([tool[kind]["name"] for tool in tools if kind in tool] for kind in ("function", "custom"))
        body |= draw(thing({}, {"tool_choice": _choices(functions, customs)}))
    for name in sorted(draw(st.sets(st.sampled_from(sorted(OPTIONS)), max_size=6))):
        body[name] = draw(OPTIONS[name])
    if draw(flags):
        body |= draw(SWITCHES)
    return body


def _name_of(tool: Json) -> str:
    """No two tools have one name, which most providers refuse."""
    return tool.get(tool["type"], {}).get("name") or tool["type"]


def _choices(functions: list[str], customs: list[str]) -> st.SearchStrategy[Any]:
    words_only = st.sampled_from(["none", "auto", "required"])
    if customs:
        words_only |= thing({"type": "custom", "custom": thing({"name": st.sampled_from(customs)})})
    if not functions:
        return words_only
    function = thing({"type": "function", "function": thing({"name": st.sampled_from(functions)})})
    return one_of(
        words_only,
        function,
        thing(
            {
                "type": "allowed_tools",
                "allowed_tools": thing(
                    {"mode": st.sampled_from(["auto", "required"]), "tools": st.lists(function, max_size=2)}
                ),
            }
        ),
    )


USAGE = thing(
    {"prompt_tokens": counts, "completion_tokens": counts},
    {
        "prompt_tokens_details": thing(
            {}, {"cached_tokens": counts, "cache_write_tokens": counts, "audio_tokens": counts, "image_tokens": counts}
        ),
        "completion_tokens_details": thing(
            {}, {"reasoning_tokens": counts, "audio_tokens": counts, "accepted_prediction_tokens": counts}
        ),
        "cost": ratios,
    },
).map(lambda usage: {**usage, "total_tokens": usage["prompt_tokens"] + usage["completion_tokens"]})

FINISHES = st.sampled_from(["stop", "length", "tool_calls", "content_filter", "eos"])
LOGPROBS = thing(
    {"content": st.lists(thing({"token": text, "logprob": -0.5, "top_logprobs": st.just([])}), max_size=2)}
)


@st.composite
def responses(draw: st.DrawFn) -> Json:
    """A whole answer."""
    choices: list[Json] = []
    for index in range(draw(st.integers(1, 2))):
        fields = draw(st.sets(st.sampled_from(["refusal", "annotations"])))
        message: Json = {"role": "assistant", "content": draw(one_of(None, text))}
        message |= {name: draw(ASSISTANT_FIELDS[name]) for name in sorted(fields)}
        if draw(flags):
            message |= draw(REASONING)
        calls = draw(st.lists(one_of(FUNCTION_CALL, CUSTOM_CALL), max_size=2))
        if calls:
            message["tool_calls"] = [{"id": f"call_{index}_{n}", **call} for n, call in enumerate(calls)]
        choice: Json = {"index": index, "message": message, "finish_reason": draw(FINISHES)}
        choices.append(choice | draw(thing({}, {"logprobs": LOGPROBS, "content_filter_results": objects})))
    head: Json = {"id": draw(words), "object": "chat.completion", "created": 1700000000, "model": draw(words)}
    optional = {"usage": USAGE, "service_tier": "default", "system_fingerprint": words, "x_vendor": objects}
    return {**head, "choices": choices, **draw(thing({}, optional))}


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """A stream as servers of many makes send it: comments, repeated roles, empty deltas, usage here or there, no ``[DONE]``."""
    line_end = draw(st.sampled_from(["\n", "\r\n"]))
    head: Json = {"id": "c1", "object": "chat.completion.chunk", "created": 1700000000, "model": "m"}
    chunks: list[Json] = []
    many = draw(st.integers(1, 2))
    for choice in range(many):
        deltas: list[Json] = [{"role": "assistant", "content": ""}] if draw(flags) else []
        key = draw(st.sampled_from(["reasoning_content", "reasoning"]))
        deltas += [{key: piece} for piece in draw(st.lists(text, max_size=2))]
        deltas += [
            {"content": piece, **draw(thing({}, {"role": "assistant"}))} for piece in draw(st.lists(text, max_size=3))
        ]
        for index, call in enumerate(draw(st.lists(FUNCTION_CALL, max_size=2))):
            deltas += draw(_call_deltas(index, f"call_{choice}_{index}", call["function"]))
        chunks += [{**head, "choices": [{"index": choice, "delta": delta}]} for delta in deltas]
        end: Json = {"index": choice, "delta": {}, "finish_reason": draw(FINISHES)}
        chunks.append({**head, "choices": [end]})
    if draw(flags):
        usage = draw(USAGE)
        chunks.append({**head, "choices": [], "usage": usage})
    lines: list[str] = []
    for chunk in chunks:
        if draw(st.integers(0, 9)) == 0:
            lines.append(": waiting")
        lines.append(f"data: {dumps(chunk).decode()}")
    if draw(st.integers(0, 4)):
        lines.append("data: [DONE]")
    return "".join(line + line_end * 2 for line in lines).encode()


@st.composite
def _call_deltas(draw: st.DrawFn, index: int, call_id: str, function: Json) -> list[Json]:
    name, arguments = function["name"], function["arguments"]
    if draw(flags):
        return [{"tool_calls": [{"index": index, "id": call_id, "type": "function", "function": function}]}]
    cut = draw(st.integers(0, len(arguments)))
    first = {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
    pieces = [{"index": index, "function": {"arguments": piece}} for piece in (arguments[:cut], arguments[cut:])]
    return [{"tool_calls": [first]}, *({"tool_calls": [piece]} for piece in pieces)]
