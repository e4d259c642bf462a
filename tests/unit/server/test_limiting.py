"""Which place counts, as the settings say."""

import asyncio
import sys
from pathlib import Path

import pytest

from anykey.exchange.limiting import GuardedLimiter, MemoryLimiter
from anykey.providers.secret import Secret
from anykey.server.limiting import Crew, shared_limiter
from anykey.storage.errors import StorageError
from anykey.storage.migrate import locate_database, open_database, open_server
from tests.services.postgres import PostgresServer


async def test_one_process_counts_for_itself(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    crew = Crew(database)
    assert isinstance(shared_limiter(database, None, crew), MemoryLimiter)
    valkey = shared_limiter(database, Secret("valkey://127.0.0.1:1"), crew)
    assert isinstance(valkey, GuardedLimiter)
    await valkey.aclose()
    await crew.aclose()


async def test_processes_on_postgresql_share_it(tmp_path: Path, postgres: PostgresServer) -> None:
    database = locate_database(tmp_path, postgres.migrated(open_server))
    connection = database.connect()
    for number in range(3):
        connection.execute(
            "INSERT INTO processes (id, host, pid, started_ms, beat_ms) VALUES (?, 'h', 1, 0, 0)", (f"p{number}",)
        )
    connection.close()
    crew = Crew(database)
    limiter = shared_limiter(database, None, crew)
    assert isinstance(limiter, GuardedLimiter)
    while crew.count != 3:
        await asyncio.sleep(0.01)
    await limiter.aclose()
    await crew.aclose()


async def test_without_its_driver_the_start_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "anykey.storage.valkey_rates", None)
    database = open_database(tmp_path)
    with pytest.raises(StorageError, match=r"anykey\[valkey\]"):
        shared_limiter(database, Secret("valkey://127.0.0.1"), Crew(database))
