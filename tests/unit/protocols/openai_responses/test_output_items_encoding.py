from typing import Any

import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Citation, MediaPart, OpaquePart, OpaqueState, Part, ReasoningPart, ToolCallPart
from anykey.protocols.openai_responses.output_items import decode_item
from anykey.protocols.openai_responses.output_items_encoding import (
    annotations_of,
    call_item,
    reasoning_item,
    spelled_logprobs,
    whole_item,
    whole_type,
)


def codes(log: LossLog) -> list[str]:
    return [loss.code for loss in log.losses]


CALLS: list[tuple[ToolCallPart, dict[str, Any]]] = [
    (ToolCallPart("c", "f", ""), {"type": "function_call", "name": "f", "arguments": "{}"}),
    (
        ToolCallPart("c", "f", "{}", namespace="n"),
        {"type": "function_call", "name": "f", "arguments": "{}", "namespace": "n"},
    ),
    (ToolCallPart("c", "f", "x", "custom"), {"type": "custom_tool_call", "name": "f", "input": "x"}),
    (
        ToolCallPart("c", "apply_patch", '{"operation":{"type":"delete_file","path":"a"}}', "apply_patch"),
        {"type": "apply_patch_call", "operation": {"type": "delete_file", "path": "a"}},
    ),
    (
        ToolCallPart("c", "shell", '{"commands":["ls"]}', "shell"),
        {"type": "shell_call", "action": {"commands": ["ls"]}},
    ),
    (
        ToolCallPart("c", "tool_search", '{"query":"x"}', "tool_search"),
        {"type": "tool_search_call", "execution": "client", "arguments": {"query": "x"}},
    ),
]


@pytest.mark.parametrize(
    ("call", "item"), CALLS, ids=lambda value: value.kind if isinstance(value, ToolCallPart) else ""
)
def test_a_call_has_the_item_of_its_kind_and_comes_back(call: ToolCallPart, item: dict[str, Any]) -> None:
    log = LossLog("response")
    told = call_item(call, "x_1", "completed", "p", log)
    assert told == {"id": "x_1", "call_id": "c", "status": "completed", **item}
    assert not log.losses
    (again,) = decode_item(told)
    assert isinstance(again, ToolCallPart)
    assert (again.id, again.name, again.kind, again.namespace) == (call.id, call.name, call.kind, call.namespace)
    assert again.arguments == (call.arguments or "{}")


def test_a_patch_that_is_no_object_is_told_as_a_function_s_call() -> None:
    log = LossLog("response")
    item = call_item(ToolCallPart("c", "apply_patch", "*** Begin", "apply_patch"), "x", "completed", "p", log)
    assert (item["type"], item["arguments"]) == ("function_call", "*** Begin")
    assert codes(log) == ["approximated:p.arguments"]


def test_only_our_own_state_is_told() -> None:
    log = LossLog("response")
    item = reasoning_item(ReasoningPart("t", OpaqueState("openai_responses", "s")), "rs_1", "p", log)
    assert item == {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "t"}],
        "encrypted_content": "s",
    }
    item = reasoning_item(ReasoningPart("", OpaqueState("anthropic_messages", "s")), "rs_1", "p", log)
    assert item == {"type": "reasoning", "id": "rs_1", "summary": []}
    assert codes(log) == ["dropped:p.state"]


def test_a_citation_without_a_place_is_of_the_whole_text() -> None:
    log = LossLog("response")
    far, near = (
        Citation("gemini_generate", {}, "https://a", None),
        Citation("gemini_generate", {}, "https://b", "t", None, 2, 4),
    )
    assert annotations_of((far, near, Citation("anthropic_messages", {}, cited_text="x")), 9, "p", log) == [
        {"type": "url_citation", "start_index": 0, "end_index": 9, "url": "https://a", "title": ""},
        {"type": "url_citation", "start_index": 2, "end_index": 4, "url": "https://b", "title": "t"},
    ]
    assert codes(log) == ["dropped:p.citations"]


def test_log_probabilities_get_what_clients_insist_on() -> None:
    bare = {"token": "é", "logprob": -1.0, "top_logprobs": [{"token": "e", "logprob": -2.0}]}
    assert spelled_logprobs([bare, {"token": "a", "bytes": [97]}]) == [
        {**bare, "bytes": [195, 169], "top_logprobs": [{"token": "e", "logprob": -2.0, "bytes": [101]}]},
        {"token": "a", "bytes": [97], "top_logprobs": []},
    ]


WHOLES: list[tuple[Part, dict[str, Any] | None]] = [
    (
        ToolCallPart("s", "web_search", '{"query":"x"}', "hosted"),
        {"type": "web_search_call", "id": "i", "status": "completed", "action": {"type": "search", "query": "x"}},
    ),
    (
        ToolCallPart("s", "web_search", "cut", "hosted"),
        {"type": "web_search_call", "id": "i", "status": "completed", "action": {"type": "search", "query": ""}},
    ),
    (ToolCallPart("s", "bash", "{}", "hosted"), None),
    (
        MediaPart("image", "image/webp", "aGk="),
        {"type": "image_generation_call", "id": "i", "status": "completed", "result": "aGk=", "output_format": "webp"},
    ),
    (MediaPart("image", url="https://a"), None),
    (MediaPart("audio", data="aGk="), None),
    (OpaquePart("openai_responses", "program", {"type": "program"}), {"type": "program"}),
    (OpaquePart("anthropic_messages", "x", {}), None),
]


@pytest.mark.parametrize(("part", "item"), WHOLES)
def test_a_part_that_comes_whole(part: Part, item: dict[str, Any] | None) -> None:
    log = LossLog("response")
    assert whole_item(part, "i", "p", log) == item
    assert whole_type(part) == (item and item["type"])
    assert codes(log) == ([] if item else ["dropped:p"])
