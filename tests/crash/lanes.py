"""One deployment of the gateway under load while parts of it are ended: killed, waited for, judged."""

import asyncio
import random
import time
from collections.abc import Callable
from typing import NamedTuple

from tests.crash.books import Ledger
from tests.crash.gateways import Gateway, Home
from tests.crash.load import Load
from tests.crash.oracle import judge
from tests.crash.report import Form
from tests.crash.upstream import Upstream

CLIENTS = 16
LIFE_S = (0.2, 1.0)
"""How long a gateway lives, at least and at most, after it has recovered."""
RECOVERY_TIMEOUT_S = 20.0
POLL_S = 0.05


class Lane(NamedTuple):
    """Gateways on one database, and the provider behind them."""

    name: str
    home: Home
    gateways: list[Gateway]
    ledger: Ledger
    upstream: Upstream
    keys: list[str]

    async def start(self) -> None:
        """Start all gateways."""
        await asyncio.gather(*(asyncio.to_thread(gateway.start) for gateway in self.gateways))

    async def recovered(self, dead: set[str], began: float) -> float:
        """Wait until no charge of `dead` is open: seconds since `began`. After 20 s it is given up, and the figure says so."""
        while time.monotonic() - began < RECOVERY_TIMEOUT_S:
            if not dead & await asyncio.to_thread(self.ledger.open_charges):
                break
            await asyncio.sleep(POLL_S)
        return time.monotonic() - began

    async def settled(self) -> None:
        """Wait until nothing is open."""
        began = time.monotonic()
        await self.recovered(await asyncio.to_thread(self.ledger.open_charges), began)

    def form(self, kills: int, load: Load, recoveries_s: list[float]) -> Form:
        """The row of the table. AssertionError when the gateway's own check of its ledger finds something."""
        self.home.anykey("ledger", "verify")
        verdict = judge(self.upstream.answered(), self.ledger.books())
        return Form(self.name, kills, load.asked, verdict, tuple(recoveries_s))


async def kill_whole(lane: Lane, kills: int) -> Form:
    """Kill every process of the gateway at a random moment, start them again, so many times."""
    load = Load([gateway.port for gateway in lane.gateways], lane.keys)
    recoveries_s: list[float] = []
    await lane.start()
    clients = asyncio.create_task(load.run(CLIENTS))
    for _ in range(kills):
        await asyncio.sleep(random.uniform(*LIFE_S))
        for gateway in lane.gateways:
            gateway.kill()
        dead = await asyncio.to_thread(lane.ledger.open_charges)
        began = time.monotonic()
        await lane.start()
        recoveries_s.append(await lane.recovered(dead, began))
        await asyncio.to_thread(lane.home.anykey, "ledger", "verify")
    return await _ended(lane, load, clients, kills, recoveries_s)


async def kill_one_worker(lane: Lane, kills: int) -> Form:
    """Kill one of a gateway's workers, whichever; the others go on, and recover what it had begun."""
    load = Load([gateway.port for gateway in lane.gateways], lane.keys)
    recoveries_s: list[float] = []
    await lane.start()
    clients = asyncio.create_task(load.run(CLIENTS))
    for _ in range(kills):
        await asyncio.sleep(random.uniform(*LIFE_S))
        (gateway,) = lane.gateways
        gateway.kill_worker(random.choice(gateway.workers()))
        dead = await asyncio.to_thread(lane.ledger.open_charges)
        began = time.monotonic()
        await _served_again(load, began)
        recoveries_s.append(await lane.recovered(dead, began))
    return await _ended(lane, load, clients, kills, recoveries_s)


class Outage(NamedTuple):
    """How the database goes away, and how it comes back; both block. `kill`: the table counts it as one."""

    go: Callable[[], None]
    come_back: Callable[[], None] = lambda: None
    kill: bool = True


async def database_outages(lane: Lane, outages: list[Outage]) -> Form:
    """Take the database away and bring it back, as each outage says.

    The recovery is from its return until a call is served again and nothing of before is open.
    """
    load = Load([gateway.port for gateway in lane.gateways], lane.keys)
    recoveries_s: list[float] = []
    await lane.start()
    clients = asyncio.create_task(load.run(CLIENTS))
    for outage in outages:
        await asyncio.sleep(random.uniform(*LIFE_S))
        before = await asyncio.to_thread(lane.ledger.open_charges)
        await asyncio.to_thread(outage.go)
        await asyncio.to_thread(outage.come_back)
        began = time.monotonic()
        await _served_again(load, began)
        recoveries_s.append(await lane.recovered(before, began))
    return await _ended(lane, load, clients, sum(outage.kill for outage in outages), recoveries_s)


async def _served_again(load: Load, began: float) -> None:
    """Wait until one more call is answered well, or until it has taken too long."""
    served = load.served
    while load.served == served and time.monotonic() - began < RECOVERY_TIMEOUT_S:
        await asyncio.sleep(POLL_S)


async def _ended(lane: Lane, load: Load, clients: asyncio.Task[None], kills: int, recoveries_s: list[float]) -> Form:
    load.stop()
    await clients
    await lane.settled()
    form = await asyncio.to_thread(lane.form, kills, load, recoveries_s)
    for gateway in lane.gateways:
        await asyncio.to_thread(gateway.stop)
    return form
