"""The honest-loss law: change any value of a request, or add a key anywhere, and either the wire changes or a Loss names it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties.budget import A_THIRD
from tests.properties.edits import Path, another, at, changed, is_named, leaves, objects, outcome
from tests.properties.speakers import PAIRS, Speaker, pair_id
from tests.properties.words import Json

NOT_FOR_THE_MODEL: set[Path] = {("stream_options", "include_usage"), ("store",), ("systemInstruction", "role")}
"""What is asked of the gateway itself: it always asks an upstream for usage, and hides it from who did not ask; it keeps
responses in the provider's stead. A system instruction has no role."""


def is_bookkeeping(path: Path, body: Json) -> bool:
    """Of the store that an item of Responses came from; a grammar's own word that it is one; which of its web searches a provider
    is to take, where another's is taken."""
    if path[0] == "tools" and path[2:] in (("name",), ("type",)):
        return str(at(body, (*path[:2], "type"))).startswith("web_search") if "type" in at(body, path[:2]) else False
    of_item = len(path) == 3 and path[0] == "input" and path[2] in ("id", "status", "execution")
    return path in NOT_FOR_THE_MODEL or of_item or path[-3:] == ("custom", "format", "type")


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
        if is_bookkeeping(path, body) or outcome(source, target, dialect, changed(body, path, value)) != before:
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
