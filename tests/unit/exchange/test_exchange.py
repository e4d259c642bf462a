"""What is known of a call, and the row it becomes."""

import pytest

from anykey.accounts.keys import ApiKey
from anykey.conversation.failures import Failure
from anykey.conversation.losses import Loss
from anykey.conversation.usage import Usage
from anykey.exchange.exchange import Exchange, Inbound
from anykey.protocols.catalog import CODECS
from anykey.routing.ask import Ask
from anykey.routing.plan import Plan, PlanStep, plan
from tests.unit.routing.configuring import provider, snapshot

BODY = b'{"model": "openai/gpt-x", "messages": [{"role": "user", "content": "hi"}]}'


def exchange() -> Exchange:
    """A Chat call of a known key that began at second 100."""
    made = Exchange("req_1", Inbound(CODECS["openai_chat"], (), BODY, "curl"), 100.0, 1_700_000_000_123)
    made.key = ApiKey(id="k1", name="n", digest=b"d", last4="abcd", created_at=1, revoked_at=None)
    made.model = "openai/gpt-x"
    return made


def step() -> PlanStep:
    route = plan(snapshot(provider("openai")), Ask(model="openai/gpt-x", protocol="openai_chat"))
    assert isinstance(route, Plan)
    return route.steps[0]


def test_a_call_that_reached_no_provider() -> None:
    call = exchange()
    call.failure = Failure("model_not_found", "no")
    call.status = 404
    row = call.row(100.5)
    assert (row.id, row.at, row.key_id, row.client) == ("req_1", 1_700_000_000_123, "k1", "curl")
    assert (row.provider, row.upstream_protocol, row.deployment, row.attempts) == (None, None, None, 0)
    assert (row.failure, row.status, row.total_ms, row.first_token_ms) == ("model_not_found", 404, 500, None)
    assert (row.usage_source, row.input_tokens, row.output_tokens) == ("none", 0, 0)


def test_every_bucket_is_kept_and_odd_ones_count_with_their_side() -> None:
    call = exchange()
    call.begin_attempt(step())
    call.usage = Usage(
        input_tokens=1,
        cache_read_tokens=2,
        cache_write_5m_tokens=4,
        cache_write_1h_tokens=8,
        output_tokens=16,
        reasoning_tokens=32,
        input_audio_tokens=64,
        input_image_tokens=128,
        output_audio_tokens=256,
        output_image_tokens=512,
    )
    call.first_token_at = 100.25
    row = call.row(101.0)
    assert (row.input_tokens, row.output_tokens, row.reasoning_tokens) == (193, 784, 32)
    assert (row.cache_read_tokens, row.cache_write_5m_tokens, row.cache_write_1h_tokens) == (2, 4, 8)
    assert (row.usage_source, row.first_token_ms, row.total_ms) == ("upstream", 250, 1000)
    assert (row.provider, row.deployment, row.attempts) == ("openai", "openai/gpt-x", 1)


def test_a_new_attempt_forgets_the_last_one() -> None:
    call = exchange()
    call.begin_attempt(step())
    call.usage, call.finish, call.model_answered = Usage(input_tokens=5), "stop", "m"
    call.failure = Failure("upstream_error", "no")
    call.request_losses = (Loss("dropped", "a", "why"),)
    call.response_losses = [Loss("dropped", "b", "why", "response")]
    call.begin_attempt(step())
    row = call.row(100.0)
    assert (row.attempts, row.usage_source, row.finish, row.model_answered) == (2, "none", None, None)
    assert (row.failure, row.losses) == (None, ())


def test_losses_are_named_once_without_their_places() -> None:
    call = exchange()
    call.request_losses = (Loss("dropped", "m[0].a", "x"), Loss("dropped", "m[1].a", "x"))
    call.response_losses = [Loss("emulated", "b", "x", "response")]
    assert call.row(100.0).losses == ("dropped:m.a", "emulated:b")


def test_a_row_needs_a_key() -> None:
    call = exchange()
    call.key = None
    with pytest.raises(AssertionError):
        call.row(100.0)
