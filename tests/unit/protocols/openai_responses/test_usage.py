from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.conversation.losses import LossLog
from anykey.conversation.usage import Usage
from anykey.protocols.openai_responses.usage import count_usage, decode_usage, encode_usage

COUNTS = st.integers(0, 10**6)


def test_totals_become_disjoint() -> None:
    wire = {
        "input_tokens": 10,
        "input_tokens_details": {
            "cached_tokens": 4,
            "cache_write_tokens": 3,
            "cache_write_tokens_details": {"ttl_30m_tokens": 3},
        },
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 19,
        "cost": 1,
    }
    usage = decode_usage(wire)
    assert usage is not None
    assert (usage.input_tokens, usage.cache_read_tokens, usage.cache_write_5m_tokens) == (3, 4, 3)
    assert (usage.output_tokens, usage.reasoning_tokens) == (4, 5)
    log = LossLog("response")
    assert encode_usage(usage, log) == wire
    assert not log.losses


def test_what_is_kept_for_twelve_hours_is_the_dearer_write() -> None:
    wire = {
        "input_tokens": 10,
        "input_tokens_details": {
            "cached_tokens": 0,
            "cache_write_tokens": 8,
            "cache_write_tokens_details": {"ttl_30m_tokens": 3, "ttl_12h_tokens": 5},
        },
        "output_tokens": 1,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 11,
    }
    usage = decode_usage(wire)
    assert usage is not None
    assert (usage.input_tokens, usage.cache_write_5m_tokens, usage.cache_write_1h_tokens) == (2, 3, 5)
    log = LossLog("response")
    assert encode_usage(usage, log) == wire
    assert not log.losses


@pytest.mark.parametrize("value", [None, {}, [], "x"])
def test_no_usage_is_none(value: Any) -> None:
    assert decode_usage(value) is None
    assert count_usage(value) is None


def test_details_larger_than_their_total_are_cut() -> None:
    usage = count_usage({"input_tokens": 2, "input_tokens_details": {"cached_tokens": 9}, "output_tokens": -1})
    assert usage == Usage(0, 2)


def test_an_unreported_usage_is_zero_and_a_loss() -> None:
    log = LossLog("response")
    wire = encode_usage(None, log)
    assert (wire["input_tokens"], wire["output_tokens"], wire["total_tokens"]) == (0, 0, 0)
    assert [loss.code for loss in log.losses] == ["approximated:usage"]


def test_what_another_protocol_counts_is_a_loss() -> None:
    log = LossLog("response")
    encode_usage(Usage(1, cache_write_1h_tokens=2, extras={"anthropic_messages": {"server_tool_use": {}}}), log)
    assert [loss.code for loss in log.losses] == ["dropped:usage.server_tool_use", "approximated:usage.cache_creation"]


@given(st.builds(Usage, COUNTS, COUNTS, COUNTS, st.just(0), COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS))
def test_usage_comes_back(usage: Usage) -> None:
    assert count_usage(encode_usage(usage, LossLog("response"))) == usage
