"""The honest-loss law: change any value of a request, or add a key anywhere, and either the wire changes or a Loss names it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties.budget import A_THIRD
from tests.properties.edits import Path, another, at, changed, is_named, leaves, objects, outcome
from tests.properties.speakers import PAIRS, Speaker, pair_id
from tests.properties.words import Json

NOT_FOR_THE_MODEL: set[Path] = {("stream_options", "include_usage")}
"""What is asked of the gateway itself: it always asks an upstream for usage, and hides it from who did not ask."""

SAYS_NOTHING: dict[str, tuple[Any, ...]] = {
    "stream": (False,),
    "is_error": (False,),
    "logprobs": (False,),
    "n": (1,),
}
"""Values that mean the same as no value at all."""


@pytest.mark.parametrize("pair", PAIRS, ids=pair_id)
@settings(max_examples=A_THIRD)
@given(data=st.data())
def test_a_changed_value_changes_the_wire_or_is_named(pair: tuple[Speaker, Speaker], data: st.DataObject) -> None:
    source, target = pair
    body: Json = data.draw(source.requests)
    dialect: Any = data.draw(target.dialects())
    before = outcome(source, target, dialect, body)
    if before.refusal:
        return
    for path in leaves(body):
        value = another(at(body, path))
        if path in NOT_FOR_THE_MODEL or outcome(source, target, dialect, changed(body, path, value)) != before:
            continue
        nothing = SAYS_NOTHING.get(str(path[-1]), ())
        if at(body, path) in nothing or value in nothing:
            continue
        assert is_named(before, path, source, target, dialect, body), f"{path} as {value!r}: nothing changed"


@pytest.mark.parametrize("pair", PAIRS, ids=pair_id)
@settings(max_examples=A_THIRD)
@given(data=st.data())
def test_an_unknown_key_anywhere_reaches_the_wire_or_is_named(
    pair: tuple[Speaker, Speaker], data: st.DataObject
) -> None:
    source, target = pair
    body: Json = data.draw(source.requests)
    dialect: Any = data.draw(target.dialects())
    before = outcome(source, target, dialect, body)
    if before.refusal:
        return
    for path in objects(body):
        edited = changed(body, (*path, "x_new_key"), "x")
        if outcome(source, target, dialect, edited) == before:
            assert is_named(before, path, source, target, dialect, body), f"a new key in {path}: nothing changed"
