"""What is charged under each fault, on eight lanes, against upstreams of the client's protocol and of another.

The table is the law: nothing is free that the client was told, nothing is charged that it was not, and what nobody can know stays
held. What the upstream told of its usage is charged to the nano-USD; its own log of what it answered is the oracle.
"""

import asyncio
import math
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
import pytest_asyncio

from anykey.administration.ledger import verify
from anykey.administration.requests import attempts_of
from anykey.exchange.body_facts import read_body
from anykey.storage.exchanges import UsageFilter, recent_exchanges
from anykey.storage.records import ExchangeRow
from tests.fakes.agents import GEMINI, RESPONSES
from tests.fakes.answers import CHAT, MESSAGES
from tests.fakes.fault_upstream import NETWORK, FaultUpstream
from tests.fakes.gateway import RunningGateway, WireReply
from tests.fakes.money import ANSWER_NANO, INPUT_NANO, OUTPUT_NANO, ChargeRow, allow, charges, price_everything, settled
from tests.faults.lanes import FOUR, LANES, SHORT, Lane, call
from tests.faults.test_matrix import provider

pytestmark = pytest.mark.asyncio(loop_scope="module")

FREE = [
    "01-refused",
    "02-blackhole",
    "03-no-name",
    "05-expired",
    "06-tls-stall",
    "09-limited",
    "11-401",
    "11-403",
    "12-402",
    "12-quota",
    "13-400",
    "14-500",
    "14-529",
    "15-302",
    "16-html",
    "16-text",
    "16-foreign",
    "17-error",
    "21-error-first",
    "21-error-unended",
]
UNKNOWN = ["08-silent", "18-short", "20-fields", "22-empty", "23-reset", "23-close", "23-end", "23-stall"]
BROKEN = [
    "24-stall",
    "25-reset",
    "26-close",
    "26-end",
    "27-framing",
    "28-error-after",
    "28-error-unended",
    "29-half-json",
]
"""After content; where no stream was asked for, half a document: nobody knows what it was to be."""
UNCOUNTED = ["34-no-usage", "35-negative", "35-huge", "35-text"]
SLOW = {"02-blackhole", "06-tls-stall", "08-silent", "23-stall", "24-stall"}
HASTY = "connect_s = 0.25, first_byte_s = 0.5, idle_s = 0.25"
ALL = ["00-well", *FREE, *UNKNOWN, *BROKEN, *UNCOUNTED]
SAID_TOKENS = {fault: math.ceil(5 / 4) for fault in BROKEN} | {fault: math.ceil(11 / 4) for fault in UNCOUNTED}
"""Of "Hello", and of "Hello world": four bytes a token."""


class Cell(NamedTuple):
    """One model of the gateway's with a fault behind it; `backed`: a healthy deployment too."""

    fault: str
    lane: Lane
    upstream: str
    backed: bool = False

    @property
    def name(self) -> str:
        return f"{self.fault}.{self.lane}.{SHORT[self.upstream]}.{'backed' if self.backed else 'alone'}"


def cells_of(fault: str) -> list[Cell]:
    """The client's own protocol and another one, for each lane."""
    found: list[Cell] = []
    for lane in LANES:
        foreign = [protocol for protocol in FOUR if protocol != lane.client][ALL.index(fault) % 3]
        found += [Cell(fault, lane, lane.client), Cell(fault, lane, foreign)]
        if fault in FREE + UNKNOWN and fault != "13-400":
            found.append(Cell(fault, lane, foreign, backed=True))
    return found


def configuration(upstream: FaultUpstream) -> str:
    lines = ["[server]", "environment_providers = false", "discovery_hours = 0"]
    lines += ["[upstream]", f'ca_file = "{upstream.ca_file}"']
    for protocol in FOUR:
        lines += provider(f"good-{SHORT[protocol]}", protocol, upstream.url("open"), "LAB_KEY")
    for cell in (cell for fault in ALL for cell in cells_of(fault)):
        limits = HASTY if cell.fault in SLOW else ""
        lines += provider(cell.name, cell.upstream, upstream.url(NETWORK.get(cell.fault, "open")), "LAB_KEY", limits)
        backup = [f"good-{SHORT[cell.lane.client]}/00-well.{cell.name}"] if cell.backed else []
        lines += [f'[models."{cell.name}"]', f"deployments = {[f'{cell.name}/{cell.name}', *backup]}"]
    return "\n".join([*lines, ""])


class Outcome(NamedTuple):
    """What became of one call."""

    cell: Cell
    reply: WireReply
    row: ExchangeRow
    charge: ChargeRow


class Ground(NamedTuple):
    """Where it happens."""

    gateway: RunningGateway
    upstream: FaultUpstream

    async def ask(self, cell: Cell) -> Outcome:
        """One call, its usage row and its charge, which were written together."""
        reply = await call(self.gateway, cell.lane, cell.name)
        (charge,) = await settled(self.gateway.home, reply.headers["x-anykey-request-id"])
        rows = recent_exchanges(self.gateway.home.database, 9, UsageFilter(model=cell.name))
        (row,) = [row for row in rows if row.id == charge.id]
        assert (row.id, row.cost_basis, row.organisation) == (charge.id, charge.basis, "default")
        return Outcome(cell, reply, row, charge)

    async def ask_all(self, fault: str) -> list[Outcome]:
        """On every lane."""
        return await asyncio.gather(*(self.ask(cell) for cell in cells_of(fault)))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    folder = tmp_path_factory.mktemp("money")
    price_everything(folder)
    async with FaultUpstream() as upstream, RunningGateway(folder, configuration(upstream)) as gateway:
        allow(gateway)
        yield Ground(gateway, upstream)


def is_paid_by_the_backup(outcome: Outcome) -> bool:
    """Another deployment answered: its answer alone is charged, and the attempt that failed is only told of."""
    if not outcome.cell.backed:
        return False
    assert (outcome.reply.status, outcome.row.attempts) == (200, 2), outcome
    assert_charged(outcome, "upstream", ANSWER_NANO)
    assert [one.outcome for one in attempts_of(outcome.row)] == ["failed", "answered"]
    return True


def assert_charged(outcome: Outcome, basis: str, nano: int) -> None:
    """Settled so, in the charge and in the row."""
    charge, row = outcome.charge, outcome.row
    assert (charge.state, charge.basis, charge.cost_nano, charge.uncollected_nano) == ("settled", basis, nano, 0), (
        outcome
    )
    assert (row.cost_basis, row.cost_nano, row.usage_source, row.price_id) == (basis, nano, basis, charge.price_id), (
        outcome
    )


async def test_an_answer_is_charged_by_the_upstreams_usage(ground: Ground) -> None:
    for outcome in await ground.ask_all("00-well"):
        assert_charged(outcome, "upstream", ANSWER_NANO)
        told = outcome.reply.headers.get("x-anykey-cost")
        streamed = outcome.reply.body.endswith(b"\n\n: x-anykey-cost 0.0000598\n\n")
        assert (told, streamed) == (
            (None, outcome.cell.lane.client != GEMINI) if outcome.cell.lane.stream else ("0.0000598", False)
        )


@pytest.mark.parametrize("fault", FREE)
async def test_a_call_that_was_refused_is_free(ground: Ground, fault: str) -> None:
    for outcome in await ground.ask_all(fault):
        if is_paid_by_the_backup(outcome):
            continue
        assert outcome.reply.status >= 400
        assert (outcome.charge.state, outcome.charge.basis, outcome.charge.cost_nano) == ("void", "free", 0), outcome
        assert (outcome.row.cost_nano, outcome.row.usage_source) == (0, "none")


@pytest.mark.parametrize("fault", [*UNKNOWN, *BROKEN])
async def test_what_nobody_can_know_stays_held(ground: Ground, fault: str) -> None:
    for outcome in await ground.ask_all(fault):
        if is_paid_by_the_backup(outcome) or (fault in BROKEN and outcome.cell.lane.stream):
            continue
        if fault in ("20-fields",):
            assert outcome.reply.status == 502
        assert (outcome.charge.state, outcome.charge.basis, outcome.charge.cost_nano) == ("unknown", "unknown", 0), (
            outcome
        )
        assert outcome.charge.reserved_nano > 0
        assert outcome.row.cost_nano is None


@pytest.mark.parametrize("fault", [*BROKEN, *UNCOUNTED])
async def test_what_was_relayed_is_counted_here(ground: Ground, fault: str) -> None:
    lanes = [cell for cell in cells_of(fault) if cell.lane.stream or fault in UNCOUNTED]
    for outcome in await asyncio.gather(*(ground.ask(cell) for cell in lanes)):
        assert outcome.reply.status == 200
        assert b"Hello" in outcome.reply.body
        row = outcome.row
        told_prompt = fault in BROKEN and outcome.cell.upstream in (MESSAGES, GEMINI)
        assert row.input_tokens == (7 if told_prompt else read_body(BODIES[outcome.cell.lane.client]).tokens), outcome
        assert row.output_tokens == SAID_TOKENS[fault], outcome
        assert_charged(outcome, "estimated", row.input_tokens * INPUT_NANO + row.output_tokens * OUTPUT_NANO)


BODIES = {
    CHAT: b'{"messages":[{"role":"user","content":"hi"}]}',
    MESSAGES: b'{"messages":[{"role":"user","content":"hi"}]}',
    RESPONSES: b'{"input":[{"role":"user","content":"hi"}]}',
    GEMINI: b'{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}',
}
"""What `call` asks, as far as tokens are counted in it."""


async def test_the_books_balance(ground: Ground) -> None:
    """The ledger's rules hold, and what was charged by usage is what the healthy deployments answered."""
    await ground.gateway.stop()
    assert verify(ground.gateway.home).broken == []
    kept = charges(ground.gateway.home).values()
    answers = sum(heard.model.startswith("00-well") for heard in ground.upstream.heard)
    assert sum(one.cost_nano for one in kept if one.basis == "upstream") == answers * ANSWER_NANO
    rows = recent_exchanges(ground.gateway.home.database, 100_000, UsageFilter())
    assert sum(row.cost_nano or 0 for row in rows) == sum(one.cost_nano for one in kept)
    assert len(rows) == len(kept)
    assert {one.state for one in kept} == {"settled", "void", "unknown"}
