from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.losses import LossLog
from anykey.protocols.gemini_generate.schema_encoding import encode_schema


def written(schema: Any) -> tuple[dict[str, Any], list[str]]:
    log = LossLog("request")
    return encode_schema(schema, "s", log), [f"{loss.kind}:{loss.path}" for loss in log.losses]


@pytest.mark.parametrize(
    ("schema", "wire", "losses"),
    [
        ({"type": "string", "title": "t", "minLength": 1}, {"type": "STRING", "title": "t", "minLength": 1}, []),
        ({"type": ["string", "null"]}, {"type": "STRING", "nullable": True}, []),
        ({"type": "null"}, {"type": "NULL"}, []),
        (
            {"type": ["string", "integer"]},
            {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]},
            ["approximated:s.type"],
        ),
        ({"const": "a"}, {"type": "STRING", "enum": ["a"]}, []),
        ({"enum": ["a", None]}, {"type": "STRING", "enum": ["a"], "nullable": True}, []),
        (
            {"type": "integer", "enum": [1, True, ""]},
            {"type": "STRING", "enum": ["1", "true"]},
            ["dropped:s.enum", "approximated:s.enum"],
        ),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": "STRING", "nullable": True}, []),
        (
            {"oneOf": [{"type": "string"}, {"type": "number"}]},
            {"anyOf": [{"type": "STRING"}, {"type": "NUMBER"}]},
            ["approximated:s.oneOf"],
        ),
        (
            {"type": "integer", "exclusiveMinimum": 0},
            {"type": "INTEGER", "minimum": 1},
            ["emulated:s.exclusiveMinimum"],
        ),
        (
            {"type": "number", "exclusiveMaximum": 1},
            {"type": "NUMBER", "maximum": 1},
            ["approximated:s.exclusiveMaximum"],
        ),
        ({"type": "number", "exclusiveMinimum": True}, {"type": "NUMBER"}, ["dropped:s.exclusiveMinimum"]),
        ({"type": "string", "format": "uri"}, {"type": "STRING"}, ["dropped:s.format"]),
        ({"type": "string", "format": "date-time"}, {"type": "STRING", "format": "date-time"}, []),
        ({"type": "array"}, {"type": "ARRAY", "items": {"type": "STRING"}}, ["approximated:s.items"]),
        ({"type": "array", "items": True}, {"type": "ARRAY", "items": {"type": "STRING"}}, ["approximated:s.items"]),
        ({"properties": {"a": {"type": "string"}}}, {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}, []),
        (
            {"type": "object", "additionalProperties": False, "$schema": "x"},
            {"type": "OBJECT"},
            ["dropped:s.additionalProperties", "dropped:s.$schema"],
        ),
        (
            {"allOf": [{"type": "object", "required": ["a"]}, {"required": ["b"]}]},
            {"type": "OBJECT", "required": ["a", "b"]},
            ["approximated:s.allOf"],
        ),
    ],
)
def test_a_schema_is_sent_in_the_subset(schema: dict[str, Any], wire: dict[str, Any], losses: list[str]) -> None:
    assert written(schema) == (wire, losses)


def test_references_are_written_out() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/Name", "description": "d"}, "b": {"$ref": "#/$defs/none"}},
        "$defs": {"Name": {"type": "string"}},
    }
    wire, losses = written(schema)
    assert wire == {
        "type": "OBJECT",
        "properties": {"a": {"type": "STRING", "description": "d"}, "b": {"type": "OBJECT"}},
    }
    assert losses == ["approximated:s.properties.b"]


def test_a_schema_that_holds_itself_ends() -> None:
    schema = {
        "$ref": "#/$defs/Tree",
        "$defs": {"Tree": {"type": "object", "properties": {"left": {"$ref": "#/$defs/Tree"}}}},
    }
    assert written(schema) == (
        {"type": "OBJECT", "properties": {"left": {"type": "OBJECT"}}},
        ["approximated:s.properties.left"],
    )


def test_a_schema_that_nests_too_deeply_is_refused() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(80):
        schema = {"type": "array", "items": schema}
    with pytest.raises(FailureError, match="nests too deeply"):
        written(schema)
