from typing import Any

import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.request import OutputFormat
from anykey.protocols.anthropic_messages.dialect import Dialect
from anykey.protocols.anthropic_messages.output_format import (
    closed,
    decode_output_format,
    encode_output_format,
    said_in_words,
)

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}


def encode(asked: OutputFormat | None, dialect: Dialect | None = None) -> tuple[Any, str | None, list[str]]:
    log = LossLog("request")
    wire, sentence = encode_output_format(asked, dialect or Dialect(), log)
    return wire, sentence, [f"{loss.kind} {loss.path}" for loss in log.losses]


def test_a_schema_comes_back() -> None:
    wire = {"type": "json_schema", "schema": SCHEMA}
    assert encode(decode_output_format(wire)) == (wire, None, [])


@pytest.mark.parametrize(
    "wire",
    [None, {"type": "grammar"}, {"type": "json_schema", "schema": {}, "new": 1}, {"type": "json_schema", "schema": 1}],
)
def test_another_format_is_left_to_the_extras(wire: Any) -> None:
    assert decode_output_format(wire) is None


def test_what_only_other_protocols_say_is_named() -> None:
    _, _, losses = encode(OutputFormat("json_schema", SCHEMA, "answer", "what", strict=True))
    assert losses == [f"dropped output_format.{name}" for name in ("name", "description", "strict")]


def test_json_without_a_schema_is_asked_for_in_words() -> None:
    wire, sentence, losses = encode(OutputFormat("json_object"))
    assert (wire, losses) == (None, ["emulated output_format"])
    assert sentence is not None
    assert "JSON object" in sentence


def test_an_upstream_without_formats_is_told_the_schema() -> None:
    wire, sentence, losses = encode(OutputFormat("json_schema", SCHEMA), Dialect(output_format=False))
    assert (wire, losses) == (None, ["emulated output_format"])
    assert sentence is not None
    assert '"additionalProperties":false' in sentence


def test_text_is_what_comes_anyway() -> None:
    assert encode(OutputFormat("text")) == encode(None) == (None, None, [])


def test_every_object_is_closed_once() -> None:
    nested: dict[str, Any] = {
        "type": "object",
        "properties": {
            "a": {"anyOf": [{"type": "object"}, {"type": "null"}]},
            "b": {"type": "array", "items": {"properties": {}}},
        },
    }
    result, changed = closed(nested)
    assert changed
    assert result["additionalProperties"] is False
    assert result["properties"]["a"]["anyOf"] == [{"type": "object", "additionalProperties": False}, {"type": "null"}]
    assert result["properties"]["b"]["items"]["additionalProperties"] is False
    assert closed(result) == (result, False)
    assert closed({"type": "object", "additionalProperties": {"type": "string"}})[1] is False
    assert encode(OutputFormat("json_schema", {"type": "object"}))[2] == ["approximated output_format.schema"]


def test_bounds_are_said_in_words() -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {
            "a": {"type": "array", "minItems": 1, "maxItems": 3, "items": {"type": "number", "minimum": 0.5}},
            "b": {"oneOf": [{"type": "string", "minLength": 2, "description": "A name."}, {"type": "null"}]},
            "minimum": {"type": "integer"},
        },
    }
    result, unsaid = said_in_words(schema)
    number = {"type": "number", "description": "(minimum: 0.5)"}
    assert result["properties"] == {
        "a": {"type": "array", "minItems": 1, "items": number, "description": "(maxItems: 3)"},
        "b": {"anyOf": [{"type": "string", "description": "A name. (minLength: 2)"}, {"type": "null"}]},
        "minimum": {"type": "integer"},
    }
    assert unsaid == {"maxItems", "minimum", "oneOf", "minLength"}
    assert said_in_words(result) == (result, set())
    assert said_in_words(True) == (True, set())
