"""Rows of the fault matrix that take more than one call, on eight lanes: F04, F07, F09, F10, the breaker of F14, F19's memory."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from anykey.administration.requests import attempts_of, find_request
from tests.fakes import fault_upstream
from tests.fakes.fault_scripts import REST_S, TEXT, Asked, asks_for_stream, hear, well
from tests.fakes.fault_upstream import FaultUpstream
from tests.fakes.gateway import RunningGateway, WireReply
from tests.fakes.wire import RecordedCall, WireConnection, WireServer
from tests.faults.lanes import FOUR, LANES, Lane, call, check_refusal, heard_text
from tests.faults.test_matrix import GOOD_SECRET, SECRET, all_of, provider

KEYS = {"LAB_KEY": SECRET, "GOOD_KEY": GOOD_SECRET}
EACH_LANE = pytest.mark.parametrize("lane", LANES, ids=str)
MEMORY = Path("/proc/self/status")


def plan(lane: Lane, faults: Sequence[str]) -> list[str]:
    """The deployments of a lane's model, one for each fault, in the client's protocol and others."""
    return [f"{name}/{fault}.{name}" for name, fault in ((f"{lane}.{at}", fault) for at, fault in enumerate(faults))]


@asynccontextmanager
async def lanes_over(directory: Path, *faults: str) -> AsyncGenerator[tuple[RunningGateway, FaultUpstream]]:
    """A gateway with a model for each lane, named as it is, over these faults in this order."""
    async with FaultUpstream() as upstream:
        lines = ["[server]", "environment_providers = false", "discovery_hours = 0"]
        for lane in LANES:
            for at in range(len(faults)):
                protocol = FOUR[(FOUR.index(lane.client) + at) % 4]
                lines += provider(f"{lane}.{at}", protocol, upstream.url(), "LAB_KEY")
            lines += [f'[models."{lane}"]', f"deployments = {plan(lane, faults)}"]
        async with RunningGateway(directory, "\n".join([*lines, ""]), KEYS) as gateway:
            yield gateway, upstream


async def in_each_lane(check: Callable[[Lane], Awaitable[None]]) -> None:
    """All lanes at once."""

    async def one(lane: Lane) -> None:
        await check(lane)

    await all_of(*(one(lane) for lane in LANES))


async def test_a_limited_credential_rests_for_as_long_as_it_was_told(tmp_path: Path) -> None:
    """F09: whoever said when to come back is not asked before; all resting, the client hears the shortest wait."""
    async with lanes_over(tmp_path, "09-limited", "09-limited-shorter") as (gateway, upstream):

        async def check(lane: Lane) -> None:
            replies = [await call(gateway, lane, str(lane)) for _ in range(3)]
            assert {reply.status for reply in replies} == {429}
            for reply in replies:
                check_refusal(lane.client, reply)
                assert REST_S / 2 - 5 <= int(reply.headers["retry-after"]) <= REST_S / 2
            asked = [
                len(upstream.calls(name.partition("/")[2])) for name in plan(lane, ["09-limited", "09-limited-shorter"])
            ]
            assert asked == [1, 1]

        await in_each_lane(check)


async def test_the_one_that_rests_is_passed_over(tmp_path: Path) -> None:
    """F09: the next call goes straight to the next deployment, and the row says why."""
    async with lanes_over(tmp_path, "09-limited", "00-well") as (gateway, upstream):

        async def check(lane: Lane) -> None:
            replies = [await call(gateway, lane, str(lane)) for _ in range(3)]
            assert [heard_text(lane, reply) for reply in replies] == [TEXT] * 3
            assert [reply.headers["x-anykey-attempts"] for reply in replies] == ["2", "1", "1"]
            assert len(upstream.calls(f"09-limited.{lane}.0")) == 1

        await in_each_lane(check)
        last = [await call(gateway, lane, str(lane)) for lane in LANES]
        await gateway.stop()
        tries = [attempts_of(find_request(gateway.home, reply.headers["x-anykey-request-id"])) for reply in last]
    assert {tuple(one.outcome for one in each) for each in tries} == {("skipped", "answered")}
    assert all("rests" in (each[0].reason or "") for each in tries)


async def test_a_storm_of_limits_reaches_nobody_twice(tmp_path: Path) -> None:
    """F10: 40 calls in each lane, four at a time, at three deployments that refuse them all."""
    count = 40
    async with lanes_over(tmp_path, "09-unsaid", "09-unsaid", "09-limited") as (gateway, upstream):

        async def check(lane: Lane) -> None:
            gate = asyncio.Semaphore(4)

            async def one() -> int:
                async with gate:
                    return (await call(gateway, lane, str(lane))).status

            assert set(await asyncio.gather(*(one() for _ in range(count)))) == {429}
            heard = sum(
                len(upstream.calls(name.partition("/")[2]))
                for name in plan(lane, ["09-unsaid", "09-unsaid", "09-limited"])
            )
            assert heard <= 1.2 * count

        await in_each_lane(check)


async def test_the_breaker_opens_probes_once_and_closes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F14: five failures in a row open it, then nobody asks; half-open, one call does; answered, all do."""
    monkeypatch.setattr("anykey.routing.health.OPEN_BASE_S", 1.0)
    async with lanes_over(tmp_path, "14-500", "00-well") as (gateway, upstream):

        async def check(lane: Lane) -> None:
            faulty = f"14-500.{lane}.0"
            for _ in range(7):
                assert heard_text(lane, await call(gateway, lane, str(lane))) == TEXT
            assert len(upstream.calls(faulty)) == 5
            await asyncio.sleep(1.3)
            together = await asyncio.gather(*(call(gateway, lane, str(lane)) for _ in range(4)))
            assert {reply.status for reply in together} == {200}
            assert len(upstream.calls(faulty)) == 6, "one probe, which failed and opened it again"
            upstream.mended.add(faulty)
            await asyncio.sleep(2.5)
            for _ in range(2):
                reply = await call(gateway, lane, str(lane))
                assert reply.headers["x-anykey-provider"] == f"{lane}.0"

        await in_each_lane(check)


@asynccontextmanager
async def one_door(
    directory: Path, lane: Lane, script: Any, *, host: str = "127.0.0.1"
) -> AsyncGenerator[tuple[RunningGateway, WireServer]]:
    """A gateway with one deployment of the lane's protocol, whose answers this script writes, and a healthy one behind it."""
    async with WireServer(script) as server, FaultUpstream() as healthy:
        lines = ["[server]", "environment_providers = false", "discovery_hours = 0"]
        lines += provider("lab", lane.client, f"http://{host}:{server.port}", "LAB_KEY")
        lines += provider("good", lane.client, healthy.url(), "GOOD_KEY")
        lines += [f'[models."{lane}"]', 'deployments = ["lab/00-well", "good/00-well.behind"]', ""]
        async with RunningGateway(directory, "\n".join(lines), KEYS) as gateway:
            yield gateway, server


async def answer(call: RecordedCall, connection: WireConnection) -> None:
    await well(Asked(call, hear(call), asks_for_stream(call), ""), connection)


@pytest.mark.parametrize("how", ["closed", "reset"])
@EACH_LANE
async def test_a_kept_connection_that_dies_as_it_is_used_again(tmp_path: Path, lane: Lane, how: str) -> None:
    """F07: the call goes out once more, on a new connection, to the same deployment; nobody else hears of it."""
    used: set[int] = set()

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        if connection.number in used:
            (connection.close if how == "closed" else connection.reset)()
            return
        used.add(connection.number)
        await answer(call, connection)

    async with one_door(tmp_path, lane, script) as (gateway, server):
        replies = [await call(gateway, lane, str(lane)) for _ in range(2)]
        rows = await gateway.rows(2)
    assert [heard_text(lane, reply) for reply in replies] == [TEXT] * 2
    assert {reply.headers["x-anykey-provider"] for reply in replies} == {"lab"}
    assert [(one.connection, one.body) for one in server.calls] == [
        (number, server.calls[0].body) for number in (0, 0, 1)
    ]
    assert [(row.attempts, row.input_tokens, row.output_tokens) for row in rows] == [(1, 7, 3)] * 2
    assert [[one.reconnected for one in attempts_of(row)] for row in rows] == [[True], [False]]


@EACH_LANE
async def test_a_kept_connection_that_dies_after_a_byte(tmp_path: Path, lane: Lane) -> None:
    """F07: it has begun to answer, so this deployment is not asked again for this call."""

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        if len(server.calls) == 1:
            await answer(call, connection)
            return
        await connection.write(b"HTTP/1.1 2")
        connection.close()

    async with one_door(tmp_path, lane, script) as (gateway, server):
        replies = [await call(gateway, lane, str(lane)) for _ in range(2)]
    assert [reply.headers["x-anykey-provider"] for reply in replies] == ["lab", "good"]
    assert heard_text(lane, replies[1]) == TEXT
    assert len(server.calls) == 2


@EACH_LANE
async def test_a_name_that_leads_elsewhere_now(tmp_path: Path, lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    """F04: a new connection follows the new address."""
    leads_to = ["127.0.0.1"]
    system = fault_upstream.look_up

    def resolve(host: Any, *more: Any, **options: Any) -> Any:
        return system(leads_to[0] if host == "moving.test" else host, *more, **options)

    async def answer_and_close(call: RecordedCall, connection: WireConnection) -> None:
        await answer(call, connection)
        connection.close()

    monkeypatch.setattr(fault_upstream, "look_up", resolve)
    there: list[bytes] = []
    async with one_door(tmp_path, lane, answer_and_close, host="moving.test") as (gateway, server):

        async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n")
            writer.close()

        assert (await call(gateway, lane, str(lane))).headers["x-anykey-provider"] == "lab"
        leads_to[0] = "127.0.0.2"
        async with await asyncio.start_server(elsewhere, "127.0.0.2", server.port):
            await asyncio.sleep(0.05)
            await call(gateway, lane, str(lane))
    assert (len(server.calls), len(there)) == (1, 1)


@pytest.mark.skipif(not MEMORY.exists(), reason="the peak of the memory is read from /proc")
async def test_a_body_that_grows_a_thousandfold(tmp_path: Path) -> None:
    """F19: 1 MB that is 1 GB when decoded is cut at 64 MB, one lane after the other."""
    async with lanes_over(tmp_path, "19-bomb") as (gateway, upstream):
        for lane in LANES:
            before = peak_kib(anew=True)
            reply: WireReply = await call(gateway, lane, str(lane))
            grown_mib = (peak_kib() - before) / 1024
            assert reply.status == 502
            assert "too large" in check_refusal(lane.client, reply)
            assert grown_mib < 80, lane
            assert len(upstream.calls(f"19-bomb.{lane}.0")) == 1


def peak_kib(*, anew: bool = False) -> int:
    """The most memory this process had, since it was last asked `anew`."""
    if anew:
        Path("/proc/self/clear_refs").write_text("5")
    return int(MEMORY.read_text().partition("VmHWM:")[2].split()[0])
