import pytest

from anykey.protocols.anthropic_messages.dialect import Dialect, dialect
from anykey.providers.dialect_fields import DIALECT_FIELDS


def test_a_table_sets_the_fields_it_names() -> None:
    assert dialect({"thinking": "adaptive", "sampling": False}) == Dialect(thinking="adaptive", sampling=False)


@pytest.mark.parametrize("table", [{"samplng": True}, {"thinking": "much"}, {"default_max_tokens": "8k"}])
def test_a_wrong_table_is_refused_with_its_field(table: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"samplng|thinking|default_max_tokens"):
        dialect(table)


def test_the_catalogue_knows_the_same_fields() -> None:
    assert set(DIALECT_FIELDS["anthropic_messages"]) == set(Dialect.__struct_fields__)
