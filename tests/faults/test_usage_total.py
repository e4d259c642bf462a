"""After a run of everything at once, one number: what the upstream billed, what the ledger has and what usage adds up to are the
same, to the nano-USD (L10).

The upstream writes down what each of its answers costs by the card; a client that leaves pays for what it was sent. Calls that
failed are free, and what nobody can know stays held: in no sum.
"""

import asyncio
import json
import math
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest_asyncio

from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import create_key
from anykey.administration.ledger import verify
from anykey.administration.usage_report import report, summed
from anykey.exchange.body_facts import read_body
from anykey.storage.usage_question import UsageQuestion
from anykey.storage.usage_report import ask_usage
from anykey.storage.usage_rollup import add_up_next
from tests.fakes.agents import GEMINI, RESPONSES
from tests.fakes.answers import CHAT
from tests.fakes.fault_scripts import error_body, hear
from tests.fakes.gateway import RunningGateway
from tests.fakes.money import INPUT_NANO, OUTPUT_NANO, allow, charges, key_id, price_everything, settled
from tests.fakes.wire import RecordedCall, WireConnection, WireServer
from tests.faults.lanes import FOUR, LANES, SHORT, call
from tests.faults.test_matrix import provider
from tests.sdk import said_gemini, said_responses
from tests.sdk.said import Answer, gemini, responses, telling, text

CALLS, LEAVING = 120, 6
SAID, FIRST = "Hello world", b"Hello"
HOUR_MS = 3_600_000


class Till:
    """An upstream that answers, refuses, breaks off or says nothing, and keeps the bill."""

    def __init__(self) -> None:
        self.nano = 0
        self.fates: dict[str, int] = {}
        self._chance = random.Random(10)

    async def answer(self, call: RecordedCall, connection: WireConnection) -> None:
        heard = hear(call)
        fate = (
            "leave" if heard.model.startswith("leave") else self._chance.choice(("well",) * 6 + ("500", "429", "cut"))
        )
        self.fates[fate] = self.fates.get(fate, 0) + 1
        if fate == "cut":
            connection.reset()
        elif fate == "leave":
            await self._begin(connection)
        elif fate == "well":
            read, written = self._chance.randrange(1, 90_000), self._chance.randrange(1, 9000)
            self.nano += read * INPUT_NANO + written * OUTPUT_NANO
            await telling(answer_of(heard.protocol, read, written))(call, connection)
        else:
            await connection.json(int(fate), error_body(heard.protocol, int(fate), "no", ""))

    async def _begin(self, connection: WireConnection) -> None:
        """Half an answer, until the client is gone: counted at four bytes a token."""
        self.nano += read_body(LEFT).tokens * INPUT_NANO + math.ceil(len(FIRST) / 4) * OUTPUT_NANO
        await connection.sse_start()
        await connection.sse(*text(CHAT, SAID).stream[:2])
        await connection.client_gone(5)


LEFT = b'{"messages":[{"role":"user","content":"hi"}]}'


def answer_of(protocol: str, read: int, written: int) -> Answer:
    """The same text with these tokens."""
    if protocol == RESPONSES:
        return responses([said_responses.message(SAID)], said_responses.usage(read, written))
    if protocol == GEMINI:
        return gemini([{"text": SAID}], said_gemini.usage(read, written))
    chat = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
    return text(protocol, SAID, usage=(chat, {"input_tokens": read, "output_tokens": written}))


@pytest_asyncio.fixture
async def till() -> Till:
    return Till()


@pytest_asyncio.fixture
async def gateway(tmp_path: Path, till: Till) -> AsyncIterator[RunningGateway]:
    price_everything(tmp_path)
    async with WireServer(till.answer) as upstream:
        lines = ["[server]", "environment_providers = false", "discovery_hours = 0"]
        for protocol in FOUR:
            lines += provider(SHORT[protocol], protocol, upstream.url, "LAB_KEY")
        async with RunningGateway(tmp_path, "\n".join([*lines, ""])) as running:
            allow(running)
            yield running


async def leave(gateway: RunningGateway, messages: bool) -> str:
    """Ask for a stream and go away after its first word; the id of the call."""
    body = {"model": "chat/leave", "stream": True, **json.loads(LEFT)} | ({"max_tokens": 64} if messages else {})
    path = "/v1/messages" if messages else "/v1/chat/completions"
    async with gateway.sent("POST", path, body) as (reader, _):
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readuntil(FIRST)
    return head.lower().partition(b"x-anykey-request-id: ")[2].partition(b"\r\n")[0].decode()


async def test_upstream_ledger_and_usage_agree_to_the_nano(gateway: RunningGateway, till: Till) -> None:
    chance = random.Random(11)
    asked = [(chance.choice(LANES), chance.choice(FOUR)) for _ in range(CALLS)]
    ids = await asyncio.gather(*(leave(gateway, bool(number % 2)) for number in range(LEAVING)))
    for start in range(0, CALLS, 20):
        group = asked[start : start + 20]
        replies = await asyncio.gather(
            *(call(gateway, lane, f"{SHORT[upstream]}/m{number % 3}") for number, (lane, upstream) in enumerate(group))
        )
        ids += [reply.headers["x-anykey-request-id"] for reply in replies]
    await settled(gateway.home, *ids)

    assert min(till.fates.values()) >= LEAVING
    kept = charges(gateway.home).values()
    assert {one.state for one in kept} >= {"settled", "void"}
    ledger = verify(gateway.home)
    assert ledger.broken == []
    assert ledger.settled_nano == sum(one.cost_nano for one in kept) == till.nano
    await check_usage(gateway, till.nano, len(ids))


async def check_usage(gateway: RunningGateway, nano: int, count: int) -> None:
    """By everything that calls can be told apart by, from calls, from sums of them, and over HTTP."""
    home = gateway.home
    for by in ("key", "model", "provider", "client", "organisation", "day", "hour", "status"):
        lines = report(home, UsageQuestion(by=(by,))).lines
        assert sum(line.sums.cost_nano for line in lines) == nano, by
        assert sum(line.sums.exchanges for line in lines) == count, by
    later_ms = int(time.time() * 1000) + 26 * HOUR_MS
    while add_up_next(home.database, later_ms):
        pass
    for question in (UsageQuestion(), UsageQuestion(by=("hour", "model"))):
        assert sum(one.cost_nano for one in ask_usage(home.database, question, later_ms).sums) == nano
        assert sum(one.cost_nano for one in summed(home, question)) == nano
    own = (await gateway.get("/v1/usage", gateway.headers())).json()
    assert (own["key_id"], own["total"]["cost_nano"], own["total"]["requests"]) == (key_id(gateway), nano, count)
    admin = create_key(home, "admin", fields=KeyFields(admin=True)).text
    async with openai.AsyncOpenAI(api_key=admin, admin_api_key=admin, base_url=f"{gateway.url}/v1") as client:
        begin = int(time.time()) // 86_400 * 86_400 - 86_400
        told: Any = client.admin.organization.usage  # its results are of nine classes, by what was asked
        costs = await told.costs(start_time=begin, group_by=["line_item"])
        amounts = [result.amount for bucket in costs.data for result in bucket.results]
        assert round(sum(amount.value for amount in amounts) * 10**9) == nano
        usage = await told.completions(start_time=begin, group_by=["model", "api_key_id"])
        assert sum(result.num_model_requests for bucket in usage.data for result in bucket.results) == count
