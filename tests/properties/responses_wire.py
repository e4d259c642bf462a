"""What a Responses client may send and a server that speaks it may answer, with every optional field of the protocol.

What points to stored responses is left out: the journey around the codec puts it in its place before a request is read.
"""

from typing import Any

from hypothesis import strategies as st

from tests.properties.chat_wire import ARGUMENTS, BREAKPOINT, PDF, PNG
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

MARKS = {"prompt_cache_breakpoint": BREAKPOINT}
STORED = {"id": words, "status": "completed"}
"""The bookkeeping of a store: what the gateway's own says instead."""

TEXT_PART = thing({"type": "input_text", "text": text}, MARKS)
IMAGE_PART = thing(
    {
        "type": "input_image",
        "image_url": st.sampled_from(["https://example.test/a.png", f"data:image/png;base64,{PNG}"]),
    },
    {**MARKS, "detail": st.sampled_from(["auto", "low", "high", "original"])},
)
FILE_PART = one_of(
    thing({"type": "input_file", "file_data": f"data:application/pdf;base64,{PDF}"}, {**MARKS, "filename": words}),
    thing({"type": "input_file", "file_url": "https://example.test/a.pdf"}, MARKS),
    thing({"type": "input_file", "file_id": words}, MARKS),
)
AUDIO_PART = thing(
    {"type": "input_audio", "input_audio": thing({"data": PDF, "format": st.sampled_from(["wav", "mp3"])})}
)
OTHER_PART = thing({"type": "x_new_part", "value": objects})
USER_PARTS = one_of(TEXT_PART, IMAGE_PART, FILE_PART, AUDIO_PART, OTHER_PART)
OUTPUT_PARTS = one_of(TEXT_PART, IMAGE_PART)
CITATION = one_of(
    thing({"type": "url_citation", "url": "https://example.test", "title": text, "start_index": 0, "end_index": 1}),
    thing({"type": "file_citation", "file_id": words, "filename": words, "index": counts}),
)
LOGPROB = thing({"token": words, "logprob": -0.5, "bytes": st.just([97]), "top_logprobs": st.just([])})
SAID_PARTS = one_of(
    thing({"type": "output_text", "text": text, "annotations": st.lists(CITATION, max_size=2)}),
    thing({"type": "output_text", "text": filled, "annotations": st.just([]), "logprobs": st.just([])}),
    thing({"type": "refusal", "refusal": filled}),
)

ASKED = thing(
    {"role": st.sampled_from(["user", "system", "developer"]), "content": one_of(filled, st.lists(USER_PARTS))},
    {**STORED, "type": "message", "x_unknown": objects},
)
SAID = thing(
    {"type": "message", "role": "assistant", "content": one_of(filled, st.lists(SAID_PARTS, min_size=1, max_size=2))},
    {**STORED, "phase": st.sampled_from(["commentary", "final_answer"])},
)
SUMMARY = thing({"type": "summary_text", "text": filled})
THOUGHT = thing(
    {"type": "reasoning", "summary": st.lists(SUMMARY, max_size=2)},
    {
        **STORED,
        "encrypted_content": filled,
        "content": st.lists(thing({"type": "reasoning_text", "text": filled}), max_size=1),
    },
)
WEB_SEARCH = thing(
    {"type": "web_search_call", "id": words, "status": "completed"},
    {"action": thing({"type": "search", "query": filled})},
)
PICTURE = thing({"type": "image_generation_call", "id": words, "result": PNG}, {"output_format": "png"})
COMPACTION = thing({"type": "compaction", "encrypted_content": filled}, {"id": words})
UNKNOWN_ITEM = thing({"type": "x_new_item", "value": objects})
BESIDE = one_of(THOUGHT, WEB_SEARCH, PICTURE, COMPACTION, UNKNOWN_ITEM)

FUNCTION_CALL = thing({"type": "function_call", "name": words, "arguments": ARGUMENTS}, {**STORED, "namespace": words})
CUSTOM_CALL = thing({"type": "custom_tool_call", "name": words, "input": text}, {**STORED, "namespace": words})
PATCH_CALL = thing(
    {
        "type": "apply_patch_call",
        "operation": thing({"type": "update_file", "path": words, "diff": text}),
    },
    STORED,
)
SHELL_CALL = thing(
    {"type": "shell_call", "action": thing({"commands": st.just(["ls"])}, {"timeout_ms": counts})}, STORED
)
LOCAL_SHELL_CALL = thing(
    {
        "type": "local_shell_call",
        "action": thing({"type": "exec", "command": st.just(["ls"]), "env": {}}),
    },
    STORED,
)
SEARCH_CALL = thing({"type": "tool_search_call", "execution": "client", "arguments": thing({"query": filled})}, STORED)
CALLS = one_of(FUNCTION_CALL, FUNCTION_CALL, CUSTOM_CALL, PATCH_CALL, SHELL_CALL, LOCAL_SHELL_CALL, SEARCH_CALL)


def _name_of(tool: Json) -> str:
    """No two tools have one name, and a tool that has none comes once."""
    return tool.get("name") or tool["type"]


FUNCTION_TOOL = thing(
    {"type": "function", "name": words, "parameters": schemas, "strict": flags},
    {"description": text, "defer_loading": flags},
)
CUSTOM_TOOL = thing(
    {"type": "custom", "name": words},
    {
        "description": text,
        "format": one_of(
            {"type": "text"},
            thing({"type": "grammar", "definition": filled, "syntax": st.sampled_from(["lark", "regex"])}),
        ),
    },
)
NAMESPACE = thing(
    {
        "type": "namespace",
        "name": words,
        "description": filled,
        "tools": st.lists(FUNCTION_TOOL, min_size=1, max_size=2, unique_by=_name_of),
    }
)
TOOLS = one_of(
    FUNCTION_TOOL,
    FUNCTION_TOOL,
    CUSTOM_TOOL,
    NAMESPACE,
    {"type": "apply_patch"},
    {"type": "shell"},
    {"type": "local_shell"},
    thing({"type": "tool_search", "execution": "client"}, {"description": text}),
    thing(
        {"type": st.sampled_from(["web_search", "web_search_preview"])},
        {
            "search_context_size": st.sampled_from(["low", "medium", "high"]),
            "filters": thing({"allowed_domains": st.just(["example.test"])}),
        },
    ),
    thing({"type": "x_hosted", "value": objects}),
)

OPTIONS: dict[str, Any] = {
    "context_management": st.just([{"type": "compaction", "compact_threshold": 1000}]),
    "include": st.lists(
        st.sampled_from(
            ["reasoning.encrypted_content", "message.output_text.logprobs", "web_search_call.action.sources"]
        ),
        unique=True,
        max_size=2,
    ),
    "instructions": text,
    "max_output_tokens": st.integers(1, 100_000),
    "max_tool_calls": counts,
    "metadata": st.dictionaries(words, words, max_size=2) | thing({"user_id": words}),
    "moderation": thing({"model": words}),
    "parallel_tool_calls": flags,
    "prompt_cache_key": words,
    "prompt_cache_retention": st.sampled_from(["in_memory", "24h"]),
    "reasoning": thing(
        {},
        {
            "effort": st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh", "max"]),
            "summary": st.sampled_from(["auto", "concise", "detailed"]),
            "context": st.sampled_from(["auto", "all_turns"]),
        },
    ),
    "service_tier": st.sampled_from(["auto", "default", "flex", "scale", "priority"]),
    "store": flags,
    "stream": flags,
    "stream_options": thing({}, {"include_obfuscation": flags}),
    "temperature": ratios | st.just(1.5),
    "text": thing(
        {},
        {
            "format": one_of(
                {"type": "text"},
                {"type": "json_object"},
                thing(
                    {"type": "json_schema", "name": words, "schema": schemas}, {"strict": flags, "description": text}
                ),
            ),
            "verbosity": st.sampled_from(["low", "medium", "high"]),
        },
    ),
    "top_logprobs": st.integers(0, 20),
    "top_p": ratios,
    "truncation": st.sampled_from(["auto", "disabled"]),
    "x_unknown": objects,
}
USERS = one_of(
    {}, thing({"user": words}), thing({"safety_identifier": words | st.text("ab", min_size=65, max_size=70)})
)
"""Who asks, under the old name or the new: of two the new one counts."""

_OUTPUTS: dict[str, tuple[str, str, st.SearchStrategy[Any]]] = {
    "function_call": ("function_call_output", "output", one_of(text, st.lists(OUTPUT_PARTS, max_size=2))),
    "custom_tool_call": ("custom_tool_call_output", "output", one_of(text, st.lists(OUTPUT_PARTS, max_size=2))),
    "apply_patch_call": ("apply_patch_call_output", "output", text),
    "shell_call": (
        "shell_call_output",
        "output",
        st.lists(
            thing({"stdout": text, "stderr": text, "outcome": thing({"type": "exit", "exit_code": 0})}), max_size=1
        ),
    ),
    "local_shell_call": ("local_shell_call_output", "output", text),
    "tool_search_call": ("tool_search_output", "tools", st.lists(FUNCTION_TOOL, max_size=1)),
}
"""By the type of a call: the type of its output, where that holds what was answered, and what."""


@st.composite
def turns(draw: st.DrawFn, serial: int) -> list[Json]:
    """An answer, with the outputs of the tools it called."""
    items: list[Json] = draw(st.lists(one_of(SAID, BESIDE), max_size=2))
    calls = [{"call_id": f"call_{serial}_{n}", **call} for n, call in enumerate(draw(st.lists(CALLS, max_size=2)))]
    for call in calls:
        if call["type"] in ("apply_patch_call", "shell_call"):
            call["status"] = "completed"
    outputs: list[Json] = []
    for call in calls:
        kind, key, answers = _OUTPUTS[call["type"]]
        output: Json = {"type": kind, "call_id": call["call_id"], key: draw(answers), **draw(thing({}, STORED))}
        if kind == "apply_patch_call_output":
            output["status"] = draw(st.sampled_from(["completed", "failed"]))
        outputs.append(output)
    return [*items, *calls, *outputs]


@st.composite
def requests(draw: st.DrawFn) -> Json:
    """A body that OpenAI or a compatible server would take."""
    items: list[Json] = []
    for serial in range(draw(st.integers(0, 2))):
        items += [draw(ASKED), *draw(turns(serial))]
    if draw(st.integers(0, 5)) == 0:
        items.append(
            {"type": "additional_tools", "role": "developer", "tools": [{**draw(FUNCTION_TOOL), "name": "placed"}]}
        )
    items.append({"role": "user", "content": draw(filled)})
    body: Json = {"model": draw(words), "input": draw(filled) if len(items) == 1 and draw(flags) else items}
    tools: list[Json] = draw(st.lists(TOOLS, max_size=3, unique_by=_name_of))
    if tools:
        body["tools"] = tools
        names = [tool["name"] for tool in tools if tool["type"] == "function"]
        body |= draw(thing({}, {"tool_choice": _choices(names)}))
    for name in sorted(draw(st.sets(st.sampled_from(sorted(OPTIONS)), max_size=6))):
        body[name] = draw(OPTIONS[name])
    return body | draw(USERS)


def _choices(names: list[str]) -> st.SearchStrategy[Any]:
    words_only = st.sampled_from(["none", "auto", "required"])
    if not names:
        return words_only
    function = thing({"type": "function", "name": st.sampled_from(names)})
    allowed = thing(
        {"type": "allowed_tools", "mode": st.sampled_from(["auto", "required"]), "tools": st.lists(function)}
    )
    return one_of(words_only, function, allowed)


USAGE = thing(
    {"input_tokens": counts, "output_tokens": counts},
    {
        "input_tokens_details": thing(
            {}, {"cached_tokens": counts, "cache_write_tokens": counts, "audio_tokens": counts}
        ),
        "output_tokens_details": thing({}, {"reasoning_tokens": counts, "audio_tokens": counts}),
        "x_cost": ratios,
    },
).map(lambda usage: {**usage, "total_tokens": usage["input_tokens"] + usage["output_tokens"]})

ENDS = one_of(
    {"status": "completed"},
    thing(
        {
            "status": "incomplete",
            "incomplete_details": thing({"reason": st.sampled_from(["max_output_tokens", "content_filter"])}),
        }
    ),
)
ANSWER_ITEMS = one_of(
    thing(
        {"type": "message", "role": "assistant", "content": st.lists(SAID_PARTS, min_size=1, max_size=2)},
        {"phase": "final_answer"},
    ),
    thing(
        {"type": "reasoning", "summary": st.lists(SUMMARY, max_size=2)},
        {"encrypted_content": filled},
    ),
    WEB_SEARCH,
    PICTURE,
    COMPACTION,
)
ANSWER_CALLS = one_of(FUNCTION_CALL, CUSTOM_CALL, PATCH_CALL, SHELL_CALL, LOCAL_SHELL_CALL, SEARCH_CALL)


@st.composite
def responses(draw: st.DrawFn) -> Json:
    """A whole answer."""
    items: list[Json] = draw(st.lists(ANSWER_ITEMS, max_size=3))
    items += [{**call, "call_id": f"call_{n}"} for n, call in enumerate(draw(st.lists(ANSWER_CALLS, max_size=2)))]
    output = [{**item, "id": f"item_{n}", "status": "completed"} for n, item in enumerate(items)]
    for item in output:
        if item["type"] in ("reasoning", "compaction"):
            del item["status"]
    head: Json = {"id": f"resp_{draw(words)}", "object": "response", "created_at": 1700000000, "model": draw(words)}
    optional = {"service_tier": "default", "x_vendor": objects}
    return {**head, **draw(ENDS), "output": output, "usage": draw(USAGE), **draw(thing({}, optional))}


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """The same answer told piece by piece, with either kind of line end."""
    answer = draw(responses())
    begun: Json = {**answer, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    events: list[Json] = [{"type": f"response.{word}", "response": begun} for word in ("created", "in_progress")]
    for index, item in enumerate(answer["output"]):
        told = _item_events(item, draw(st.integers(0, 9)))
        events += [{**event, "output_index": index, "item_id": item["id"]} for event in told]
    events.append({"type": f"response.{answer['status']}", "response": answer})
    lines = [
        f"event: {event['type']}\ndata: {dumps({**event, 'sequence_number': number}).decode()}\n\n"
        for number, event in enumerate(events)
    ]
    if draw(st.integers(0, 9)) == 0:
        lines.insert(1, ": waiting\n\n")
    return "".join(lines).replace("\n", draw(st.sampled_from(["\n", "\r\n"]))).encode()


def _item_events(item: Json, cut: int) -> list[Json]:
    """One item begun, filled, and done."""
    begun: Json = dict(item)
    middle: list[Json] = []
    match item["type"]:
        case "message":
            begun["content"] = []
            middle = [event for index, part in enumerate(item["content"]) for event in _part_events(part, index, cut)]
        case "reasoning":
            begun["summary"] = []
            for index, piece in enumerate(item["summary"]):
                middle += _summary_events(piece, index, cut)
        case "function_call" | "custom_tool_call" as kind:
            plain = kind == "function_call"
            key, word = ("arguments", "function_call_arguments") if plain else ("input", "custom_tool_call_input")
            begun[key] = ""
            pieces = (item[key][:cut], item[key][cut:])
            middle = [{"type": f"response.{word}.delta", "delta": piece} for piece in pieces]
            middle.append({"type": f"response.{word}.done", key: item[key]})
        case _:
            pass
    if "status" in begun:
        begun["status"] = "in_progress"
    added: Json = {"type": "response.output_item.added", "item": begun}
    return [added, *middle, {"type": "response.output_item.done", "item": item}]


def _part_events(part: Json, index: int, cut: int) -> list[Json]:
    key = "refusal" if part["type"] == "refusal" else "text"
    word = "refusal" if key == "refusal" else "output_text"
    events: list[Json] = [{"type": "response.content_part.added", "part": {**part, key: "", **_bare(part)}}]
    events += [{"type": f"response.{word}.delta", "delta": piece} for piece in (part[key][:cut], part[key][cut:])]
    events += [
        {"type": "response.output_text.annotation.added", "annotation": entry, "annotation_index": number}
        for number, entry in enumerate(part.get("annotations", ()))
    ]
    events += [{"type": f"response.{word}.done", key: part[key]}, {"type": "response.content_part.done", "part": part}]
    return [{**event, "content_index": index} for event in events]


def _bare(part: Json) -> Json:
    return {"annotations": []} if "annotations" in part else {}


def _summary_events(piece: Json, index: int, cut: int) -> list[Json]:
    said = piece["text"]
    events: list[Json] = [{"type": "response.reasoning_summary_part.added", "part": {**piece, "text": ""}}]
    for delta in (said[:cut], said[cut:]):
        events.append({"type": "response.reasoning_summary_text.delta", "delta": delta})
    events += [
        {"type": "response.reasoning_summary_text.done", "text": said},
        {"type": "response.reasoning_summary_part.done", "part": piece},
    ]
    return [{**event, "summary_index": index} for event in events]
