"""Rates in the database, for several processes without Valkey: a row for each slice of a minute, a lease for each process.

Law: a rate is read only by who holds its lock, the row of slice 0, until what was decided is committed; rows are locked in the
order of their ids, so nobody waits in a circle. The clock is the database's; what is further ahead of it than anything is ever
written was written before it was put back, and counts no more. A batch costs eight statements, however many calls it decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from anykey.accounts.rates import SLICE_MS, SLICES, Book, Exceeded, RatesUnavailable, Taken, Window
from anykey.storage.database import Connection, Database, whole
from anykey.storage.errors import DatabaseError
from anykey.storage.rate_gate import LEASE_MS, Batch

_NOW = {
    "sqlite": "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
    "postgresql": "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)",
}
"""Unix ms."""
_LOCK_SLICE = 0
_PUT_SLICES = """INSERT INTO rate_windows (id, slice_ms, used) VALUES {rows}
ON CONFLICT (id, slice_ms) DO UPDATE SET used = excluded.used"""
_PUT_LEASES = """INSERT INTO rate_leases (id, process, held, until_ms) VALUES {rows}
ON CONFLICT (id, process) DO UPDATE SET held = excluded.held, until_ms = excluded.until_ms"""
_SLICES = "SELECT id, slice_ms, used FROM rate_windows WHERE slice_ms > ? AND id IN ({ids}) ORDER BY slice_ms"
_LEASES = "SELECT id, held FROM rate_leases WHERE process <> ? AND until_ms > ? AND until_ms <= ? AND id IN ({ids})"
_SWEEP_SLICES = "DELETE FROM rate_windows WHERE slice_ms > ? AND (slice_ms < ? OR slice_ms > ?) AND id IN ({ids})"
_SWEEP_LEASES = "DELETE FROM rate_leases WHERE (until_ms <= ? OR until_ms > ?) AND id IN ({ids})"


class DatabaseRates:
    """The counter for ``rate_gate.RateGate``; ``process`` names this one's leases. The database is asked in a thread."""

    def __init__(self, database: Database, process: str) -> None:
        self._database = database
        self._process = process
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="anykey-rates")
        self._connection: Connection | None = None  # the thread's alone

    async def settle(self, batch: Batch) -> list[Taken | Exceeded]:
        """As ``rate_gate.Counter`` says."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, batch)

    async def aclose(self) -> None:
        """Let go of the database."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown(wait=False)

    def _guarded(self, batch: Batch) -> list[Taken | Exceeded]:
        try:
            if self._connection is None:
                self._connection = self._database.connect()
            return self._settle(self._connection, batch)
        except DatabaseError as error:
            self._disconnect()
            raise RatesUnavailable(str(error)) from error

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _settle(self, connection: Connection, batch: Batch) -> list[Taken | Exceeded]:
        asked = {rate.id for ask in batch.asks for rate in ask.rates}
        ids = sorted(asked | batch.leases.keys() | {rate_id for rate_id, _ in batch.corrections})
        if not ids:
            connection.execute("SELECT 1")
            return [Taken((), ask.tokens, 0, (), shared=True) for ask in batch.asks]
        with whole(connection):
            _put(connection, _PUT_SLICES, [(rate_id, _LOCK_SLICE, 0) for rate_id in ids])
            now_ms: int = connection.execute(_NOW[self._database.dialect]).fetchone()[0]
            windows = self._windows(connection, ids, now_ms)
            others = self._others(connection, ids, now_ms)
            before = {rate_id: dict(window.slices) for rate_id, window in windows.items()}
            answers, held = _decide(batch, windows, others, now_ms)
            _put(connection, _PUT_SLICES, list(_changes(before, windows)))
            until_ms = now_ms + LEASE_MS
            leases = [
                (rate_id, self._process, held[rate_id], until_ms if held[rate_id] else 0) for rate_id in sorted(held)
            ]
            _put(connection, _PUT_LEASES, leases)
            oldest, newest = ((now_ms // SLICE_MS + slices) * SLICE_MS for slices in (-SLICES, SLICES))
            connection.execute(_with(_SWEEP_SLICES, ids), (_LOCK_SLICE, oldest, newest, *ids))
            connection.execute(_with(_SWEEP_LEASES, ids), (now_ms, until_ms, *ids))
        return answers

    def _windows(self, connection: Connection, ids: Sequence[str], now_ms: int) -> dict[str, Window]:
        windows = {rate_id: Window() for rate_id in ids}
        for rate_id, slice_ms, used in connection.execute(_with(_SLICES, ids), (_LOCK_SLICE, *ids)):
            windows[rate_id].add(slice_ms // SLICE_MS, used)
        for window in windows.values():
            window.expire(now_ms)
        return windows

    def _others(self, connection: Connection, ids: Sequence[str], now_ms: int) -> dict[str, int]:
        """How many calls the other processes have under way."""
        held = dict.fromkeys(ids, 0)
        for rate_id, count in connection.execute(_with(_LEASES, ids), (self._process, now_ms, now_ms + LEASE_MS, *ids)):
            held[rate_id] += count
        return held


def _decide(
    batch: Batch, windows: dict[str, Window], others: dict[str, int], now_ms: int
) -> tuple[list[Taken | Exceeded], dict[str, int]]:
    """The answers in order, and how many calls of this process are under way after them."""
    book = Book()
    book.windows = windows
    book.held = {rate_id: held + batch.leases.get(rate_id, 0) for rate_id, held in others.items()}
    for (rate_id, at_slice), change in batch.corrections.items():
        windows[rate_id].correct(at_slice, change)
    answers: list[Taken | Exceeded] = []
    for ask in batch.asks:
        answer = book.take(ask.rates, ask.tokens, now_ms)
        answers.append(answer._replace(shared=True) if isinstance(answer, Taken) else answer)
    return answers, {rate_id: book.held[rate_id] - others[rate_id] for rate_id in batch.leases}


def _changes(before: dict[str, dict[int, int]], windows: dict[str, Window]) -> Iterable[tuple[str, int, int]]:
    """The slices that are to be written."""
    for rate_id, window in windows.items():
        for at_slice, used in window.slices.items():
            if before[rate_id].get(at_slice) != used:
                yield rate_id, at_slice * SLICE_MS, used


def _put(connection: Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Write the rows in one statement."""
    if rows:
        row = f"({', '.join('?' * len(rows[0]))})"
        connection.execute(statement.format(rows=", ".join([row] * len(rows))), list(chain.from_iterable(rows)))


def _with(statement: str, ids: Sequence[str]) -> str:
    return statement.format(ids=", ".join("?" * len(ids)))
