"""The OpenAI SDK's ``responses.connect``: one connection, several responses, whatever the upstream speaks."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from openai.resources.responses.responses import AsyncResponsesConnection

from tests.fakes.answers import CHAT, MESSAGES, PROTOCOLS, TEXT, answering, failing, pieces, whole
from tests.fakes.wire import RecordedCall, Script, WireConnection
from tests.sdk.lab import running

UPSTREAMS = pytest.mark.parametrize("upstream", PROTOCOLS)
HI: list[Any] = [{"type": "message", "role": "user", "content": "hi"}]
SYSTEM: list[Any] = [{"type": "message", "role": "developer", "content": "be brief"}]


async def heard(connection: AsyncResponsesConnection) -> list[Any]:
    """The events up to the end of one response."""
    events: list[Any] = [await connection.recv()]
    while events[-1].type not in {"response.completed", "response.failed", "error"}:
        events.append(await connection.recv())
    return events


@UPSTREAMS
async def test_a_turn_and_the_next(tmp_path: Path, upstream: str) -> None:
    """As Codex does it: a warm-up, then turns that say only what is new."""
    async with running(tmp_path, upstream, answering(upstream)) as lab, lab.openai.responses.connect() as connection:
        await connection.response.create(model="test-model", input=SYSTEM, store=False, generate=False)
        warm = (await heard(connection))[-1].response
        assert (warm.status, warm.output, lab.upstream.calls) == ("completed", [], [])
        await connection.response.create(
            model="test-model", input=HI, store=False, previous_response_id=warm.id, stream=True
        )
        events = await heard(connection)
        assert events[0].type == "response.created"
        assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == TEXT
        assert [event.sequence_number for event in events] == list(range(len(events)))
        first = events[-1].response
        assert first.output_text == TEXT
        await connection.response.create(model="test-model", input="more", store=False, previous_response_id=first.id)
        assert (await heard(connection))[-1].response.output_text == TEXT
        said = [str(message["content"]) for message in lab.asked["messages"]]
    assert len(lab.upstream.calls) == 2
    assert [any(word in text for text in said) for word in ("hi", TEXT, "more")] == [True, True, True]
    assert "be brief" in str(lab.asked)


def numbering() -> Script:
    """Answers that differ in their ids, as a provider's do."""
    numbers = itertools.count(1)

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        own = f"chatcmpl-{next(numbers)}"
        if not call.json().get("stream"):
            await connection.json(200, {**whole(CHAT), "id": own})
            return
        await connection.sse_start()
        await connection.sse(*[piece.replace("chatcmpl-7", own) for piece in pieces(CHAT).all()])
        await connection.sse_end()

    return script


async def test_a_stored_response_goes_on_elsewhere(tmp_path: Path) -> None:
    async with running(tmp_path, CHAT, numbering()) as lab:
        async with lab.openai.responses.connect() as connection:
            await connection.response.create(model="test-model", input=HI)
            first = (await heard(connection))[-1].response
        again = await lab.openai.responses.create(model="test-model", input="more", previous_response_id=first.id)
        assert again.output_text == TEXT
        async with lab.openai.responses.connect() as connection:
            await connection.response.create(
                model="test-model", input="last", store=False, previous_response_id=again.id
            )
            await heard(connection)
        assert [message["role"] for message in lab.asked["messages"]] == ["user", "assistant"] * 2 + ["user"]


async def test_what_is_not_known_is_told_and_the_connection_stays(tmp_path: Path) -> None:
    async with (
        running(tmp_path, MESSAGES, answering(MESSAGES)) as lab,
        lab.openai.responses.connect() as connection,
    ):
        for store in (True, False):
            await connection.response.create(
                model="test-model", input=HI, store=store, previous_response_id="resp_none"
            )
            error = (await heard(connection))[-1]
            assert (error.type, error.status, error.error.code) == ("error", 400, "previous_response_not_found")
        await connection.response.create(model="test-model", input=HI)
        assert (await heard(connection))[-1].type == "response.completed"


@UPSTREAMS
async def test_an_upstreams_refusal_is_an_error_event(tmp_path: Path, upstream: str) -> None:
    error = {"error": {"type": "rate_limit_error", "message": "slow down"}}
    async with (
        running(tmp_path, upstream, failing(429, error, (("retry-after", "3"),))) as lab,
        lab.openai.responses.connect() as connection,
    ):
        await connection.response.create(model="test-model", input=HI)
        told = (await heard(connection))[-1]
        assert (told.type, told.status, told.headers["retry-after"]) == ("error", 429, "3")
        assert "slow down" in told.error.message
