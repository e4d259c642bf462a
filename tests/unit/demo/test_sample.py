"""The smallest value is valid for its schema."""

from typing import Any

import pytest

from anykey.demo.sample import sample


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "demo"),
        ({"type": "string", "minLength": 6, "maxLength": 7}, "demo.."),
        ({"type": "string", "maxLength": 2}, "de"),
        ({"type": "string", "format": "date"}, "2026-01-01"),
        ({"type": "integer"}, 0),
        ({"type": "integer", "minimum": -9, "exclusiveMinimum": 0}, 1),
        ({"type": "integer", "minimum": 3, "multipleOf": 5}, 5),
        ({"type": "number", "maximum": -2.5}, -2.5),
        ({"type": "integer", "exclusiveMaximum": 0}, -1),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": ["null", "integer"]}, 0),
        ({"enum": ["a", "b"]}, "a"),
        ({"const": 7}, 7),
        ({"type": "array", "items": {"type": "integer"}}, []),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [0, 0]),
        ({"prefixItems": [{"type": "integer"}, {"type": "string"}]}, [0, "demo"]),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, True),
        ({"properties": {"a": {"type": "integer"}, "b": {}}, "required": ["a"]}, {"a": 0}),
        ({"type": "object"}, {}),
        (True, None),
    ],
)
def test_one_kind(schema: Any, value: Any) -> None:
    assert sample(schema) == value


def test_definitions_are_followed() -> None:
    schema = {
        "type": "object",
        "properties": {"place": {"$ref": "#/$defs/Place"}},
        "required": ["place"],
        "$defs": {"Place": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}},
    }
    assert sample(schema, "Paris") == {"place": {"city": "Paris"}}


def test_all_of_joins_properties_and_requirements() -> None:
    one = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    two = {"properties": {"b": {"type": "string"}}, "required": ["b"]}
    assert sample({"allOf": [one, two]}) == {"a": 0, "b": "demo"}


def test_a_recursive_schema_ends() -> None:
    node: dict[str, Any] = {
        "type": "object",
        "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}},
        "required": ["next"],
    }
    value = sample(node)
    while value is not None:
        assert set(value) == {"next"}
        value = value["next"]


def test_a_schema_that_only_refers_to_itself_ends() -> None:
    assert sample({"$ref": "#"}) is None or isinstance(sample({"$ref": "#"}), str)
