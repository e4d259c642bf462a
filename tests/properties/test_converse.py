"""Laws of an upstream that no client speaks: what any client asks is legal there or refused; nothing is lost in silence."""

import json
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anykey.protocols.bedrock_converse.codec import CODEC
from anykey.protocols.codec import Codec
from tests.fakes.converse_model import faults
from tests.properties.budget import A_THIRD
from tests.properties.edits import another, at, changed, is_named, leaves, objects, outcome
from tests.properties.speakers import SPEAKERS, Speaker
from tests.properties.test_honest_loss import SAYS_NOTHING, is_bookkeeping
from tests.properties.words import Json

GENEROUS = CODEC.dialect(
    {
        "thinking": "budget",
        "effort": True,
        "top_k": True,
        "cache_points": "all",
        "cache_ttl": True,
        "strict_tools": True,
        "output_format": True,
        "mid_conversation_system": True,
    }
)
NOBODY: Any = st.nothing()


def check(body: Json) -> None:
    assert faults(body) == []


CONVERSE = Speaker(cast("Codec", CODEC), NOBODY, NOBODY, NOBODY, NOBODY, GENEROUS, check)
each_client = pytest.mark.parametrize("source", SPEAKERS, ids=lambda speaker: speaker.name)


@each_client
@settings(max_examples=A_THIRD)
@given(data=st.data())
def test_what_is_sent_fits_the_service_model(source: Speaker, data: st.DataObject) -> None:
    body: Json = data.draw(source.requests)
    sent = outcome(source, CONVERSE, data.draw(CONVERSE.dialects()), body)
    if not sent.refusal:
        CONVERSE.check_request(json.loads(sent.body.partition(b"\n")[2]))


@each_client
@settings(max_examples=A_THIRD)
@given(data=st.data())
def test_a_changed_value_changes_the_wire_or_is_named(source: Speaker, data: st.DataObject) -> None:
    body: Json = data.draw(source.requests)
    dialect: Any = data.draw(CONVERSE.dialects())
    before = outcome(source, CONVERSE, dialect, body)
    if before.refusal:
        return
    for path in leaves(body):
        value = another(at(body, path))
        if is_bookkeeping(path, body) or outcome(source, CONVERSE, dialect, changed(body, path, value)) != before:
            continue
        nothing = SAYS_NOTHING.get(str(path[-1]), ())
        if at(body, path) in nothing or value in nothing:
            continue
        assert is_named(before, path, source, CONVERSE, dialect, body), f"{path} as {value!r}: nothing changed"


@each_client
@settings(max_examples=A_THIRD)
@given(data=st.data())
def test_an_unknown_key_anywhere_reaches_the_wire_or_is_named(source: Speaker, data: st.DataObject) -> None:
    body: Json = data.draw(source.requests)
    dialect: Any = data.draw(CONVERSE.dialects())
    before = outcome(source, CONVERSE, dialect, body)
    if before.refusal:
        return
    for path in objects(body):
        if outcome(source, CONVERSE, dialect, changed(body, (*path, "x_new_key"), "x")) == before:
            assert is_named(before, path, source, CONVERSE, dialect, body), f"a new key in {path}: nothing changed"
