import pytest

from anykey.protocols.bedrock_converse.dialect import Dialect, dialect
from anykey.providers.dialect_fields import DIALECT_FIELDS


def test_a_table_becomes_a_dialect() -> None:
    assert dialect({}) == Dialect()
    assert dialect({"thinking": "budget", "cache_points": "all"}) == Dialect(thinking="budget", cache_points="all")
    assert set(DIALECT_FIELDS["bedrock_converse"]) == set(Dialect.__struct_fields__)


def test_a_wrong_table_is_named() -> None:
    with pytest.raises(ValueError, match="thinkink"):
        dialect({"thinkink": "budget"})
    with pytest.raises(ValueError, match="cache_points"):
        dialect({"cache_points": "some"})
