"""The smallest strategies: text, JSON values, objects with optional fields."""

from typing import Any

import msgspec
from hypothesis import strategies as st

Json = dict[str, Any]

text = st.text(max_size=12)
"""Any text, empty and blank included; control characters, too."""

filled = st.text(min_size=1, max_size=12).filter(lambda value: bool(value.strip()))
"""Text that says something."""

words = st.text("abcXYZ019_-", min_size=1, max_size=9)
"""Names and ids that every protocol accepts."""

counts = st.integers(0, 5000)
ratios = st.sampled_from([0, 0.25, 0.5, 1, 0.95])
flags = st.booleans()

leaves = st.none() | flags | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | text
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3), max_leaves=6
)
"""Any JSON value."""

plain_values = st.recursive(
    flags | st.integers(-99, 99) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=4,
)
"""JSON values without null, which means the same as absent for every provider."""

objects: st.SearchStrategy[Json] = st.dictionaries(words, plain_values, max_size=3)


def _schema(properties: Json, required: int, closed: bool | None) -> Json:
    limits: Json = {} if closed is None else {"additionalProperties": closed}
    return {"type": "object", "properties": properties, "required": sorted(properties)[:required], **limits}


schemas = st.builds(
    _schema,
    st.dictionaries(words, st.sampled_from([{"type": "string"}, {"type": "integer", "minimum": 0}]), max_size=2),
    st.integers(0, 2),
    st.none() | flags,
)


def thing(required: dict[str, Any], optional: dict[str, Any] | None = None) -> st.SearchStrategy[Json]:
    """An object with all the ``required`` fields and any of the ``optional`` ones. A plain value stands for itself."""
    return st.fixed_dictionaries(
        {key: _strategy(value) for key, value in required.items()},
        optional={key: _strategy(value) for key, value in (optional or {}).items()},
    )


def _strategy(value: Any) -> st.SearchStrategy[Any]:
    return value if isinstance(value, st.SearchStrategy) else st.just(value)  # pyright: ignore[reportUnknownVariableType]


def dumps(value: Any) -> bytes:
    """``value`` as a body."""
    return msgspec.json.encode(value)


def one_of(*options: Any) -> st.SearchStrategy[Any]:
    """One of the strategies or plain values."""
    strategies: list[st.SearchStrategy[Any]] = [_strategy(option) for option in options]
    return st.one_of(strategies)
