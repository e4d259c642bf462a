"""The base URL in a program's own convention, and literals that survive their quotes."""

from dataclasses import replace

import pytest

from anykey.clients.catalog import recipe
from anykey.clients.records import Connection, compact_json, python_text


@pytest.mark.parametrize("address", ["http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/v1/"])
def test_an_address_is_understood_with_and_without_the_version(address: str) -> None:
    with_version, without = recipe("openai-python"), recipe("claude-code")
    assert with_version.base_url(address) == "http://h:1/v1"
    assert without.base_url(address) == "http://h:1"


def test_a_recipe_hands_its_lines_the_base_url_and_the_connection() -> None:
    def lines(base_url: str, to: Connection) -> list[str]:
        return [base_url, to.address, to.key, to.model]

    probe = replace(recipe("curl"), lines=lines)
    assert probe.connect_lines("http://h:1/", "k", "m") == ["http://h:1/v1", "http://h:1/", "k", "m"]


def test_literals() -> None:
    assert compact_json({"a": ["é", 1]}) == '{"a":["é",1]}'
    assert python_text('a"b\\c\né') == r'"a\"b\\c\né"'
