"""A program that leaves its stream ends the upstream call, so that nothing more is generated or paid for."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.fakes.answers import CHAT, PAIRS, pieces
from tests.fakes.wire import RecordedCall, WireConnection
from tests.sdk.lab import Lab, running

BOUND_S = 0.2


async def one_piece(lab: Lab, client: str) -> float:
    """Read the first content of a stream and leave it; the time of leaving."""
    if client == CHAT:
        async with await lab.openai.chat.completions.create(
            model="test-model", messages=[{"role": "user", "content": "hi"}], stream=True
        ) as stream:
            async for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content:
                    break
            return time.monotonic()
    async with lab.anthropic.messages.stream(
        model="test-model", max_tokens=64, messages=[{"role": "user", "content": "hi"}]
    ) as told:
        async for _ in told.text_stream:
            break
        return time.monotonic()


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_leaving_a_stream_closes_the_upstream(tmp_path: Path, client: str, upstream: str) -> None:
    closed: asyncio.Future[float | None] = asyncio.get_running_loop().create_future()

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        told = pieces(upstream)
        await connection.sse_start()
        await connection.sse(*told.lifecycle, *told.content)
        closed.set_result(await connection.client_gone(5))

    async with running(tmp_path, upstream, script) as lab:
        left_at = await one_piece(lab, client)
        closed_at = await asyncio.wait_for(closed, 5)
        assert closed_at is not None
        assert closed_at - left_at < BOUND_S
        (row,) = await lab.gateway.rows()
    assert row.failure == "client_gone"


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_cancelling_a_plain_call_closes_the_upstream(tmp_path: Path, client: str, upstream: str) -> None:
    closed: asyncio.Future[float | None] = asyncio.get_running_loop().create_future()
    asked = asyncio.Event()

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        asked.set()
        closed.set_result(await connection.client_gone(5))

    async with running(tmp_path, upstream, script) as lab:
        if client == CHAT:
            call = asyncio.ensure_future(
                lab.openai.chat.completions.create(model="test-model", messages=[{"role": "user", "content": "hi"}])
            )
        else:
            call = asyncio.ensure_future(
                lab.anthropic.messages.create(
                    model="test-model", max_tokens=64, messages=[{"role": "user", "content": "hi"}]
                )
            )
        await asyncio.wait_for(asked.wait(), 5)
        call.cancel()
        left_at = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await call
        closed_at = await asyncio.wait_for(closed, 5)
        assert closed_at is not None
        assert closed_at - left_at < BOUND_S
