"""A row's table as a Dialect."""

import pytest

from anykey.protocols.openai_responses.dialect import Dialect, dialect


def test_a_row_says_what_deviates() -> None:
    assert dialect({}) == Dialect()
    assert dialect({"custom_tools": False, "hosted_tools": "web_search, mcp"}).hosted_tools == "web_search, mcp"


@pytest.mark.parametrize("table", [{"odd": True}, {"store": "yes"}, {"hosted_tools": "web_serch"}])
def test_a_wrong_row_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"odd|bool|web_serch"):
        dialect(table)
