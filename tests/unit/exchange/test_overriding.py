"""Fields set from outside, the rest of the body as it was."""

import json

import pytest

from anykey.exchange.overriding import apply_overrides

BODY = (
    b'{"model": "m", "temperature": 1.0, "messages": [{"role":"user",  "content":"\\u00e9 \\/"}], '
    b'"seed": 12345678901234567890}'
)


def test_what_is_not_named_keeps_its_bytes_and_its_order() -> None:
    changed = apply_overrides(BODY, [("temperature", b"0.5"), ("stop", b'["x"]')])
    assert b'[{"role":"user",  "content":"\\u00e9 \\/"}]' in changed
    assert b"12345678901234567890" in changed
    assert list(json.loads(changed)) == ["model", "temperature", "messages", "seed", "stop"]
    assert json.loads(changed) == json.loads(BODY) | {"temperature": 0.5, "stop": ["x"]}


def test_null_removes() -> None:
    assert "temperature" not in json.loads(apply_overrides(BODY, [("temperature", b"null"), ("absent", b"null")]))


@pytest.mark.parametrize(
    "overrides", [[], [("temperature", b"1.0")], [("absent", b"null")], [("seed", b"12345678901234567890")]]
)
def test_a_body_that_does_not_change_is_the_same_object(overrides: list[tuple[str, bytes]]) -> None:
    assert apply_overrides(BODY, overrides) is BODY


def test_a_field_that_stands_there_twice_is_set_once() -> None:
    changed = apply_overrides(b'{"n": 1, "model": "m", "n": 2}', [("n", b"3")])
    assert changed.count(b'"n"') == 1
    assert json.loads(changed) == {"n": 3, "model": "m"}


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"\xff", b"[" * 5000])
def test_what_is_no_object_is_left_to_be_refused(body: bytes) -> None:
    assert apply_overrides(body, [("n", b"3")]) is body
