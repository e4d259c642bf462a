from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.conversation.losses import LossLog
from anykey.conversation.usage import Usage
from anykey.protocols.openai_chat.dialect import Dialect
from anykey.protocols.openai_chat.usage import decode_usage, encode_usage, find_usage
from tests.unit.protocols.openai_chat.samples import PLAIN, codes

EXCLUDES = Dialect(usage_excludes_reasoning=True)


@pytest.mark.parametrize(
    ("wire", "dialect", "usage"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}, PLAIN, Usage(9, output_tokens=4)),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 4,
                "prompt_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 2, "audio_tokens": 1},
                "completion_tokens_details": {"reasoning_tokens": 3},
            },
            PLAIN,
            Usage(1, 5, 2, output_tokens=1, reasoning_tokens=3, input_audio_tokens=1),
        ),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 4,
                "total_tokens": 20,
                "completion_tokens_details": {"reasoning_tokens": 7},
            },
            EXCLUDES,
            Usage(9, output_tokens=4, reasoning_tokens=7),
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 4, "completion_tokens_details": {"reasoning_tokens": 7}},
            EXCLUDES,
            Usage(9, output_tokens=4, reasoning_tokens=7),
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 20},
            PLAIN,
            Usage(9, output_tokens=4, reasoning_tokens=7),
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 4, "completion_tokens_details": {"reasoning_tokens": 7}},
            PLAIN,
            Usage(9, output_tokens=0, reasoning_tokens=4),
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 0, "prompt_cache_hit_tokens": 6, "cost": None},
            PLAIN,
            Usage(3, 6, extras={"openai_chat": {"prompt_cache_hit_tokens": 6}}),
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 4, "reasoning_tokens": 2},
            PLAIN,
            Usage(9, output_tokens=2, reasoning_tokens=2, extras={"openai_chat": {"reasoning_tokens": 2}}),
        ),
        ({"prompt_tokens": -1, "completion_tokens": "many", "total_tokens": True}, PLAIN, Usage()),
        (None, PLAIN, None),
        ({}, PLAIN, None),
        ("9", PLAIN, None),
    ],
)
def test_totals_become_disjoint_buckets(wire: Any, dialect: Dialect, usage: Usage | None) -> None:
    assert decode_usage(wire, dialect) == usage


def test_usage_may_stand_elsewhere() -> None:
    assert find_usage({"usage": None, "x_groq": {"usage": {"prompt_tokens": 1}}}) == {"prompt_tokens": 1}
    assert find_usage({"x_groq": None}) is None


COUNTS = st.integers(0, 10**6)


@given(st.builds(Usage, *([COUNTS] * 10)))
def test_a_client_reads_the_same_totals(usage: Usage) -> None:
    log = LossLog("response")
    wire = encode_usage(usage, log)
    again = decode_usage(wire, PLAIN)
    assert again is not None
    assert wire["prompt_tokens"] == usage.total_input() == again.total_input()
    assert wire["completion_tokens"] == usage.total_output() == again.total_output()
    assert (again.cache_read_tokens, again.reasoning_tokens) == (usage.cache_read_tokens, usage.reasoning_tokens)
    assert codes(log.losses) == (["approximated:usage.cache_creation"] if usage.cache_write_1h_tokens else [])


def test_our_own_extras_come_back_and_others_are_losses() -> None:
    wire = {
        "prompt_tokens": 9,
        "completion_tokens": 4,
        "total_tokens": 13,
        "cost": 0.5,
        "prompt_tokens_details": {"cached_tokens": 0, "text_tokens": 9},
        "completion_tokens_details": {"reasoning_tokens": 0, "accepted_prediction_tokens": 1},
    }
    usage, log = decode_usage(wire, PLAIN), LossLog("response")
    assert usage is not None
    assert encode_usage(usage, log) == wire
    encode_usage(Usage(extras={"anthropic_messages": {"server_tool_use": {}}}), log)
    assert codes(log.losses) == ["dropped:usage.server_tool_use"]


def test_what_is_kept_for_twelve_hours_is_the_dearer_write() -> None:
    details = {"cached_tokens": 0, "cache_write_tokens": 8, "cache_write_tokens_details": {"ttl_12h_tokens": 5}}
    wire = {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11, "prompt_tokens_details": details}
    usage = decode_usage(wire, Dialect())
    assert usage is not None
    assert (usage.input_tokens, usage.cache_write_5m_tokens, usage.cache_write_1h_tokens) == (2, 3, 5)
    log = LossLog("response")
    assert encode_usage(usage, log)["prompt_tokens_details"] == details
    assert not log.losses
