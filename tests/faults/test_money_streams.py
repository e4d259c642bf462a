"""What is charged when a stream goes wrong in the middle, or is only unusual (F30 to F37), and for what takes more than one call
(F07, F10) or a measure of its own (F19). As `test_money`, with the upstream's own log as the oracle."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from anykey.administration.ledger import verify
from tests.fakes.agents import GEMINI
from tests.fakes.answers import CHAT, MESSAGES, PATHS, answering, request
from tests.fakes.fault_upstream import FaultUpstream
from tests.fakes.gateway import RunningGateway, lab
from tests.fakes.money import ANSWER_NANO, INPUT_NANO, OUTPUT_NANO, allow, charges, price_everything, settled
from tests.fakes.wire import RecordedCall, WireConnection, WireServer
from tests.faults.lanes import FOUR, LANES
from tests.faults.test_matrix import provider
from tests.faults.test_money import Cell, Ground, Outcome, assert_charged

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNUSUAL = ["30-split", "31-bytes", "31-lines", "32-large", "33-more"]
"""The answer is whole for all that."""
BROKEN = ["30-invalid", "32-too-large", "36-half-call", "37-drip"]
OTHERS = ["35-nan", "19-bomb"]
ALL = [*UNUSUAL, *BROKEN, *OTHERS]
STREAMS = [lane for lane in LANES if lane.stream]
DRIPPING = "total_s = 0.6"


def cells_of(fault: str) -> list[Cell]:
    """The client's own protocol and another one, for each lane that it can happen in."""
    found: list[Cell] = []
    for lane in LANES if fault in OTHERS or fault == "37-drip" else STREAMS:
        foreign = [protocol for protocol in FOUR if protocol != lane.client][ALL.index(fault) % 3]
        found += [Cell(fault, lane, lane.client), Cell(fault, lane, foreign)]
    return found[:2] if fault == "19-bomb" else found  # each costs a quarter of a second


def configuration(upstream: FaultUpstream) -> str:
    lines = ["[server]", "environment_providers = false", "discovery_hours = 0"]
    for cell in (cell for fault in ALL for cell in cells_of(fault)):
        limits = DRIPPING if cell.fault == "37-drip" else ""
        lines += provider(cell.name, cell.upstream, upstream.url(), "LAB_KEY", limits)
        lines += [f'[models."{cell.name}"]', f"deployments = {[f'{cell.name}/{cell.name}']}"]
    return "\n".join([*lines, ""])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    folder = tmp_path_factory.mktemp("streams")
    price_everything(folder)
    async with FaultUpstream() as upstream, RunningGateway(folder, configuration(upstream)) as gateway:
        allow(gateway)
        yield Ground(gateway, upstream)


async def ask_all(ground: Ground, fault: str) -> list[Outcome]:
    return await asyncio.gather(*(ground.ask(cell) for cell in cells_of(fault)))


def assert_estimated(outcome: Outcome) -> None:
    """What was relayed is paid, counted here."""
    row = outcome.row
    assert_charged(outcome, "estimated", row.input_tokens * INPUT_NANO + row.output_tokens * OUTPUT_NANO)
    assert row.input_tokens > 0, outcome
    assert row.output_tokens > 0, outcome


@pytest.mark.parametrize("fault", UNUSUAL)
async def test_an_unusual_answer_is_charged_as_any_other(ground: Ground, fault: str) -> None:
    for outcome in await ask_all(ground, fault):
        assert outcome.reply.status == 200
        assert_charged(outcome, "upstream", ANSWER_NANO)


@pytest.mark.parametrize("fault", BROKEN)
async def test_a_broken_answer_is_paid_as_far_as_it_came(ground: Ground, fault: str) -> None:
    for outcome in await ask_all(ground, fault):
        cell = outcome.cell
        if not cell.lane.stream:
            assert (outcome.reply.status, outcome.charge.state) == (504, "unknown"), outcome
            continue
        if outcome.reply.status == 502:  # the upstream said all of it at once, so nothing was relayed before
            assert (fault, outcome.charge.state) == ("30-invalid", "unknown"), outcome
        elif outcome.row.failure is None:  # word for word the client gets what came, whatever it was
            assert (fault in ("30-invalid", "32-too-large"), cell.upstream) == (True, cell.lane.client), outcome
            assert_charged(outcome, "upstream", ANSWER_NANO)
        else:
            assert_estimated(outcome)


async def test_counts_that_are_no_numbers(ground: Ground) -> None:
    """A document that cannot be read for them is no answer; of a stream, what was relayed is counted here."""
    for outcome in await ask_all(ground, "35-nan"):
        if outcome.reply.status == 200:
            assert outcome.cell.lane.stream
            assert_estimated(outcome)
        else:
            assert (outcome.charge.state, outcome.charge.cost_nano) == ("unknown", 0), outcome


async def test_an_answer_without_measure_stays_held(ground: Ground) -> None:
    for outcome in await ask_all(ground, "19-bomb"):
        assert (outcome.reply.status, outcome.charge.state, outcome.charge.basis) == (502, "unknown", "unknown"), (
            outcome
        )


async def test_the_books_balance(ground: Ground) -> None:
    await ground.gateway.stop()
    assert verify(ground.gateway.home).broken == []
    kept = charges(ground.gateway.home).values()
    assert len(kept) == len(ground.upstream.heard)
    assert {one.state for one in kept} == {"settled", "unknown"}


@pytest.mark.parametrize("protocol", [CHAT, MESSAGES])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_kept_connection_that_was_dead_is_paid_once(tmp_path: Path, protocol: str, *, stream: bool) -> None:
    """F07: the call goes out a second time, and one answer comes back."""
    well, used = answering(protocol), set[int]()

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        if call.connection in used:
            connection.close()
            return
        used.add(call.connection)
        await well(call, connection)

    price_everything(tmp_path)
    async with WireServer(script) as server, RunningGateway(tmp_path, lab(protocol, server.url)) as gateway:
        allow(gateway)
        replies = [await gateway.post(PATHS[CHAT], request(CHAT, stream=stream)) for _ in range(2)]
        kept = await settled(gateway.home, *[reply.headers["x-anykey-request-id"] for reply in replies])
        assert len(server.calls) == 3
    assert [(one.state, one.basis, one.cost_nano) for one in kept] == [("settled", "upstream", ANSWER_NANO)] * 2


async def test_a_storm_of_limits_costs_nothing_and_holds_nothing(tmp_path: Path) -> None:
    """F10: forty calls at once, all refused."""
    price_everything(tmp_path)
    async with FaultUpstream() as upstream:
        lines = provider("lab", GEMINI, upstream.url(), "LAB_KEY")
        lines = ["[server]", "environment_providers = false", *lines]
        async with RunningGateway(tmp_path, "\n".join([*lines, ""])) as gateway:
            allow(gateway)
            asked = request(CHAT, model="lab/09-unsaid.storm")
            replies = await asyncio.gather(*(gateway.post(PATHS[CHAT], asked) for _ in range(40)))
            assert {reply.status for reply in replies} == {429}
            await gateway.rows(40)
            await gateway.stop()
        assert verify(gateway.home).broken == []
        kept = charges(gateway.home).values()
    assert {(one.state, one.cost_nano) for one in kept} == {("void", 0)}
    assert len(kept) >= len(upstream.heard) > 0
