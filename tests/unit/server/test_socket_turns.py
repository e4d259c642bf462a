"""What a WebSocket remembers, and how much of it."""

import msgspec
import pytest

from anykey.server.socket_turns import MOST_KEPT, Fields, Turns, input_items, join_items, text_field


def fields(text: str) -> Fields:
    return msgspec.json.decode(text, type=Fields)


@pytest.mark.parametrize(
    ("body", "items"),
    [
        ('{"input": [ {"a": 1}, {"b": [2]} ]}', b'{"a": 1}, {"b": [2]}'),
        ('{"input": "say \\"hi\\""}', b'{"type":"message","role":"user","content":"say \\"hi\\""}'),
        ('{"input": []}', b""),
        ('{"input": null}', b""),
        ("{}", b""),
    ],
)
def test_the_items_of_an_input(body: str, items: bytes) -> None:
    assert input_items(fields(body)) == items


def test_items_are_joined_as_they_are() -> None:
    assert join_items(b"", b'{"a": 1}', b"", b"2") == b'{"a": 1},2'


def test_the_oldest_is_forgotten() -> None:
    turns = Turns(1000)
    for number in range(MOST_KEPT + 1):
        turns.keep(f"resp_{number}", b"x")
    assert turns.get("resp_0") is None
    assert turns.get("resp_1") == b"x"


def test_bytes_are_bounded() -> None:
    turns = Turns(10)
    turns.keep("a", b"12345")
    turns.keep("b", b"12345")
    assert (turns.get("a"), turns.get("b")) == (b"12345", b"12345")
    turns.keep("b", b"123456")
    assert (turns.get("a"), turns.get("b")) == (None, b"123456")
    turns.keep("c", b"x" * 11)
    assert (turns.get("b"), turns.get("c")) == (None, None)


def test_a_field_that_is_a_text() -> None:
    given = fields('{"a": "\\u00e9", "b": 1, "c": null}')
    assert [text_field(given, name) for name in "abcd"] == ["é", None, None, None]
