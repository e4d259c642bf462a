"""kill -9 at random moments under load: what the upstream answered is in the ledger, once, for the upstream's own amount."""

import asyncio
import random
import time

from tests.crash.conftest import Deploy, Effort
from tests.crash.lanes import Outage, database_outages, kill_one_worker, kill_whole
from tests.crash.report import Form, problems
from tests.services.postgres import OwnPostgres

POWER = '[ledger]\ndurability = "power"\n'


def _checked(forms: list[Form], made: list[Form]) -> None:
    """Leave the rows of the table, and fail with every problem there is."""
    forms.extend(made)
    assert not [problem for form in made for problem in problems(form)]
    assert all(form.verdict.settled for form in made)


async def test_kill_a_gateway_on_sqlite(deploy: Deploy, effort: Effort, forms: list[Form]) -> None:
    lanes = [deploy.lane("SQLite, whole gateway"), deploy.lane('SQLite, durability "power"', more=POWER)]
    _checked(forms, await asyncio.gather(*(kill_whole(lane, effort.sqlite_kills) for lane in lanes)))


async def test_kill_gateways_on_postgresql(
    deploy: Deploy, durable_postgres: OwnPostgres, effort: Effort, forms: list[Form]
) -> None:
    whole = deploy.lane("PostgreSQL, all of 2 processes", 2, durable_postgres.create_database())
    one = deploy.lane(
        "PostgreSQL, one of 3 workers", database=durable_postgres.create_database(), options=("--workers", "3")
    )
    killed = await asyncio.gather(kill_whole(whole, effort.group_kills), kill_one_worker(one, effort.one_kills))
    _checked(forms, list(killed))


async def test_kill_and_freeze_postgresql(
    deploy: Deploy, durable_postgres: OwnPostgres, effort: Effort, forms: list[Form]
) -> None:
    server = durable_postgres
    lane = deploy.lane(f"PostgreSQL itself, also {effort.freezes} freezes", 2, server.create_database())

    def frozen() -> None:
        server.freeze()
        time.sleep(random.uniform(*effort.freeze_s))
        server.thaw()

    outages = [Outage(server.kill, server.start)] * effort.postgres_kills + [
        Outage(frozen, kill=False)
    ] * effort.freezes
    random.shuffle(outages)
    _checked(forms, [await database_outages(lane, outages)])
