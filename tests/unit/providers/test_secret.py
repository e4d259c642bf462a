"""A secret shows itself only when asked by name."""

import json
import pickle

import msgspec
import pytest

from anykey.providers.secret import Secret


def test_every_way_of_printing_hides_it() -> None:
    secret = Secret("sk-very-real")
    shown = [str(secret), repr(secret), f"{secret}", f"{secret:>10}", f"{secret!r}", "%s" % secret, repr([secret])]  # noqa: UP031 - one of the ways
    assert all("real" not in text and "***" in text for text in shown)
    assert secret.reveal() == "sk-very-real"


def test_it_is_neither_pickled_nor_encoded() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret("s"))
    with pytest.raises(TypeError):
        json.dumps(Secret("s"))
    with pytest.raises(TypeError):
        msgspec.json.encode(Secret("s"))


def test_equality_is_by_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
