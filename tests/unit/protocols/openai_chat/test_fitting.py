"""What a server refuses: left out of a request with a Loss, and the reason why a client's own bytes do not go out as they are."""

from typing import Any

import msgspec
import pytest

from anykey.conversation.losses import LossLog
from anykey.protocols.openai_chat.dialect import Dialect
from anykey.protocols.openai_chat.fitting import cache_key_of, fits, header_value, leave_out
from tests.unit.protocols.openai_chat.samples import codes

PLAIN = Dialect(custom_tools=True)
STRICT = Dialect(
    custom_tools=True,
    developer_role=False,
    allowed_tool_choice=False,
    choice_count=False,
    stop=False,
    logprobs=False,
    penalties=False,
    refused_fields="seed, store",
    efforts="low, high",
    service_tiers="auto, fast",
    thinking_off="impossible",
)
EVERYTHING: dict[str, Any] = {
    "stop": ["x"],
    "n": 2,
    "seed": 1,
    "frequency_penalty": 1,
    "logit_bias": {},
    "service_tier": "flex",
    "max_tokens": 1,
    "max_completion_tokens": 1,
    "thinking": {"type": "disabled"},
    "tool_choice": {"type": "allowed_tools"},
    "messages": [{"role": "developer", "content": "x"}],
}


def body(**fields: Any) -> bytes:
    return msgspec.json.encode(
        {"model": "m", "messages": [{"role": "user", "content": 'a "stop" and a "developer"'}], **fields}
    )


def test_what_is_refused_is_left_out_and_told() -> None:
    log = LossLog("request")
    sent: dict[str, Any] = {"model": "m", "seed": 1, "top_logprobs": 2, "temperature": 1, "presence_penalty": 1}
    leave_out(sent, STRICT, log)
    assert sent == {"model": "m", "temperature": 1}
    assert sorted(codes(log.losses)) == ["dropped:presence_penalty", "dropped:seed", "dropped:top_logprobs"]


def test_who_takes_everything_gets_a_clients_own_bytes() -> None:
    assert fits(body(**EVERYTHING), PLAIN)


@pytest.mark.parametrize("key", sorted(EVERYTHING.keys() - {"max_tokens", "max_completion_tokens"}))
def test_one_thing_that_is_refused_is_enough(key: str) -> None:
    assert not fits(body(**{key: EVERYTHING[key]}), STRICT)


HARMLESS: list[dict[str, Any]] = [
    {},
    {"n": 1, "seed": None, "store": None, "stop": None},
    {"reasoning_effort": "low", "service_tier": "fast", "thinking": {"type": "enabled"}},
    {"reasoning_effort": None, "service_tier": None, "max_tokens": 1},
    {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"properties": {"seed": {}}}}}]},
]


@pytest.mark.parametrize("fields", HARMLESS)
def test_a_body_with_nothing_of_it_fits(fields: dict[str, Any]) -> None:
    assert fits(body(**fields), STRICT)


def test_an_effort_that_is_not_known_and_two_limits_do_not_fit() -> None:
    assert not fits(body(reasoning_effort="medium"), STRICT)
    assert not fits(body(max_tokens=1, max_completion_tokens=1), STRICT)


def test_a_body_that_cannot_be_read_is_read_whole() -> None:
    assert not fits(b'{"model": ', STRICT)


def test_the_cache_key_of_a_body() -> None:
    assert cache_key_of(body(prompt_cache_key="s-1")) == "s-1"
    for value in (None, "", 7):
        assert cache_key_of(body(prompt_cache_key=value)) is None
    assert cache_key_of(body()) is None
    assert cache_key_of(b'{"prompt_cache_key": ') is None


@pytest.mark.parametrize("key", ["s" * 65, "a\r\nx-evil: 1", "schlüssel", " s", "\ud800"])
def test_a_key_that_is_no_plain_word_is_a_fingerprint_in_a_header(key: str) -> None:
    assert header_value("session-1") == b"session-1"
    sent = header_value(key)
    assert len(sent) == 64
    assert sent.isalnum()
