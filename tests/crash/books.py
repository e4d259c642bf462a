"""Reads the ledger out of the database itself, of either kind, beside the gateway: nothing of the gateway's code is asked."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from tests.crash.oracle import Balance, Books, Budget, Charge

_CHARGES = "SELECT id, model, state, basis, reserved_nano, cost_nano, uncollected_nano, account, budgets FROM charges ORDER BY at"
_BUDGETS = "SELECT id, spent_nano, held_nano FROM budgets"
_BALANCES = "SELECT account, debits_pending, debits_posted, credits_posted FROM balances"
_ROWS = "SELECT id, cost_nano FROM exchanges"
_UNSETTLED = "SELECT id FROM charges WHERE state = 'open'"


class Ledger:
    """The database at `place`: a SQLite file, or a URL of PostgreSQL."""

    def __init__(self, place: Path | str) -> None:
        self._place = place

    def books(self) -> Books:
        """Everything, as of one moment."""
        charges, budgets, balances, rows = self._read(_CHARGES, _BUDGETS, _BALANCES, _ROWS)
        return Books(
            charges=[Charge(*row[:8], budgets=tuple(json.loads(row[8]))) for row in charges],
            budgets={row[0]: Budget(*row[1:]) for row in budgets},
            balances={row[0]: Balance(*row[1:]) for row in balances},
            rows=dict(rows),
        )

    def open_charges(self) -> set[str]:
        """The ids of the charges of calls that are, or seem to be, under way."""
        (rows,) = self._read(_UNSETTLED)
        return {row[0] for row in rows}

    def _read(self, *queries: str) -> list[list[tuple[Any, ...]]]:
        """The answers to some queries, all from one snapshot."""
        if isinstance(self._place, Path):
            with closing(sqlite3.connect(f"file:{self._place}?mode=ro", uri=True, isolation_level=None)) as file:
                file.execute("BEGIN")
                return [file.execute(query).fetchall() for query in queries]
        with psycopg.connect(self._place, connect_timeout=5) as server:
            server.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            return [_all(server, query) for query in queries]


def _all(server: psycopg.Connection, query: str) -> list[tuple[Any, ...]]:
    found: Sequence[tuple[Any, ...]] = server.execute(query.encode()).fetchall()
    return list(found)
