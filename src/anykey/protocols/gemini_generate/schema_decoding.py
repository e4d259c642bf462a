"""Google's schemas (a subset of OpenAPI 3.0 with upper-case types) as JSON Schema.

``nullable`` joins the type, properties stand in their ``propertyOrdering``, ``example`` is one of ``examples``. What JSON Schema
and this have in common stays as it is, so that a JSON Schema that only writes its types in upper case is read too (Gemini
CLI sends such).
"""

from __future__ import annotations

from typing import Any

from anykey.conversation.failures import invalid
from anykey.conversation.parts import Json
from anykey.protocols.gemini_generate.spelling import camel_key, is_array, is_object

_NAMES = {"ref": "$ref", "defs": "$defs"}
_ONE = frozenset({"items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"})
_LISTS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_MAPS = frozenset({"properties", "$defs", "definitions", "patternProperties", "dependentSchemas"})
_COUNTS = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})


def decode_schema(value: Json, path: str) -> Json:
    """``value`` as JSON Schema. FailureError (400) when it nests too deeply to be read."""
    try:
        return _schema(value)
    except RecursionError:
        raise invalid("the schema nests too deeply", path) from None


def _schema(value: Any) -> Any:
    if not is_object(value):
        return value
    out: Json = {}
    for key, item in value.items():
        name = _NAMES.get(key) or camel_key(key)
        if item is not None:
            out[name] = _keyword(name, item)
    if out.get("type") == "type_unspecified":
        del out["type"]
    if out.pop("nullable", None) is True:
        _allow_null(out)
    if "example" in out:
        out.setdefault("examples", [out.pop("example")])
    _order(out)
    return out


def _keyword(name: str, item: Any) -> Any:
    if name == "type":
        return [_lower(word) for word in item] if is_array(item) else _lower(item)
    if name in _ONE:
        return [_schema(entry) for entry in item] if is_array(item) else _schema(item)
    if name in _LISTS and is_array(item):
        return [_schema(entry) for entry in item]
    if name in _MAPS and is_object(item):
        return {key: _schema(entry) for key, entry in item.items()}
    if name in _COUNTS and isinstance(item, str) and item.isdecimal():  # int64 is text in Google's JSON
        return int(item)
    return item


def _lower(word: Any) -> Any:
    return word.lower() if isinstance(word, str) else word


def _allow_null(out: Json) -> None:
    kind = out.get("type")
    if isinstance(kind, str):
        out["type"] = [kind, "null"]
    elif is_array(out.get("anyOf")):
        out["anyOf"] = [*out["anyOf"], {"type": "null"}]
    if is_array(out.get("enum")) and None not in out["enum"]:
        out["enum"] = [*out["enum"], None]


def _order(out: Json) -> None:
    """An answer is written in the order of its properties, which ``propertyOrdering`` may change."""
    order, properties = out.pop("propertyOrdering", None), out.get("properties")
    if is_array(order) and is_object(properties):
        first = [name for name in order if isinstance(name, str) and name in properties]
        out["properties"] = {name: properties[name] for name in dict.fromkeys([*first, *properties])}
