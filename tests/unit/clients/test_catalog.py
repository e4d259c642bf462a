"""The table as a whole."""

import pytest

from anykey.clients.catalog import RECIPES, recipe
from anykey.clients.records import ClientRecipe


def test_ids_are_unique_and_found() -> None:
    assert len({one.id for one in RECIPES}) == len(RECIPES)
    assert [recipe(one.id) for one in RECIPES] == list(RECIPES)
    with pytest.raises(KeyError):
        recipe("nobody")


@pytest.mark.parametrize("one", RECIPES, ids=[one.id for one in RECIPES])
def test_every_recipe_says_address_key_and_model(one: ClientRecipe) -> None:
    text = "\n".join(one.connect_lines("http://127.0.0.1:4100", "ak-key", "lab/gpt-5.4"))
    assert one.base_url("http://127.0.0.1:4100") in text
    assert "ak-key" in text
    assert "lab/gpt-5.4" in text
