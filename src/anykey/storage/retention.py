"""How long the rows of each table are kept, and the deleting of those whose time is over.

Law: every table has a rule (a test compares). Rows go in batches, each in a transaction of its own with a pause behind it: no
lock is held for long, and every other writer gets its turn. What the sums of the ledger rest on is never simply deleted: old
charges are folded into one transfer. The audit log and the transfers stay, for a chain or a sum with a hole proves nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Literal

import msgspec

from anykey.storage.charge_folding import fold_charges
from anykey.storage.conversations import sweep_conversations
from anykey.storage.database import Connection, Database, whole
from anykey.storage.errors import DatabaseError, StorageError
from anykey.storage.exchange_bodies import sweep_bodies
from anykey.storage.idempotency import sweep_idempotency
from anykey.storage.responses import sweep_responses
from anykey.storage.usage_rollup import forget_calls

BATCH = 2000
PAUSE_S = 0.2
DAY_MS = 86_400_000
IDLE_DAYS = 1
"""For so long rows stay that nobody reads after seconds or minutes."""

Period = Literal["exchanges_days", "charges_days", "deliveries_days"]
Sweep = Callable[[Connection, int, int], int]
"""Delete one batch: of what is older than the second value, at the moment of the third (both Unix ms). Returns how many."""


class Rule(msgspec.Struct, frozen=True):
    """`keeps`: `always`; `days`, as the setting `period` says; `own`, until the end that each row has, or with the row it
    belongs to. `sweep` deletes, where this is done here."""

    keeps: Literal["always", "days", "own"]
    period: Period | None = None
    sweep: Sweep | None = None


def _exchanges(connection: Connection, before_ms: int, now_ms: int) -> int:
    return forget_calls(connection, before_ms, now_ms, BATCH)


def _charges(connection: Connection, before_ms: int, now_ms: int) -> int:
    return fold_charges(connection, before_ms, now_ms, BATCH)


def _deliveries(connection: Connection, before_ms: int, now_ms: int) -> int:  # noqa: ARG001 - a Sweep
    some = "SELECT id FROM deliveries WHERE at < ? AND next_at IS NULL LIMIT ?"
    return connection.execute(f"DELETE FROM deliveries WHERE id IN ({some})", (before_ms, BATCH)).rowcount  # noqa: S608


def _health(connection: Connection, before_ms: int, now_ms: int) -> int:  # noqa: ARG001 - a Sweep
    some = "SELECT deployment, credential FROM health WHERE until_ms < ? LIMIT ?"
    query = f"DELETE FROM health WHERE (deployment, credential) IN ({some})"  # noqa: S608 - our own words
    return connection.execute(query, (before_ms, BATCH)).rowcount


def _rate_windows(connection: Connection, before_ms: int, now_ms: int) -> int:  # noqa: ARG001 - a Sweep
    some = "SELECT id, slice_ms FROM rate_windows WHERE slice_ms > 0 AND slice_ms < ? LIMIT ?"
    query = f"DELETE FROM rate_windows WHERE (id, slice_ms) IN ({some})"  # noqa: S608 - our own words
    return connection.execute(query, (before_ms, BATCH)).rowcount


def _rate_leases(connection: Connection, before_ms: int, now_ms: int) -> int:  # noqa: ARG001 - a Sweep
    some = "SELECT id, process FROM rate_leases WHERE until_ms < ? LIMIT ?"
    query = f"DELETE FROM rate_leases WHERE (id, process) IN ({some})"  # noqa: S608 - our own words
    return connection.execute(query, (before_ms, BATCH)).rowcount


def _processes(connection: Connection, before_ms: int, now_ms: int) -> int:  # noqa: ARG001 - a Sweep
    """Those that stopped without a word, and without an open charge: one with some is settled first."""
    query = """DELETE FROM processes WHERE beat_ms < ? AND NOT EXISTS
(SELECT 1 FROM charges WHERE charges.state = 'open' AND charges.process = processes.id)"""
    return connection.execute(query, (before_ms,)).rowcount


def _responses(connection: Connection, before_ms: int, now_ms: int) -> int:  # noqa: ARG001 - a Sweep
    return sweep_responses(connection, now_ms // 1000)


def _conversations(connection: Connection, before_ms: int, now_ms: int) -> int:  # noqa: ARG001 - a Sweep
    return sweep_conversations(connection, now_ms // 1000)


def _idempotency(connection: Connection, before_ms: int, now_ms: int) -> int:  # noqa: ARG001 - a Sweep
    return int(sweep_idempotency(connection, now_ms // 1000))


def _bodies(connection: Connection, before_ms: int, now_ms: int) -> int:  # noqa: ARG001 - a Sweep
    return sweep_bodies(connection, now_ms // 1000)


_ALWAYS, _OWN = Rule("always"), Rule("own")
RULES: Mapping[str, Rule] = {
    "exchanges": Rule("days", "exchanges_days", _exchanges),
    "charges": Rule("days", "charges_days", _charges),
    "deliveries": Rule("days", "deliveries_days", _deliveries),
    "exchange_bodies": Rule("own", sweep=_bodies),
    "responses": Rule("own", sweep=_responses),
    "response_items": _OWN,
    "conversations": Rule("own", sweep=_conversations),
    "conversation_items": _OWN,
    "idempotency": Rule("own", sweep=_idempotency),
    "health": Rule("own", sweep=_health),
    "rate_windows": Rule("own", sweep=_rate_windows),
    "rate_leases": Rule("own", sweep=_rate_leases),
    "processes": Rule("own", sweep=_processes),
    "budget_slices": _OWN,
    "provider_models": _OWN,
    "usage_hours": _ALWAYS,
    "usage_days": _ALWAYS,
    "usage_marks": _ALWAYS,
    "usage_late": _OWN,
    "key_uses": _ALWAYS,
    "audit": _ALWAYS,
    "audit_head": _ALWAYS,
    "transfers": _ALWAYS,
    "balances": _ALWAYS,
    "budgets": _ALWAYS,
    "codes": _ALWAYS,
    "code_uses": _ALWAYS,
    "organisations": _ALWAYS,
    "teams": _ALWAYS,
    "members": _ALWAYS,
    "api_keys": _ALWAYS,
    "credentials": _ALWAYS,
    "configs": _ALWAYS,
    "rate_cards": _ALWAYS,
    "webhooks": _ALWAYS,
    "model_facts": _ALWAYS,
    "installation": _ALWAYS,
    "key_generation": _ALWAYS,
    "configuration_generation": _ALWAYS,
}


def sweep_table(
    database: Database,
    table: str,
    days: int,
    *,
    may_go_on: Callable[[], bool] = lambda: True,
    pause_s: float = PAUSE_S,
) -> int:
    """Delete what is over in the table, batch by batch; returns how many rows. `days` 0: nothing is over by its age. Raises
    StorageError."""
    rule = RULES[table]
    if rule.sweep is None or (rule.keeps == "days" and days == 0):
        return 0
    now_ms = int(time.time() * 1000)
    before_ms = now_ms - (days if rule.keeps == "days" else IDLE_DAYS) * DAY_MS
    total = 0
    try:
        with closing(database.connect()) as connection:
            while may_go_on():
                with whole(connection):
                    gone = rule.sweep(connection, before_ms, now_ms)
                total += gone
                if gone == 0:
                    break
                time.sleep(pause_s)
    except DatabaseError as error:
        raise StorageError("storage.failed", path=database.name, reason=error) from error
    return total


def count_rows(database: Database) -> dict[str, int]:
    """How many rows each table has. Raises StorageError."""
    try:
        with closing(database.connect(read_only=True)) as connection:
            return {
                table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - a name of RULES
                for table in RULES
            }
    except DatabaseError as error:
        raise StorageError("storage.failed", path=database.name, reason=error) from error
