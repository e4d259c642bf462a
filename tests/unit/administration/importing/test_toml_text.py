"""What is written as TOML is read as what it was."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.administration.importing.toml_text import key_text, table_text, value_text

scalars = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6)


@given(st.dictionaries(st.text(), st.dictionaries(st.text(), values, max_size=3), max_size=3))
def test_tables_come_back(tables: dict[str, dict[str, Any]]) -> None:
    assert tomllib.loads(table_text("models", tables)).get("models", {}) == tables


def test_a_name_is_bare_where_it_can_be() -> None:
    assert (key_text("a-b_1"), key_text("a.b")) == ("a-b_1", '"a.b"')


def test_what_has_no_shape_there_is_refused() -> None:
    with pytest.raises(TypeError):
        value_text(None)
