import pytest

from anykey.protocols.openai_chat.dialect import Dialect, dialect


def test_an_empty_table_is_the_official_spelling() -> None:
    assert dialect({}) == Dialect()
    assert Dialect().max_tokens_field == "max_completion_tokens"


@pytest.mark.parametrize(
    ("table", "named"), [({"colour": "red"}, "colour"), ({"thinking_switch": "maybe"}, "thinking_switch")]
)
def test_an_unknown_field_or_value_is_named(table: dict[str, str], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        dialect(table)
