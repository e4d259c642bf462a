from typing import Any

import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.usage import Usage
from anykey.protocols.anthropic_messages.usage import decode_usage, encode_usage


def test_buckets_are_disjoint() -> None:
    usage = decode_usage(
        {
            "input_tokens": 10,
            "cache_creation_input_tokens": 7,
            "cache_read_input_tokens": 100,
            "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4},
            "output_tokens": 50,
            "output_tokens_details": {"thinking_tokens": 20, "new": 1},
            "service_tier": "standard",
        }
    )
    assert usage is not None
    extras = {"output_tokens_details": {"new": 1}, "service_tier": "standard"}
    assert usage == Usage(10, 100, 3, 4, 30, 20, extras={"anthropic_messages": extras})
    assert (usage.total_input(), usage.total_output()) == (117, 50)


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        ({"input_tokens": 1, "cache_creation": {"ephemeral_1h_input_tokens": 4}}, Usage(1, 0, 0, 4)),
        (
            {"input_tokens": 1, "cache_creation_input_tokens": 3, "cache_creation": {"ephemeral_1h_input_tokens": 9}},
            Usage(1, 0, 0, 3),
        ),
        ({"input_tokens": -5, "output_tokens": 2}, Usage(0, output_tokens=2)),
        ({"input_tokens": 10**12, "output_tokens": "9"}, None),
        ({"output_tokens": 2, "output_tokens_details": {"thinking_tokens": 9}}, Usage(reasoning_tokens=2)),
        ({}, None),
        ("many", None),
    ],
)
def test_odd_numbers_never_make_a_negative_bucket(wire: Any, expected: Usage | None) -> None:
    assert decode_usage(wire) == expected


def test_usage_comes_back() -> None:
    wire = {
        "input_tokens": 1,
        "cache_creation_input_tokens": 5,
        "cache_read_input_tokens": 4,
        "output_tokens": 9,
        "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 3},
        "output_tokens_details": {"thinking_tokens": 6, "new": 1},
        "server_tool_use": {"web_search_requests": 1},
    }
    log = LossLog("response")
    assert encode_usage(decode_usage(wire), log) == wire
    assert not log.losses


def test_what_has_no_bucket_here_is_counted_in_the_total_and_named() -> None:
    log = LossLog("response")
    wire = encode_usage(Usage(1, input_audio_tokens=2, output_audio_tokens=3, extras={"openai_chat": {"cost": 1}}), log)
    assert (wire["input_tokens"], wire["output_tokens"]) == (3, 3)
    assert [loss.path for loss in log.losses] == ["usage.input_audio_tokens", "usage.output_audio_tokens", "usage.cost"]


def test_no_usage_is_zeros() -> None:
    assert encode_usage(None, LossLog("response")) == {"input_tokens": 0, "output_tokens": 0}


def test_a_detail_that_is_no_object_says_nothing() -> None:
    found = decode_usage(
        {"input_tokens": 1, "output_tokens": 2, "cache_creation_input_tokens": 3, "cache_creation": []}
    )
    assert found == Usage(1, 0, 3, 0, 2)
    assert encode_usage(found, LossLog("response"))["cache_creation_input_tokens"] == 3
