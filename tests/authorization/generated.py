"""Inputs made from a JSON schema: most of them right, some of them wrong in one place, a few of them anything."""

from typing import Any

from hypothesis import strategies as st

WORDS = st.sampled_from(("lab", "demo", "key", "1.00", "0", "%", "' OR 1=1 --", "../x", "\u202e", "\U0001f511", "a\0b"))
HALF = "half \ud800 a pair"
"""Text that JSON can hold and UTF-8 cannot; neither can a URL."""
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS | st.just(HALF),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
BIGGEST = 2**63


def fitting(schema: dict[str, Any], components: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that the schema allows, as far as it is read here; what is not read of it makes some of them wrong."""
    if "$ref" in schema:
        return fitting(components[schema["$ref"].rpartition("/")[2]], components)
    if "anyOf" in schema:
        return st.one_of([fitting(choice, components) for choice in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    match schema.get("type"):
        case "string":
            return _text(schema)
        case "integer":
            least, most = schema.get("minimum", -BIGGEST), schema.get("maximum", BIGGEST)
            return st.sampled_from((least, most)) | st.integers(least, most)
        case "number":
            return st.floats(allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
        case "array":
            inner = fitting(schema.get("items", {}), components)
            return st.lists(inner, min_size=schema.get("minItems", 0), max_size=min(schema.get("maxItems", 4), 4))
        case "object":
            return _table(schema, components)
        case "null":
            return st.none()
        case _:
            return ANYTHING


def bent(schema: dict[str, Any], components: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Mostly what fits, sometimes with one member exchanged, added or left out, sometimes anything."""
    right = fitting(schema, components)
    return right | right | st.tuples(right, st.text(max_size=12), ANYTHING).map(_exchanged) | ANYTHING


def _text(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    most = min(schema.get("maxLength", 40), 300)
    if "pattern" in schema:
        pattern: str = schema["pattern"]
        fits: st.SearchStrategy[str] = st.from_regex(pattern, fullmatch=True)
        return fits.map(lambda text: text[:most])
    return st.text(min_size=min(schema.get("minLength", 0), most), max_size=most)


def _table(schema: dict[str, Any], components: dict[str, Any]) -> st.SearchStrategy[Any]:
    members = {name: fitting(inner, components) for name, inner in schema.get("properties", {}).items()}
    required = {name: member for name, member in members.items() if name in schema.get("required", ())}
    optional = {name: member for name, member in members.items() if name not in required}
    table: st.SearchStrategy[Any] = st.fixed_dictionaries(required, optional=optional)
    more = schema.get("additionalProperties")
    if not members and isinstance(more, dict):
        names = fitting(schema.get("propertyNames", {"type": "string"}), components)
        return st.dictionaries(names.filter(lambda name: isinstance(name, str)), fitting(more, components), max_size=3)  # pyright: ignore[reportUnknownArgumentType] - a JSON schema
    return table


def _exchanged(made: tuple[Any, str, Any]) -> Any:
    right, name, value = made
    if not isinstance(right, dict):
        return value
    table: dict[str, Any] = dict(right)  # pyright: ignore[reportUnknownArgumentType] - an object of JSON
    place = sorted(table)[len(name) % len(table)] if table and len(name) % 2 else name
    return {**table, place: value}
