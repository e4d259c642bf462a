"""What the official SDKs make of costs and of purses that are empty."""

from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from google.genai.errors import ClientError

from anykey.administration.organisations import OrganisationFields, update_organisation
from anykey.administration.wallets import balance_of, top_up
from tests.fakes.agents import GEMINI, RESPONSES
from tests.fakes.answers import CHAT, MESSAGES
from tests.fakes.money import ANSWER_NANO, allow, charges, price_everything, settled
from tests.sdk.lab import Lab, google, running
from tests.sdk.said import FOUR, telling, text

TEXT = "Hello world"
EACH_CLIENT = pytest.mark.parametrize("client", FOUR)
EACH_UPSTREAM = pytest.mark.parametrize("upstream", FOUR)


async def ask(lab: Lab, client: str, *, stream: bool) -> str:
    """The text of one answer, read to its end by this client's SDK."""
    if client == GEMINI:
        return await _ask_google(lab, stream=stream)
    if client == MESSAGES:
        said: Any = [{"role": "user", "content": "hi"}]
        if stream:
            async with lab.anthropic.messages.stream(model="test-model", max_tokens=64, messages=said) as told:
                return await told.get_final_text()
        message = await lab.anthropic.messages.create(model="test-model", max_tokens=64, messages=said)
        return "".join(block.text for block in message.content if block.type == "text")
    if client == RESPONSES:
        if stream:
            async with lab.openai.responses.stream(model="test-model", input="hi") as events:
                return (await events.get_final_response()).output_text
        return (await lab.openai.responses.create(model="test-model", input="hi")).output_text
    asked: dict[str, Any] = {"model": "test-model", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 64}
    completions: Any = lab.openai.chat.completions
    if stream:
        return "".join(
            [chunk.choices[0].delta.content or "" async for chunk in await completions.create(**asked, stream=True)]
        )
    return (await completions.create(**asked)).choices[0].message.content


async def _ask_google(lab: Lab, *, stream: bool) -> str:
    async with google(lab) as client:
        if not stream:
            return (await client.aio.models.generate_content(model="test-model", contents="hi")).text
        told = await client.aio.models.generate_content_stream(model="test-model", contents="hi")
        return "".join([chunk.text or "" async for chunk in told])


@EACH_CLIENT
@EACH_UPSTREAM
async def test_the_cost_behind_a_stream_breaks_no_sdk(tmp_path: Path, client: str, upstream: str) -> None:
    price_everything(tmp_path)
    async with running(tmp_path, upstream, telling(text(upstream, TEXT))) as lab:
        allow(lab.gateway)
        assert [await ask(lab, client, stream=stream) for stream in (True, False)] == [TEXT, TEXT]
        rows = await lab.gateway.rows(2)
        paid = await settled(lab.gateway.home, *[row.id for row in rows])
    assert [(row.status, row.failure, row.cost_basis, row.cost_nano) for row in rows] == [
        (200, None, "upstream", ANSWER_NANO)
    ] * 2
    assert [(one.state, one.cost_nano) for one in paid] == [("settled", ANSWER_NANO)] * 2


@EACH_CLIENT
@pytest.mark.parametrize("stream", [False, True])
async def test_a_spent_budget_is_a_rate_limit(tmp_path: Path, client: str, stream: bool) -> None:
    price_everything(tmp_path)
    async with running(tmp_path, CHAT, telling(text(CHAT, TEXT))) as lab:
        allow(lab.gateway, 1000, "5h")
        error = await refused(lab, client, stream=stream)
        assert lab.upstream.calls == []
        rows = await lab.gateway.rows(1)
    assert isinstance(error, openai.RateLimitError | anthropic.RateLimitError | ClientError)
    assert _status(error) == 429
    for word in ("5 hours", "$0.000001", "shorter answer"):
        assert word in str(error)
    assert [(row.status, row.failure, row.cost_basis, row.cost_nano) for row in rows] == [
        (429, "rate_limited", "free", 0)
    ]
    assert charges(lab.gateway.home) == {}


@EACH_CLIENT
async def test_an_empty_wallet_is_a_402(tmp_path: Path, client: str) -> None:
    home = price_everything(tmp_path)
    async with running(tmp_path, CHAT, telling(text(CHAT, TEXT))) as lab:
        update_organisation(home, "default", OrganisationFields(prepaid=True))
        top_up(home, "default", 123_000)
        error = await refused(lab, client, stream=False)
        assert lab.upstream.calls == []
        assert _status(error) == 402
        assert isinstance(error, openai.APIStatusError | anthropic.APIStatusError | ClientError)
        assert "$0.000123 of credit" in str(error)
        top_up(home, "default", 10**9)
        assert await ask(lab, client, stream=False) == TEXT
        (row,) = await lab.gateway.rows(1)
        await settled(home, row.id)
    wallet = balance_of(home, "default")
    assert (wallet.balance_nano, wallet.held_nano) == (10**9 + 123_000 - ANSWER_NANO, 0)


async def test_prepaid_credit_buys_nothing_without_a_price(tmp_path: Path) -> None:
    home = price_everything(tmp_path, b'model = "another"\ninput = "1"\noutput = "1"\n')
    async with running(tmp_path, CHAT, telling(text(CHAT, TEXT))) as lab:
        update_organisation(home, "default", OrganisationFields(prepaid=True))
        top_up(home, "default", 10**9)
        error = await refused(lab, CHAT, stream=False)
        assert (_status(error), error.code) == (402, "unpriced_model")
        assert lab.upstream.calls == []


async def refused(lab: Lab, client: str, *, stream: bool) -> Any:
    """What the SDK raises."""
    with pytest.raises((openai.APIStatusError, anthropic.APIStatusError, ClientError)) as caught:
        await ask(lab, client, stream=stream)
    return caught.value


def _status(error: Any) -> int:
    return error.code if isinstance(error, ClientError) else error.status_code
