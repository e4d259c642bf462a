from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.parts import (
    Citation,
    MediaPart,
    OpaquePart,
    OpaqueState,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from anykey.protocols.openai_responses.output_items import decode_item, is_client_call, logprobs_of
from tests.unit.protocols.openai_responses.wire import message, text

OURS = "openai_responses"
NOTE = {"type": "url_citation", "start_index": 1, "end_index": 3, "url": "https://a", "title": "t"}
SEARCH = {"type": "search", "query": "x"}

ITEMS: list[tuple[dict[str, Any], list[Part]]] = [
    (
        message(text("hi"), phase="commentary"),
        [TextPart("hi", extras={OURS: {"message": {"id": "msg_1", "phase": "commentary"}}})],
    ),
    (
        {"type": "message", "role": "assistant", "content": [text("a", NOTE), {"type": "refusal", "refusal": "no"}]},
        [TextPart("a", citations=(Citation(OURS, NOTE, "https://a", "t", None, 1, 3),)), RefusalPart("no")],
    ),
    ({"type": "message", "role": "assistant", "content": []}, [TextPart("")]),
    ({"type": "message", "content": [{"type": "output_text"}]}, [TextPart("")]),
    (
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
        [ReasoningPart("", OpaqueState(OURS, "x"), redacted=True, extras={OURS: {"id": "rs_1"}})],
    ),
    ({"type": "reasoning", "id": "rs_1", "summary": []}, []),
    (
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}],
        },
        [
            ReasoningPart(
                "a\n\nb",
                extras={
                    OURS: {"summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}]}
                },
            )
        ],
    ),
    (
        {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "c",
            "name": "f",
            "arguments": "{}",
            "namespace": "n",
            "status": "completed",
        },
        [ToolCallPart("c", "f", "{}", extras={OURS: {"id": "fc_1"}}, namespace="n")],
    ),
    (
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": {"a": 1}},
        [ToolCallPart("c", "f", '{"a":1}')],
    ),
    ({"type": "custom_tool_call", "call_id": "c", "name": "f", "input": "x"}, [ToolCallPart("c", "f", "x", "custom")]),
    (
        {
            "type": "apply_patch_call",
            "call_id": "c",
            "operation": {"type": "delete_file", "path": "a"},
            "status": "completed",
        },
        [ToolCallPart("c", "apply_patch", '{"operation":{"type":"delete_file","path":"a"}}', "apply_patch")],
    ),
    (
        {"type": "shell_call", "call_id": "c", "action": {"commands": ["ls"]}, "status": "completed"},
        [ToolCallPart("c", "shell", '{"commands":["ls"]}', "shell")],
    ),
    (
        {
            "type": "tool_search_call",
            "call_id": "c",
            "execution": "client",
            "arguments": {"query": "x"},
            "status": "completed",
        },
        [ToolCallPart("c", "tool_search", '{"query":"x"}', "tool_search")],
    ),
    (
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": SEARCH},
        [
            ToolCallPart(
                "ws_1",
                "web_search",
                '{"type":"search","query":"x"}',
                "hosted",
                extras={OURS: {"type": "web_search_call", "status": "completed", "action": SEARCH}},
            )
        ],
    ),
    (
        {
            "type": "image_generation_call",
            "id": "ig_1",
            "status": "completed",
            "result": "aGk=",
            "output_format": "webp",
        },
        [
            MediaPart(
                "image",
                "image/webp",
                "aGk=",
                extras={
                    OURS: {"image_generation_call": {"id": "ig_1", "status": "completed", "output_format": "webp"}}
                },
            )
        ],
    ),
    (
        {"type": "compaction", "id": "cmp_1", "encrypted_content": "x"},
        [OpaquePart(OURS, "compaction", {"type": "compaction", "id": "cmp_1", "encrypted_content": "x"})],
    ),
    (
        {"type": "computer_call", "id": "cu_1"},
        [OpaquePart(OURS, "computer_call", {"type": "computer_call", "id": "cu_1"})],
    ),
]


@pytest.mark.parametrize(("item", "parts"), ITEMS)
def test_an_item_is_read(item: dict[str, Any], parts: list[Part]) -> None:
    assert decode_item(item) == parts


@pytest.mark.parametrize(
    "item",
    [
        {"type": "shell_call", "environment": {"type": "container_reference"}},
        {"type": "tool_search_call", "execution": "server", "call_id": None},
        {"type": "file_search_call", "id": "fs_1", "queries": ["x"]},
        {"type": "code_interpreter_call", "id": "ci_1", "code": "1"},
        {"type": "mcp_call", "id": "mcp_1", "name": "look", "arguments": "{}"},
        {"type": "image_generation_call", "id": "ig_1", "result": None, "status": "failed"},
    ],
)
def test_what_the_provider_runs_is_no_call_of_the_client(item: dict[str, Any]) -> None:
    assert not is_client_call(item)
    (part,) = decode_item(item)
    assert isinstance(part, ToolCallPart)
    assert part.kind == "hosted"


def test_a_call_without_an_id_gets_one_that_stays() -> None:
    item = {"type": "function_call", "name": "f", "arguments": "{}"}
    (first,), (second,) = decode_item(item), decode_item(item)
    assert isinstance(first, ToolCallPart)
    assert first.id.startswith("call_")
    assert first == second


def test_log_probabilities_are_those_of_all_texts() -> None:
    assert logprobs_of(message(text("a", logprobs=[{"token": "a"}]), text("b", logprobs=[{"token": "b"}]))) == [
        {"token": "a"},
        {"token": "b"},
    ]


def test_a_wrong_type_is_named() -> None:
    with pytest.raises(FailureError, match="name"):
        decode_item({"type": "function_call", "name": 1})
