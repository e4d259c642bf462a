"""Every kind of look at JSON records what is wrong, where, and goes on."""

from typing import Any

import pytest

from anykey.conformance.laws.inspection import Inspection, is_json_object, parsed
from anykey.protocols.sse import SseEvent


@pytest.mark.parametrize(
    ("look", "good", "bad"),
    [
        ("text", "x", ""),
        ("text", "x", 7),
        ("count", 0, -1),
        ("count", 3, True),
        ("count", 3, 3.0),
        ("object", {}, []),
    ],
)
def test_a_value_of_the_wrong_kind_is_named_with_its_place(look: str, good: Any, bad: Any) -> None:
    found = Inspection()
    assert getattr(found, look)({"k": good}, "k", "a[0].") == good
    assert found.breaches == []
    getattr(found, look)({"k": bad}, "k", "a[0].")
    (breach,) = found.breaches
    assert breach.startswith("a[0].k is no")
    assert repr(bad) in breach


def test_a_word_out_of_the_list_is_named_with_the_list() -> None:
    found = Inspection()
    found.among({"k": "no"}, "k", ("b", "a"))
    assert found.breaches == ["k is 'no', not one of a, b"]
    found.among({"k": ["unhashable"]}, "k", ("a",))
    assert len(found.breaches) == 2


def test_entries_that_are_no_objects_are_named_and_passed_over() -> None:
    found = Inspection()
    assert list(found.objects({"k": [{"x": 1}, 7]}, "k")) == [("k[0].", {"x": 1})]
    assert found.breaches == ["k[1] is no object"]
    assert list(found.objects({}, "k")) == []
    assert found.breaches[1] == "k is no array: None"


def test_long_values_are_shown_short() -> None:
    found = Inspection()
    found.json_object("x" * 500, "arguments")
    assert len(found.breaches[0]) < 120


def test_events_and_texts_that_are_no_json() -> None:
    found = Inspection()
    assert found.event(SseEvent(b"", b'{"a": 1}'), 0) == {"a": 1}
    assert found.event(SseEvent(b"", b"[1]"), 1) == {}
    assert found.event(SseEvent(b"", b"\xff"), 2) == {}
    assert len(found.breaches) == 2
    assert parsed(b"[1]") == [1]
    assert is_json_object("{}")
    assert not is_json_object('"\ud800"')
