"""What a request asks of our memory, and that asking costs nearly nothing."""

import json
import timeit
from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.exchange.responses.asked import Asked, read_asked


def asked(**fields: Any) -> Asked | None:
    return read_asked(json.dumps({"model": "m", "input": "hi", **fields}).encode())


def test_everything_is_stored_unless_the_caller_says_no() -> None:
    for found in (asked(), asked(store=True), asked(store=None)):
        assert found == Asked(store=True, model="m")
    assert not Asked(store=True).stateless
    found = asked(store=False)
    assert found is not None
    assert found.stateless
    assert not found.continues


@pytest.mark.parametrize(
    "fields",
    [
        {"previous_response_id": "resp_1"},
        {"conversation": "conv_1"},
        {"conversation": {"id": "conv_1"}},
        {"input": [{"type": "item_reference", "id": "msg_1"}]},
    ],
)
def test_what_continues_something_is_not_stateless(fields: dict[str, Any]) -> None:
    found = asked(store=False, **fields)
    assert found is not None
    assert found.continues
    assert not found.stateless


def test_both_forms_of_a_conversation_are_read() -> None:
    for form in ("conv_1", {"id": "conv_1"}):
        found = asked(conversation=form)
        assert found is not None
        assert found.conversation == "conv_1"


@pytest.mark.parametrize("body", [b"", b"{", b"[]x", b"\xff", b"[" * 5000, b'{"model":5}'])
def test_what_is_no_json_is_left_to_the_journey(body: bytes) -> None:
    assert read_asked(body) is None


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"store": "yes"}, "store"),
        ({"conversation": 5}, "conversation"),
        ({"conversation": "c", "previous_response_id": "r"}, "previous_response_id"),
        ({"background": True, "store": False}, "background"),
    ],
)
def test_a_contradiction_names_its_field(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(FailureError) as refused:
        asked(**fields)
    assert (refused.value.failure.kind, refused.value.failure.param) == ("invalid_request", param)


def test_a_plain_request_costs_a_few_microseconds() -> None:
    body = json.dumps({"model": "m", "input": "hi" * 200, "store": False, "stream": True}).encode()
    best_us = min(timeit.repeat(lambda: read_asked(body), number=1000, repeat=5)) * 1000
    print(f"read_asked: {best_us:.1f} us")
    assert best_us < 20
