"""What a call takes of its rates when it comes, and what it has taken when it is gone."""

from typing import Any

import pytest

from anykey.accounts.keys import ApiKey
from anykey.accounts.purse import Purse, rates_of
from anykey.accounts.rates import Exceeded, Taken
from anykey.conversation.failures import FailureError
from anykey.conversation.usage import Usage
from anykey.exchange.entry import enter, leave, look
from anykey.exchange.exchange import Exchange, Inbound
from anykey.exchange.limiting import MemoryLimiter
from anykey.protocols.catalog import CODECS
from anykey.protocols.codec import RequestPath


class Gate:
    """All of a gateway that is needed here."""

    def __init__(self) -> None:
        self.limiter: Any = MemoryLimiter(lambda: 1000.0)


def call(body: bytes = b"{}", **limits: int) -> Exchange:
    codec = CODECS["openai_chat"]
    exchange = Exchange("req_1", Inbound(codec, (), body, "curl"), 0.0, 0)
    exchange.peek = codec.peek(b'{"model":"m"' + (b"," + body[1:] if len(body) > 2 else b"}"), RequestPath())
    rates = rates_of("k", limits.get("requests"), limits.get("tokens"), limits.get("concurrency"))
    purse = Purse("o", None, None, "postpaid:o", prepaid=False, budgets=(), rates=rates, metered=False)
    exchange.key = ApiKey(id="k", name="k", digest=b"", last4="", created_at=0, purse=purse)
    return exchange


def used(exchange: Exchange) -> dict[str, int]:
    return {state.rate.unit: state.used for state in exchange.rates}


async def test_nothing_is_asked_of_a_key_without_rates() -> None:
    gate: Any = Gate()
    gate.limiter = None
    exchange = call()
    await enter(exchange, gate)
    assert (exchange.entry, exchange.rates) == (None, ())
    leave(exchange, gate)


@pytest.mark.parametrize(
    ("usage", "status", "left"),
    [
        (Usage(input_tokens=300, cache_read_tokens=50, output_tokens=20, reasoning_tokens=5), 200, 375),
        (None, 200, 110 + 256),  # who answers without usage used what was reserved
        (None, 502, 0),
    ],
)
async def test_the_truth_is_counted_at_the_end(usage: Usage | None, status: int, left: int) -> None:
    gate: Any = Gate()
    body = b'{"max_tokens":256,"x":"' + b"a" * 375 + b'"}'
    first = call(body, tokens=10_000)
    await enter(first, gate)
    assert used(first) == {"tokens": 110 + 256}
    first.usage, first.status = usage, status
    leave(first, gate)
    leave(first, gate)  # once is enough
    after = call(tokens=10_000)
    await enter(after, gate)
    assert used(after) == {"tokens": left + 1}


async def test_a_refusal_says_which_limit_and_how_long() -> None:
    gate: Any = Gate()
    await enter(call(requests=1, concurrency=5), gate)
    second = call(requests=1, concurrency=5)
    with pytest.raises(FailureError) as refused:
        await enter(second, gate)
    failure = refused.value.failure
    assert (failure.kind, failure.code) == ("rate_limited", "key_requests_per_minute")
    assert failure.message.startswith("The key 'k' has reached its limit of 1 requests per minute (1 in use).")
    assert failure.retry_after_s == 65
    assert second.entry is None
    assert used(second) == {"requests": 1, "concurrency": 1}


async def test_pictures_are_not_counted_as_text_where_that_would_refuse_a_call() -> None:
    gate: Any = Gate()
    picture = b'{"type":"base64","media_type":"image/png","data":"' + b"A" * 40_000 + b'"}'
    body = b'{"messages":[{"role":"user","content":[{"type":"image","source":' + picture + b"}]}]}"
    asked: list[int] = []

    class Listening(MemoryLimiter):
        async def take(self, rates: Any, tokens: int) -> Taken | Exceeded:
            asked.append(tokens)
            return await super().take(rates, tokens)

    gate.limiter = Listening(lambda: 1000.0)
    await enter(call(tokens=8000), gate)
    await enter(call(body, tokens=8000), gate)
    assert len(asked) == 3
    assert asked[2] < asked[1] // 3


async def test_a_call_that_takes_nothing_sees_how_the_rates_stand() -> None:
    gate: Any = Gate()
    await enter(call(requests=5), gate)
    for _ in range(2):
        seen = call(requests=5)
        look(seen, gate)
        assert used(seen) == {"requests": 1}
    stranger = call(requests=5)
    stranger.key = None
    look(stranger, gate)
    assert stranger.rates == ()
