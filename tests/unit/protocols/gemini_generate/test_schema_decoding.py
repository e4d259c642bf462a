from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.protocols.gemini_generate.schema_decoding import decode_schema


@pytest.mark.parametrize(
    ("schema", "read"),
    [
        ({"type": "STRING"}, {"type": "string"}),
        ({"type": ["STRING", "NULL"]}, {"type": ["string", "null"]}),
        ({"type": "TYPE_UNSPECIFIED", "title": "t"}, {"title": "t"}),
        ({"type": "STRING", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "STRING", "nullable": False}, {"type": "string"}),
        ({"type": "STRING", "enum": ["a"], "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"anyOf": [{"type": "STRING"}], "nullable": True}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ({"type": "INTEGER", "example": 3, "description": None}, {"type": "integer", "examples": [3]}),
        (
            {"type": "ARRAY", "items": {"type": "NUMBER"}, "min_items": "2"},
            {"type": "array", "items": {"type": "number"}, "minItems": 2},
        ),
        (
            {"ref": "#/defs/a", "defs": {"a": {"type": "BOOLEAN"}}},
            {"$ref": "#/defs/a", "$defs": {"a": {"type": "boolean"}}},
        ),
        ({"any_of": [{"type": "STRING"}, True]}, {"anyOf": [{"type": "string"}, True]}),
        (
            {"type": "OBJECT", "additionalProperties": {"type": "STRING"}},
            {"type": "object", "additionalProperties": {"type": "string"}},
        ),
    ],
)
def test_a_schema_of_google_is_json_schema(schema: dict[str, Any], read: dict[str, Any]) -> None:
    assert decode_schema(schema, "p") == read


def test_properties_stand_in_their_ordering_and_keep_their_names() -> None:
    schema = {
        "type": "OBJECT",
        "properties": {"a_b": {"type": "STRING"}, "type": {"type": "STRING"}, "c": {}},
        "property_ordering": ["c", "gone", "type", "c"],
    }
    read = decode_schema(schema, "p")
    assert list(read["properties"]) == ["c", "type", "a_b"]
    assert read["properties"]["type"] == {"type": "string"}
    assert "propertyOrdering" not in read


def test_a_schema_of_json_schema_stays() -> None:
    schema = {
        "type": "object",
        "properties": {"x": {"const": "A", "type": "string"}},
        "required": ["x"],
        "enum": [{"type": "B"}],
    }
    assert decode_schema(schema, "p") == schema


def test_a_schema_that_never_ends_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(5000):
        schema = {"items": schema}
    with pytest.raises(FailureError, match="p: the schema nests too deeply"):
        decode_schema(schema, "p")
