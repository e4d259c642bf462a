"""Missing and null fields are empty; a wrong type is the caller's mistake and is named."""

from collections.abc import Callable
from typing import Any

import pytest

from anykey.demo import fields
from anykey.demo.prompt import BadRequestError


@pytest.mark.parametrize("body", [{}, {"x": None}])
def test_nothing_is_empty(body: dict[str, Any]) -> None:
    assert fields.text_field(body, "x") == ""
    assert fields.object_field(body, "x") == {}
    assert fields.objects_field(body, "x") == []
    assert fields.limit_field(body, "x") is None
    assert fields.content_parts(body, "x") == []


WRONG: list[tuple[Callable[[dict[str, Any], str], object], object, str]] = [
    (fields.text_field, 1, "x"),
    (fields.required_text, "", "x"),
    (fields.object_field, [], "x"),
    (fields.objects_field, {}, "x"),
    (fields.objects_field, [{}, 1], "x.1"),
    (fields.limit_field, 0, "x"),
    (fields.limit_field, True, "x"),
    (fields.limit_field, "5", "x"),
]


@pytest.mark.parametrize(("read", "value", "names"), WRONG)
def test_a_wrong_type_is_named(read: Callable[[dict[str, Any], str], object], value: object, names: str) -> None:
    with pytest.raises(BadRequestError, match=rf"^{names}: "):
        read({"x": value}, "x")


def test_content_is_a_string_or_parts() -> None:
    parts = fields.content_parts(
        {"content": [{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}]}
    )
    assert fields.joined_text(parts) == "a\nb"
    assert fields.joined_text(fields.content_parts({"content": "c"})) == "c"
