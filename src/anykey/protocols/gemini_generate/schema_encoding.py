"""JSON Schema as Google's OpenAPI subset, for upstreams that take nothing else. Each keyword that is lost is named.

References are inlined, a type with ``null`` is ``nullable``, ``const`` is an ``enum`` of one, values of an enum are text.
"""

from __future__ import annotations

from typing import Any

from anykey.conversation.failures import invalid
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.protocols.gemini_generate.spelling import is_array, is_object

_SAME = frozenset(
    {
        "title", "description", "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties",
        "minimum", "maximum", "pattern", "required", "default",
    }
)  # fmt: skip
_FORMATS = frozenset({"date-time", "enum", "float", "double", "int32", "int64"})
_BOUNDS = {"exclusiveMinimum": ("minimum", 1), "exclusiveMaximum": ("maximum", -1)}
_HANDLED = frozenset({"type", "properties", "items", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "format"})
_DEFINITIONS = frozenset({"$defs", "definitions"})
_DEEPEST = 64


def encode_schema(schema: Json, path: str, log: LossLog) -> Json:
    """``schema`` in the subset. FailureError (400) when it nests too deeply."""
    return _SchemaWriter(schema, log).write(schema, path, ())


class _SchemaWriter:
    __slots__ = ("_log", "_root")

    def __init__(self, root: Json, log: LossLog) -> None:
        self._root = root
        self._log = log

    def write(self, value: Any, path: str, inside: tuple[str, ...], depth: int = 0) -> Json:
        """One schema; ``inside`` are the references it stands in."""
        if depth > _DEEPEST:
            raise invalid("the schema nests too deeply for this upstream", path)
        if not is_object(value):  # true or false
            self._log.approximated(path, "a schema of true or false is sent as any text")
            return {"type": "STRING"}
        value, inside = self._resolve(value, path, inside)
        value = self._join(value, path)
        out: Json = {}
        for key, item in value.items():
            if key in _SAME:
                out[key] = item
            elif key in _BOUNDS:
                self._bound(out, key, value, path)
            elif key not in _HANDLED and key not in _DEFINITIONS:
                self._log.dropped(f"{path}.{key}", "this upstream's schemas have no such keyword")
        self._format(out, value, path)
        self._type(out, value, path)
        self._values(out, value, path)
        self._inner(out, value, path, inside, depth + 1)
        return out

    def _resolve(self, value: Json, path: str, inside: tuple[str, ...]) -> tuple[Json, tuple[str, ...]]:
        """``value`` with what its ``$ref`` points to."""
        while isinstance(reference := value.get("$ref"), str):
            beside = {key: item for key, item in value.items() if key != "$ref"}
            target = self._target(reference)
            if reference in inside or target is None:
                why = "a schema that holds itself" if reference in inside else "a reference to nowhere"
                self._log.approximated(path, f"{why} is sent as any object")
                return {"type": "object", **beside}, inside
            value, inside = {**target, **beside}, (*inside, reference)
        return value, inside

    def _target(self, reference: str) -> Json | None:
        if not reference.startswith("#"):
            return None
        found: Any = self._root
        for step in reference[1:].split("/")[1:]:
            found = found.get(step.replace("~1", "/").replace("~0", "~")) if is_object(found) else None
        return found if is_object(found) else None

    def _join(self, value: Json, path: str) -> Json:
        """``value`` with its ``allOf`` merged in."""
        parts: Any = value.get("allOf")
        if not is_array(parts):
            return value
        self._log.approximated(f"{path}.allOf", "its schemas are sent as one")
        joined: Json = {key: item for key, item in value.items() if key != "allOf"}
        for part in parts:
            resolved = self._resolve(part, path, ())[0] if is_object(part) else {}
            for key, item in resolved.items():
                present: Any = joined.get(key)
                if is_object(present) and is_object(item):
                    joined[key] = {**item, **present}
                elif is_array(present) and is_array(item):
                    joined[key] = [*present, *(entry for entry in item if entry not in present)]
                else:
                    joined.setdefault(key, item)
        return joined

    def _bound(self, out: Json, key: str, value: Json, path: str) -> None:
        name, step = _BOUNDS[key]
        limit: Any = value[key]
        if type(limit) is int and value.get("type") == "integer":
            out.setdefault(name, limit + step)
            self._log.emulated(f"{path}.{key}", f"sent as {name}")
        elif type(limit) in (int, float):
            out.setdefault(name, limit)
            self._log.approximated(f"{path}.{key}", f"sent as {name}, which allows the bound itself")
        else:
            self._log.dropped(f"{path}.{key}", "it is no number")

    def _format(self, out: Json, value: Json, path: str) -> None:
        word: Any = value.get("format")
        if isinstance(word, str) and word in _FORMATS:
            out["format"] = word
        elif word is not None:
            self._log.dropped(f"{path}.format", "this upstream's schemas have no such format")

    def _type(self, out: Json, value: Json, path: str) -> None:
        kind: Any = value.get("type")
        words: list[Any] = kind if is_array(kind) else [kind] if kind is not None else []
        plain = [str(word) for word in words if word != "null"]
        if "null" in words and plain:
            out["nullable"] = True
        elif "null" in words:
            plain = ["null"]
        if len(plain) == 1:
            out["type"] = plain[0].upper()
        elif plain:
            out["anyOf"] = [{"type": word.upper()} for word in plain]
            self._log.approximated(f"{path}.type", "several types are sent as alternatives")
        elif "properties" in value:
            out["type"] = "OBJECT"

    def _values(self, out: Json, value: Json, path: str) -> None:
        values: Any = [value["const"]] if "const" in value else value.get("enum")
        if not is_array(values):
            return
        if None in values:
            out["nullable"] = True
        told = [entry for entry in values if isinstance(entry, str) and entry]
        other = [entry for entry in values if entry is not None and entry != "" and not isinstance(entry, str)]
        key = "const" if "const" in value else "enum"
        if "" in values:
            self._log.dropped(f"{path}.{key}", "an empty text is no value of an enum here")
        if other:
            self._log.approximated(f"{path}.{key}", "values that are no text are sent as text")
            told += [str(entry).lower() if isinstance(entry, bool) else str(entry) for entry in other]
        if told:
            out["type"], out["enum"] = "STRING", told
            out.pop("anyOf", None)

    def _inner(self, out: Json, value: Json, path: str, inside: tuple[str, ...], depth: int) -> None:
        properties: Any = value.get("properties")
        if is_object(properties) and properties:
            out["properties"] = {
                name: self.write(item, f"{path}.properties.{name}", inside, depth) for name, item in properties.items()
            }
        if "items" in value:
            out["items"] = self.write(value["items"], f"{path}.items", inside, depth)
        elif out.get("type") == "ARRAY":
            self._log.approximated(f"{path}.items", "an array must say of what; sent as text")
            out["items"] = {"type": "STRING"}
        for key in ("anyOf", "oneOf"):
            if is_array(value.get(key)):
                self._alternatives(out, value[key], f"{path}.{key}", inside, depth)

    def _alternatives(self, out: Json, values: list[Any], path: str, inside: tuple[str, ...], depth: int) -> None:
        plain = [entry for entry in values if entry != {"type": "null"}]
        if len(plain) < len(values):
            out["nullable"] = True
        if path.endswith(".oneOf"):
            self._log.approximated(path, "sent as anyOf")
        written = [self.write(entry, f"{path}[{number}]", inside, depth) for number, entry in enumerate(plain)]
        if len(written) == 1:
            for key, item in written[0].items():
                out.setdefault(key, item)
        elif written:
            out["anyOf"] = [*out.get("anyOf", ()), *written]
