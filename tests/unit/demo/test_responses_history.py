"""What the items of a conversation may be, one rule of the API each."""

from typing import Any

import pytest

from anykey.demo.prompt import BadRequestError, Turn
from anykey.demo.responses_history import check_items, input_items, reasoning_id, turns
from anykey.demo.signing import sign

USER: dict[str, Any] = {"type": "message", "role": "user", "content": "go"}
SAID: dict[str, Any] = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "ok"}]}
CALL: dict[str, Any] = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
OTHER: dict[str, Any] = {**CALL, "call_id": "c2"}
OUTPUT: dict[str, Any] = {"type": "function_call_output", "call_id": "c1", "output": "18 C"}
OTHER_OUTPUT: dict[str, Any] = {**OUTPUT, "call_id": "c2", "output": [{"type": "input_text", "text": "21 C"}]}
THOUGHT: dict[str, Any] = {"type": "reasoning", "summary": [], "encrypted_content": sign("encrypted_content", "d")}


def test_items_become_turns() -> None:
    items = [USER, THOUGHT, CALL, OTHER, OUTPUT, OTHER_OUTPUT, SAID]
    check_items(items, strict=True)
    results = (Turn("user", results=("18 C",)), Turn("user", results=("21 C",)))
    assert turns(items) == (Turn("user", "go"), Turn("assistant"), Turn("assistant"), *results, Turn("assistant", "ok"))


def test_text_is_a_user_message_and_a_type_may_be_missing() -> None:
    assert input_items({"input": "go"}) == [USER]
    assert input_items({"input": [{"role": "user", "content": "go"}]}) == [USER]


def test_reasoning_may_come_back_with_its_own_id_or_none() -> None:
    for name in ({}, {"id": None}, {"id": reasoning_id("d")}):
        check_items([USER, {**THOUGHT, **name}, SAID], strict=False)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([USER, CALL], "No tool output found for function call c1"),
        ([USER, OUTPUT], "No tool call found for function call output with call_id c1"),
        ([USER, CALL, {**OUTPUT, "type": "custom_tool_call_output"}], "No tool call found for custom tool call output"),
        ([USER, CALL, OUTPUT, OUTPUT], "No tool call found"),
        ([USER, THOUGHT], "without its required following item"),
        ([USER, THOUGHT, USER], "without its required following item"),
        ([USER, {**THOUGHT, "encrypted_content": "gAAAA"}, SAID], "could not be decrypted"),
        ([USER, {**THOUGHT, "encrypted_content": None, "id": "rs_1"}, SAID], "'rs_1' of type 'reasoning' not found"),
        ([USER, {**THOUGHT, "id": "rs_1"}, SAID], "did not match the target item id"),
    ],
)
def test_what_the_api_refuses(items: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(BadRequestError, match=message):
        check_items(items, strict=False)


def test_the_strict_model_wants_reasoning_before_every_round_of_calls() -> None:
    second = [{**CALL, "call_id": "c3"}, {**OUTPUT, "call_id": "c3"}]
    forgetful = [USER, THOUGHT, CALL, OUTPUT, *second]
    with pytest.raises(BadRequestError, match="without its required 'reasoning' item"):
        check_items(forgetful, strict=True)
    check_items([USER, THOUGHT, CALL, OUTPUT, THOUGHT, *second], strict=True)
    check_items([USER, THOUGHT, SAID, CALL, OUTPUT], strict=True)
    check_items([*forgetful, SAID, USER], strict=True)
    check_items(forgetful, strict=False)
