"""Files that say more than they are long, and such as only look so."""

import time

import pytest
import yaml

from anykey.administration.declaring.document import read_document
from anykey.administration.errors import AdministrationError
from anykey.administration.importing.litellm import read_litellm
from anykey.administration.plain_yaml import MOST_NODES, read_yaml

LEVELS = "".join(
    f"{level}: &{level} [{', '.join(['x' if level == 'a' else '*' + chr(ord(level) - 1)] * 9)}]\n"
    for level in "abcdefghi"
)
BOMBS = (
    "model_list:\n- model_name: *i\n  litellm_params: {model: openai/m}\n",
    "model_list:\n- model_name: m\n  litellm_params: {model: *i}\n",
    "model_list:\n- model_name: m\n  litellm_params: {model: openai/m}\nrouter_settings: {routing_strategy: *i}\n",
    "organisations: {x: *i}\n",
)


def test_a_file_is_what_it_says() -> None:
    text = "a: &x {one: 1, two: [2.5, yes, null]}\nb: *x\nc: {<<: *x, one: 3}\nd: 2026-01-02\n"
    assert read_yaml(text) == yaml.safe_load(text)
    assert read_yaml(b"") is None
    for wrong in ("a: [", "a: !!python/name:os.system", "a: 1\n---\nb: 2\n"):
        with pytest.raises(yaml.YAMLError):
            read_yaml(wrong)


@pytest.mark.parametrize("bomb", BOMBS)
def test_aliases_that_stand_for_more_than_fits_anywhere_are_refused_at_once(bomb: str) -> None:
    began = time.monotonic()
    with pytest.raises(ValueError, match="aliases"):
        read_yaml(LEVELS + bomb)
    for read in (
        lambda: read_litellm((LEVELS + bomb).encode(), {}),
        lambda: read_document((LEVELS + bomb).encode(), "f"),
    ):
        with pytest.raises(AdministrationError):
            read()
    assert time.monotonic() - began < 2


def test_what_holds_itself_is_refused_and_a_long_file_is_not() -> None:
    with pytest.raises(ValueError, match="aliases"):
        read_yaml("a: &a [*a]")
    assert MOST_NODES > 1_000
    assert read_yaml("- &x y\n" + "- *x\n" * 1_000) == ["y"] * 1_001
