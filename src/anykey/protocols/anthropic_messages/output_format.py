"""``output_config.format``, both ways: the answer as JSON of a given shape."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.request import OutputFormat
from anykey.protocols.anthropic_messages.dialect import Dialect
from anykey.protocols.anthropic_messages.shapes import is_array, is_object

_ANY_JSON = "Answer with one JSON object and nothing else: no prose, no code fence."
_BY_SCHEMA = (
    "Answer with one JSON document and nothing else: no prose, no code fence. It must fit this JSON Schema:\n{}"
)
_ONE_SCHEMA = ("items", "not", "if", "then", "else")
_SCHEMA_LISTS = ("anyOf", "allOf", "oneOf", "prefixItems")
_SCHEMA_MAPS = ("properties", "$defs", "definitions", "patternProperties")
_REFUSED = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"}
    | {"maxItems", "uniqueItems", "contains", "minContains", "maxContains", "minProperties", "maxProperties"}
)
"""Constraints that are a 400 here; Anthropic's own SDK says them in the description too."""


def decode_output_format(value: Json | None) -> OutputFormat | None:
    """``{"type": "json_schema", "schema": …}``; None for anything else, which the caller keeps as it is."""
    if value is None or value.get("type") != "json_schema" or set(value) != {"type", "schema"}:
        return None
    schema = value["schema"]
    return OutputFormat("json_schema", schema) if is_object(schema) else None


def encode_output_format(asked: OutputFormat | None, dialect: Dialect, log: LossLog) -> tuple[Json | None, str | None]:
    """(``output_config.format``, a sentence for the system text): one of them at most."""
    if asked is None or asked.kind == "text":
        return None, None
    for name in ("name", "description", "strict"):
        if getattr(asked, name) is not None:
            log.dropped(f"output_format.{name}", "a format is only a schema here")
    if asked.kind == "json_object" or asked.schema is None:
        log.emulated(
            "output_format", "asked for in the system text, because this protocol has no JSON without a schema"
        )
        return None, _ANY_JSON
    if not dialect.output_format:
        log.emulated("output_format", "asked for in the system text, because this upstream takes no output format")
        return None, _BY_SCHEMA.format(msgspec.json.encode(asked.schema).decode())
    schema, changed = closed(asked.schema)
    if changed:
        log.approximated("output_format.schema", "additionalProperties: false was added, which is required here")
    schema, unsaid = said_in_words(schema)
    if unsaid:
        told = f"{', '.join(sorted(unsaid))} cannot be said here as they are; descriptions say the bounds"
        log.approximated("output_format.schema", told)
    return {"type": "json_schema", "schema": schema}, None


def closed(schema: Any) -> tuple[Any, bool]:
    """``schema`` with ``additionalProperties: false`` on every object that says nothing of it, and whether any lacked it."""
    if not is_object(schema):
        return schema, False
    result: Json = dict(schema)
    changed = False
    for key, value in result.items():
        if key in _ONE_SCHEMA:
            result[key], one_changed = closed(value)
            changed |= one_changed
        elif key in _SCHEMA_LISTS and is_array(value):
            pairs = [closed(item) for item in value]
            result[key] = [item for item, _ in pairs]
            changed |= any(flag for _, flag in pairs)
        elif key in _SCHEMA_MAPS and is_object(value):
            named = {name: closed(item) for name, item in value.items()}
            result[key] = {name: item for name, (item, _) in named.items()}
            changed |= any(flag for _, flag in named.values())
    if (result.get("type") == "object" or "properties" in result) and "additionalProperties" not in result:
        result["additionalProperties"] = False
        changed = True
    return result, changed


def said_in_words(schema: Any) -> tuple[Any, set[str]]:
    """``schema`` whose constraints that this protocol refuses are words of the description, and which they are. A lower bound
    of an array's length may be 0 or 1; ``oneOf`` is spelled ``anyOf``."""
    if not is_object(schema):
        return schema, set()
    result: Json = {}
    unsaid: set[str] = set()
    words: list[str] = []
    for key, value in schema.items():
        if key in _REFUSED or (key == "minItems" and value not in (0, 1)):
            words.append(f"{key}: {msgspec.json.encode(value).decode()}")
            unsaid.add(key)
            continue
        respelled = key == "oneOf" and "anyOf" not in schema
        if respelled:
            unsaid.add(key)
        result["anyOf" if respelled else key] = _below(key, value, unsaid)
    if words:
        told = f"({', '.join(words)})"
        said = result.get("description")
        result["description"] = f"{said} {told}" if isinstance(said, str) and said else told
    return result, unsaid


def _below(key: str, value: Any, unsaid: set[str]) -> Any:
    """The schemas under one key, in the same way."""
    if key in _ONE_SCHEMA:
        found, more = said_in_words(value)
        unsaid |= more
        return found
    if key in _SCHEMA_LISTS and is_array(value):
        return [_below("items", item, unsaid) for item in value]
    if key in _SCHEMA_MAPS and is_object(value):
        return {name: _below("items", item, unsaid) for name, item in value.items()}
    return value
