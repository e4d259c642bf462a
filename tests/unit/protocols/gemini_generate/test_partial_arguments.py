import json
from typing import Any

import pytest

from anykey.protocols.gemini_generate.partial_arguments import PartialArguments


def gathered(*pieces: Any) -> PartialArguments:
    arguments = PartialArguments()
    for piece in pieces:
        arguments.feed([piece])
    return arguments


def test_text_for_one_place_is_joined() -> None:
    arguments = gathered(
        {"jsonPath": "$.id", "stringValue": "A", "willContinue": True},
        {"jsonPath": "$.id", "stringValue": "B"},
        {"jsonPath": "$.id", "stringValue": ""},
    )
    assert arguments.text() == '{"id":"AB"}'
    assert arguments.exact


def test_objects_and_arrays_are_built_on_the_way() -> None:
    arguments = gathered(
        {"jsonPath": "$.items[0].name", "stringValue": "x"},
        {"jsonPath": "$.items[1]['odd.key']", "numberValue": 2.5},
        {"jsonPath": '$.flags["on"]', "boolValue": False},
        {"jsonPath": "$.none", "nullValue": "NULL_VALUE"},
    )
    assert json.loads(arguments.text()) == {
        "items": [{"name": "x"}, {"odd.key": 2.5}],
        "flags": {"on": False},
        "none": None,
    }
    assert arguments.exact


@pytest.mark.parametrize(
    "piece",
    [
        {"jsonPath": "id", "stringValue": "x"},
        {"jsonPath": "$", "stringValue": "x"},
        {"jsonPath": "$..id", "stringValue": "x"},
        {"jsonPath": "$.a[999999999]", "stringValue": "x"},
        {"jsonPath": "$.text.inner", "stringValue": "x"},
        {"jsonPath": "$.text[0].deep", "stringValue": "x"},
        {"stringValue": "x"},
        "x",
    ],
)
def test_what_has_no_place_is_noticed(piece: Any) -> None:
    arguments = gathered({"jsonPath": "$.text", "stringValue": "kept"}, piece)
    assert not arguments.exact
    assert json.loads(arguments.text())["text"] == "kept"


def test_nothing_said_is_no_arguments() -> None:
    arguments = PartialArguments()
    arguments.feed(None)
    assert arguments.text() == ""
