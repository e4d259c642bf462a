"""Reading objects field by field, and saying where a body stops being JSON."""

from typing import Any

import msgspec
import pytest

from anykey.conversation.failures import FailureError
from anykey.protocols.codec import Peek
from anykey.protocols.fields import Fields, parse_json, peek_json

PEEK = msgspec.json.Decoder(Peek)


def peek(body: bytes) -> Peek:
    return peek_json(PEEK, body)


def test_what_nobody_read_is_left_and_null_is_absent() -> None:
    fields = Fields({"a": "x", "b": None, "c": 1, "d": True, "e": [1], "f": {"g": 2}, "h": 1.0, "i": 9})
    assert (fields.text("a"), fields.text("b"), fields.integer("c"), fields.flag("d")) == ("x", None, 1, True)
    assert (fields.array("e"), fields.object("f"), fields.integer("h")) == ([1], {"g": 2}, 1)
    assert fields.rest() == {"i": 9}


@pytest.mark.parametrize(
    ("read", "value", "says"),
    [
        ("text", 1, "expected a string, got a number"),
        ("flag", "x", "expected true or false, got a string"),
        ("integer", True, "expected an integer, got a boolean"),
        ("integer", 1.5, "expected an integer, got a number"),
        ("number", [], "expected a number, got an array"),
        ("object", [], "expected an object, got an array"),
        ("array", {}, "expected an array, got an object"),
        ("nested", 3, "expected an object, got a number"),
    ],
)
def test_a_wrong_type_is_named_by_its_path(read: str, value: Any, says: str) -> None:
    with pytest.raises(FailureError) as caught:
        getattr(Fields({"k": value}, "messages[0]"), read)("k")
    assert caught.value.failure.param == "messages[0].k"
    assert says in caught.value.failure.message


def test_a_required_field_and_a_wrong_body_are_named() -> None:
    with pytest.raises(FailureError, match="messages: this field is required"):
        Fields({}).required_text("messages")
    with pytest.raises(FailureError, match="expected an object, got an array"):
        Fields([])


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "it ends too early (byte 1)"),
        (b'{"model":"m",}', "byte 13"),
        (b"nonsense", "byte"),
        (b'{"model":"\xff"}', "byte"),
        (b"", "it ends too early (byte 0)"),
        (b'{"model":"a","x":' + b"[" * 200_000, "it nests too deeply"),
    ],
)
def test_garbage_is_refused_with_its_position(body: bytes, says: str) -> None:
    for read in (parse_json, peek):
        with pytest.raises(FailureError) as caught:
            read(body)
        assert caught.value.failure.kind == "invalid_request"
        assert says in caught.value.failure.message


@pytest.mark.parametrize(
    ("body", "param"),
    [(b'{"model":1}', "model"), (b'{"stream":true}', "model"), (b'{"model":"m","stream":"x"}', "stream")],
)
def test_peeking_names_the_field(body: bytes, param: str) -> None:
    with pytest.raises(FailureError) as caught:
        peek_json(PEEK, body)
    assert caught.value.failure.param == param


@pytest.mark.parametrize("value", [0, -1])
def test_a_count_is_at_least_one(value: int) -> None:
    assert (Fields({"n": 2}).count("n"), Fields({}).count("n")) == (2, None)
    with pytest.raises(FailureError, match=r"generation\.n: must be at least 1"):
        Fields({"n": value}, "generation").count("n")
