"""What the counting endpoints of all protocols share."""

import json

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.losses import Loss
from anykey.protocols.codec import Encoded
from anykey.protocols.counting import only, read_count, with_model


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (b'{"n": 7, "m": 1}', 7),
        (b'{"n": 7.0}', 7),
        (b'{"n": -1}', None),
        (b'{"n": "7"}', None),
        (b"{}", None),
        (b"[7]", None),
        (b"seven", None),
        (b"\xff", None),
        (b'{"a":' * 2000, None),
    ],
)
def test_a_count_is_a_number_that_can_be_one(body: bytes, count: int | None) -> None:
    assert read_count(body, "n") == count


def test_only_what_the_endpoint_takes_is_asked() -> None:
    losses = (Loss("dropped", "x", ""),)
    asked = only(Encoded(b'{"a": {"b": 1.50}, "c": 2, "d": 3}', losses), frozenset({"a", "d"}))
    assert asked == (b'{"a":{"b": 1.50},"d":3}', losses)


def test_the_model_is_named_anew_and_nothing_else_changes() -> None:
    changed = with_model(b'{"messages": [1.0], "model": "x"}', 'm"1')
    assert changed.startswith(b'{"messages":[1.0]')
    assert json.loads(changed) == {"messages": [1], "model": 'm"1'}
    with pytest.raises(FailureError):
        with_model(b"[]", "m")
