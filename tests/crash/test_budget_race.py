"""Five hundred calls at once on a budget for a hundred: a hundred are served."""

import asyncio
import itertools

from tests.crash.conftest import Deploy, Effort
from tests.crash.gateways import get
from tests.crash.lanes import Lane
from tests.crash.race import AFFORDABLE, BUDGET_USD, CALLS, race
from tests.crash.tenants import key, priced
from tests.services.postgres import PostgresServer


async def _races(lane: Lane, runs: int, races: list[str]) -> None:
    numbers = itertools.count(1)
    await lane.start()
    for run in range(runs):
        racer = await asyncio.to_thread(key, lane.home, f"racer-{run}", "--budget", f"lifetime={BUDGET_USD}")
        await _known(lane, racer)
        asked = set(itertools.islice(numbers, CALLS))
        outcome = await race([gateway.port for gateway in lane.gateways], racer, sorted(asked))
        await lane.settled()
        answered = sum(lane.upstream.answered()[number] for number in asked)
        races.append(f"{lane.name:<34} served {outcome.served} of {CALLS}")
        assert (outcome.served, answered) == (AFFORDABLE, AFFORDABLE), outcome
        assert outcome.statuses.keys() <= {200, 402, 429}
    books = lane.ledger.books()
    assert not [budget for budget in books.budgets.values() if budget.held_nano]
    assert sum(charge.state == "settled" for charge in books.charges) == AFFORDABLE * runs
    await asyncio.to_thread(lane.home.anykey, "ledger", "verify")


async def _known(lane: Lane, racer: str) -> None:
    """Wait until every process knows the new key."""
    for gateway in lane.gateways:
        while await asyncio.to_thread(get, gateway.port, "/v1/models", {"authorization": f"Bearer {racer}"}) != 200:
            await asyncio.sleep(0.05)


async def test_race_on_sqlite(deploy: Deploy, effort: Effort, races: list[str]) -> None:
    await _races(deploy.lane("budget race, SQLite", make_keys=priced), effort.races, races)


async def test_race_on_postgresql_with_three_processes(
    deploy: Deploy, postgres: PostgresServer, effort: Effort, races: list[str]
) -> None:
    await _races(
        deploy.lane("budget race, PostgreSQL, 3 processes", 3, postgres.create_database(), make_keys=priced),
        effort.races,
        races,
    )
