"""Which values a dialect field takes."""

from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from anykey.providers.dialect_fields import DIALECT_FIELDS, FieldType, accepts
from anykey.providers.records import PROTOCOLS, DialectValue


@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        (bool, True, True),
        (bool, 1, False),
        (int, 8000, True),
        (int, True, False),
        (str, "2023-06-01", True),
        (("always", "never"), "never", True),
        (("always", "never"), "often", False),
        (("always", "never"), True, False),
    ],
)
def test_accepts(kind: FieldType, value: DialectValue, fits: bool) -> None:
    assert accepts(kind, value) is fits


def test_only_known_protocols_have_dialects() -> None:
    assert set(DIALECT_FIELDS) <= set(PROTOCOLS)


def _codecs_fields(protocol: str) -> dict[str, FieldType]:
    module = pytest.importorskip(f"anykey.protocols.{protocol}.dialect", reason=f"{protocol} has no codec yet")
    hints: dict[str, Any] = get_type_hints(module.Dialect)
    return {name: get_args(kind) if get_origin(kind) is Literal else kind for name, kind in hints.items()}


@pytest.mark.parametrize("protocol", DIALECT_FIELDS)
def test_the_table_is_the_codecs_own(protocol: str) -> None:
    ours = {name: _unordered(kind) for name, kind in DIALECT_FIELDS[protocol].items()}
    theirs = {name: _unordered(kind) for name, kind in _codecs_fields(protocol).items()}
    assert ours == theirs


def _unordered(kind: FieldType) -> object:
    return frozenset(kind) if isinstance(kind, tuple) else kind
