"""SQLite's files, torn as a power cut may tear them, open, are sound, and their sums are right."""

import asyncio
import random
import shutil
from pathlib import Path

from tests.crash.books import Ledger
from tests.crash.conftest import Deploy, Effort
from tests.crash.gateways import DATABASE
from tests.crash.lanes import CLIENTS, Lane
from tests.crash.load import Load
from tests.crash.oracle import sum_problems
from tests.crash.torn import integrity, torn_copy

BETWEEN_S = (0.0, 0.15)
CHECKED_BY_THE_GATEWAY = 5


async def test_torn_files(deploy: Deploy, effort: Effort, tmp_path: Path, races: list[str]) -> None:
    lane = deploy.lane("SQLite, torn files")
    (gateway,) = lane.gateways
    load = Load([gateway.port], lane.keys)
    asked_too = set(random.sample(range(effort.torn), CHECKED_BY_THE_GATEWAY))
    torn, most_charges = 0, 0
    await lane.start()
    clients = asyncio.create_task(load.run(CLIENTS))
    for number in range(effort.torn):
        await asyncio.sleep(random.uniform(*BETWEEN_S))
        copy = tmp_path / f"copy-{number}"
        gateway.freeze()
        torn += torn_copy(lane.home.path / DATABASE, copy) > 0
        gateway.thaw()
        charges = await asyncio.to_thread(_check, lane, copy, ask_gateway=number in asked_too)
        most_charges = max(most_charges, charges)
    load.stop()
    await clients
    assert most_charges, "no copy has a charge"
    assert torn > effort.torn / 2, "hardly a log was torn"
    races.append(f"{lane.name:<34} {effort.torn} copies, {torn} with a torn log: all sound, sums right")


def _check(lane: Lane, copy: Path, *, ask_gateway: bool) -> int:
    """Open a copy, look at all of it, and remove it: how many charges it has."""
    assert integrity(copy / DATABASE) == "ok", copy.name
    books = Ledger(copy / DATABASE).books()
    assert not sum_problems(books), copy.name
    if ask_gateway:
        lane.home.with_database(copy).anykey("ledger", "verify")
    shutil.rmtree(copy)
    return len(books.charges)
