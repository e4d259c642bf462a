"""The smallest JSON value that a JSON schema allows.

Law: pure; the same schema gives the same value. It knows the part of JSON Schema that structured output uses (types,
properties, required, items, enum, const, bounds, anyOf/oneOf/allOf, local $ref); `pattern` and `not` it cannot satisfy.
"""

import math
from typing import Any, cast

_FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "email": "demo@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "127.0.0.1",
}
_DEEP = 6  # from here on a choice prefers its flat alternative, which ends a recursive schema
_TOO_DEEP = 40


def sample(schema: Any, word: str = "demo") -> Any:
    """A minimal value valid for `schema`; free strings are `word`, cut or padded to the length allowed."""
    return _Sampler(schema, word).value(schema, 0)


class _Sampler:
    def __init__(self, root: Any, word: str) -> None:
        self._root = root
        self._word = word

    def value(self, schema: Any, depth: int) -> Any:
        if not isinstance(schema, dict) or depth > _TOO_DEEP:
            return None
        node = self._resolved(cast("dict[str, Any]", schema), depth)
        if "const" in node:
            return node["const"]
        if node.get("enum"):
            return node["enum"][0]
        match _type_of(node):
            case "object":
                return self._object(node, depth)
            case "array":
                return self._array(node, depth)
            case "string":
                return self._string(node)
            case "integer" | "number" as kind:
                return _number(node, whole=kind == "integer")
            case "boolean":
                return True
            case _:
                return None

    def _resolved(self, node: dict[str, Any], depth: int) -> dict[str, Any]:
        """The node with `$ref`, `allOf` and one alternative of `anyOf`/`oneOf` folded into it."""
        for _ in range(_TOO_DEEP):
            if "$ref" in node:
                reference = str(node["$ref"])
                node = {**self._target(reference), **_without(node, "$ref")}
            elif node.get("allOf"):
                parts = [self._resolved(part, depth) for part in node["allOf"]]
                node = _merged([_without(node, "allOf"), *parts])
            elif options := node.get("anyOf") or node.get("oneOf"):
                node = {**_without(node, "anyOf", "oneOf"), **_chosen(options, depth)}
            else:
                break
        return node

    def _target(self, reference: str) -> dict[str, Any]:
        found: Any = self._root
        for step in reference.removeprefix("#").strip("/").split("/"):
            key = step.replace("~1", "/").replace("~0", "~")
            if key:
                found = cast("dict[str, Any]", found).get(key, {}) if isinstance(found, dict) else {}
        return cast("dict[str, Any]", found) if isinstance(found, dict) else {}

    def _object(self, node: dict[str, Any], depth: int) -> dict[str, Any]:
        properties: dict[str, Any] = node.get("properties") or {}
        required: list[str] = node.get("required") or []
        return {name: self.value(properties.get(name, {"type": "string"}), depth + 1) for name in required}

    def _array(self, node: dict[str, Any], depth: int) -> list[Any]:
        first: list[Any] = node.get("prefixItems") or []
        count = max(int(node.get("minItems", 0)), len(first))
        rest = node.get("items", {"type": "string"})
        return [self.value(first[i] if i < len(first) else rest, depth + 1) for i in range(count)]

    def _string(self, node: dict[str, Any]) -> str:
        text = _FORMATS.get(str(node.get("format")), self._word)
        text = text.ljust(int(node.get("minLength", 0)), ".")
        return text[: int(node["maxLength"])] if "maxLength" in node else text


def _type_of(node: dict[str, Any]) -> str:
    kind = node.get("type")
    if isinstance(kind, list):
        kinds = cast("list[str]", kind)
        return next((one for one in kinds if one != "null"), "null")
    if isinstance(kind, str):
        return kind
    if "properties" in node or "required" in node:
        return "object"
    return "array" if "items" in node or "prefixItems" in node else "string"


def _chosen(options: list[Any], depth: int) -> dict[str, Any]:
    flat = [one for one in options if "$ref" not in one and _type_of(one) not in {"object", "array"}]
    return (flat or options)[0] if depth >= _DEEP else options[0]


def _merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for part in parts:
        properties: dict[str, Any] = {**merged.get("properties", {}), **part.get("properties", {})}
        required: list[str] = [*merged.get("required", []), *part.get("required", [])]
        merged = {**merged, **part}
        if properties:
            merged["properties"] = properties
        if required:
            merged["required"] = list(dict.fromkeys(required))
    return merged


def _number(node: dict[str, Any], *, whole: bool) -> int | float:
    """The number nearest to zero within the bounds, or the bound itself."""
    step = node.get("multipleOf") or (1 if whole else None)
    value: int | float = 0
    if "minimum" in node:
        value = max(value, node["minimum"])
    if "exclusiveMinimum" in node and value <= node["exclusiveMinimum"]:
        value = node["exclusiveMinimum"] + (step or 1)
    if "maximum" in node:
        value = min(value, node["maximum"])
    if "exclusiveMaximum" in node and value >= node["exclusiveMaximum"]:
        value = node["exclusiveMaximum"] - (step or 1)
    if step:
        value = (math.ceil if value >= 0 else math.floor)(value / step) * step
    return int(value) if whole else value


def _without(node: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in node.items() if name not in names}
