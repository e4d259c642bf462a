"""Strict calls lose nothing on the way to an upstream, or are not made."""

from pathlib import Path
from typing import Any

import pytest

from anykey.administration.keys import create_key
from tests.fakes.answers import CHAT, MESSAGES, PATHS, answering, request, wired
from tests.fakes.gateway import RunningGateway, WireReply

LOSING: dict[str, Any] = {
    "top_k": 5,
    "metadata": {"user_id": "ann"},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
}
EMULATED: dict[str, Any] = {"stop_sequences": ["a", "b", "c", "d", "e"]}


async def ask(gateway: RunningGateway, strict: str | None, key: str | None = None, **more: Any) -> WireReply:
    headers = {**gateway.headers(), **({"x-anykey-strict": strict} if strict is not None else {})}
    if key is not None:
        headers["authorization"] = f"Bearer {key}"
    return await gateway.post(PATHS[MESSAGES], request(MESSAGES, **more), headers)


@pytest.mark.parametrize("strict", ["true", "1", "True"])
async def test_every_loss_is_named_and_nobody_is_called(tmp_path: Path, strict: str) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        reply = await ask(gateway, strict, **LOSING)
        row = (await gateway.rows())[0]
    told = reply.json()["error"]["message"]
    assert (reply.status, server.calls) == (400, [])
    assert "top_k (dropped)" in told
    assert "reasoning.budget_tokens" in told
    assert (row.status, row.failure) == (400, "invalid_request")
    assert {loss.path for loss in row.loss_details or ()} >= {"top_k", "reasoning.budget_tokens"}


async def test_what_reaches_the_same_effect_passes(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, _):
        reply = await ask(gateway, "true", **EMULATED)
    assert reply.status == 200
    assert "emulated:stop" in reply.headers["x-anykey-losses"]


async def test_a_verbatim_call_loses_nothing(tmp_path: Path) -> None:
    async with wired(tmp_path, MESSAGES, answering(MESSAGES)) as (gateway, _):
        assert (await ask(gateway, "true", **LOSING)).status == 200


async def test_without_the_header_or_with_false_losses_pass(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, _):
        for strict in (None, "false", "0", ""):
            assert (await ask(gateway, strict, **LOSING)).status == 200


async def test_a_word_that_is_neither_is_refused(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        reply = await ask(gateway, "yes")
    assert (reply.status, server.calls) == (400, [])
    assert "x-anykey-strict" in reply.json()["error"]["message"]


async def test_a_strict_key_makes_all_its_calls_strict(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, _):
        key = create_key(gateway.home, "careful", strict=True).text
        assert (await ask(gateway, None, key, **LOSING)).status == 400
        assert (await ask(gateway, "false", key, **LOSING)).status == 400
        assert (await ask(gateway, None, key, **EMULATED)).status == 200
