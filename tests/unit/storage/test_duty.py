"""One process is on duty, and another when that one is gone."""

import asyncio
from pathlib import Path

from anykey.storage.database import Database
from anykey.storage.duty import Duty
from anykey.storage.migrate import locate_database, open_server
from anykey.storage.sqlite_database import SqliteDatabase
from tests.services.postgres import OwnPostgres, PostgresServer


async def test_one_of_several_is_on_duty_until_it_ends(postgres: PostgresServer, tmp_path: Path) -> None:
    database = locate_database(tmp_path, postgres.migrated(open_server))
    one, other, beside = Duty(database), Duty(database), Duty(database, "something else")
    assert [await duty.mine() for duty in (one, other, one, beside)] == [True, False, True, True]
    await one.aclose()
    await asyncio.wait_for(other.until_mine(), 1)
    for duty in (other, beside):
        await duty.aclose()


async def test_a_file_has_one_process(file: SqliteDatabase) -> None:
    database: Database = file
    duty = Duty(database)
    assert await duty.mine()
    await duty.aclose()


async def test_a_database_that_is_gone_gives_no_duty(own_server: OwnPostgres, tmp_path: Path) -> None:
    duty = Duty(locate_database(tmp_path, own_server.url))
    assert await duty.mine()
    own_server.kill()
    assert not await duty.mine()
    own_server.start()
    assert await duty.mine()
    await duty.aclose()
