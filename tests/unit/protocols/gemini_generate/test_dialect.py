import pytest

from anykey.protocols.gemini_generate.dialect import Dialect, dialect


def test_an_empty_table_is_the_official_spelling() -> None:
    assert dialect({}) == Dialect()
    assert Dialect().json_schema


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({"colour": "red"}, "colour"),
        ({"thinking": "maybe"}, "thinking"),
        ({"hosted_tools": "web_search,magic"}, "magic"),
    ],
)
def test_an_unknown_field_or_value_is_named(table: dict[str, str], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        dialect(table)
