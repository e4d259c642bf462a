from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.protocols.fields import Fields
from anykey.protocols.gemini_generate.spelling import camel, camel_key, fields_of, is_array, is_object, nested


@pytest.mark.parametrize(
    ("key", "spelled"),
    [
        ("functionCall", "functionCall"),
        ("function_call", "functionCall"),
        ("top_k", "topK"),
        ("_x_y", "_x_y"),
        ("a__b", "aB"),
    ],
)
def test_a_key_is_camel_case(key: str, spelled: str) -> None:
    assert camel_key(key) == spelled


def test_only_the_keys_of_this_object_are_respelled() -> None:
    assert camel({"function_call": {"args": {"file_path": 1}}}, "p") == {"functionCall": {"args": {"file_path": 1}}}
    value = {"functionCall": 1}
    assert camel(value, "p") is value


@pytest.mark.parametrize(
    ("value", "message"),
    [([], "p: expected an object, got an array"), ({"top_k": 1, "topK": 2}, "p.topK: .* both spellings")],
)
def test_what_cannot_be_read_is_named(value: Any, message: str) -> None:
    with pytest.raises(FailureError, match=message):
        camel(value, "p")


def test_cursors_read_either_spelling() -> None:
    fields = fields_of({"tool_config": {"a_b": 1}}, "")
    inner = nested(fields, "toolConfig")
    assert inner is not None
    assert (inner.path, inner.integer("aB")) == ("toolConfig", 1)
    assert nested(Fields({}), "toolConfig") is None


def test_shapes() -> None:
    assert is_object({})
    assert not is_object([])
    assert is_array([])
    assert not is_array({})
