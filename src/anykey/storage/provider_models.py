"""The models of each configured provider: those its own list names, and those an operator pinned. No SQLAlchemy: the serving
process reads and writes these. A change adds one to the configuration generation; seeing the same list again changes nothing."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing

import msgspec

from anykey.providers.models import ModelFacts, ProviderModel
from anykey.storage.changing import changing
from anykey.storage.database import Database
from anykey.storage.errors import StorageError

_DECODER = msgspec.json.Decoder(ModelFacts)
_READ = "SELECT provider, model, pinned, facts FROM provider_models ORDER BY provider, rowid"
_SEEN = """INSERT INTO provider_models (provider, model, pinned, seen_at, facts) VALUES (?, ?, 0, ?, ?)
ON CONFLICT (provider, model) DO UPDATE SET seen_at = excluded.seen_at, facts = excluded.facts"""
_PIN = """INSERT INTO provider_models (provider, model, pinned) VALUES (?, ?, 1)
ON CONFLICT (provider, model) DO UPDATE SET pinned = 1 WHERE pinned = 0"""


def read_provider_models(database: Database) -> Mapping[str, tuple[ProviderModel, ...]]:
    """All of them, by provider, in the order in which they were first seen or pinned. Raises StorageError."""
    try:
        with closing(database.connect(read_only=True)) as connection:
            rows = connection.execute(_READ).fetchall()
    except sqlite3.Error as error:
        raise StorageError("storage.failed", path=database.path, reason=error) from error
    found: dict[str, tuple[ProviderModel, ...]] = {}
    for provider, model, pinned, facts in rows:
        one = ProviderModel(model, bool(pinned), None if facts is None else _DECODER.decode(facts))
        found[provider] = (*found.get(provider, ()), one)
    return found


def keep_seen(database: Database, provider: str, models: Sequence[ModelFacts], seen_at: int) -> bool:
    """Keep a provider's list as it was at `seen_at` (Unix seconds); what is not on it any more goes, unless it is pinned.
    Returns whether anything is different now. Raises StorageError."""

    def change(connection: sqlite3.Connection) -> bool:
        before = _listed(connection, provider)
        for facts in models:
            text = msgspec.json.encode(facts).decode()
            connection.execute(_SEEN, (provider, facts.model, seen_at, text))
        gone = before.keys() - {facts.model for facts in models}
        for model in gone:
            connection.execute(
                "DELETE FROM provider_models WHERE (provider, model) = (?, ?) AND NOT pinned", (provider, model)
            )
            unseen = "UPDATE provider_models SET seen_at = NULL, facts = NULL WHERE (provider, model) = (?, ?)"
            connection.execute(unseen, (provider, model))
        return {name: _undated(facts) for name, facts in before.items()} != {
            facts.model: _undated(facts) for facts in models
        }

    return changing(database, change)


def set_pinned(database: Database, provider: str, models: Sequence[str], *, pinned: bool) -> int:
    """Pin models of a provider, or take their pins away; returns how many that changed. Raises StorageError."""

    def change(connection: sqlite3.Connection) -> int:
        if pinned:
            return sum(connection.execute(_PIN, (provider, model)).rowcount for model in models)
        count = 0
        for model in models:
            unpin = "UPDATE provider_models SET pinned = 0 WHERE (provider, model) = (?, ?) AND pinned"
            count += connection.execute(unpin, (provider, model)).rowcount
        connection.execute("DELETE FROM provider_models WHERE NOT pinned AND seen_at IS NULL")
        return count

    return changing(database, change)


def _listed(connection: sqlite3.Connection, provider: str) -> dict[str, ModelFacts]:
    rows = connection.execute(
        "SELECT model, facts FROM provider_models WHERE provider = ? AND facts IS NOT NULL", (provider,)
    ).fetchall()
    return {model: _DECODER.decode(facts) for model, facts in rows}


def _undated(facts: ModelFacts) -> ModelFacts:
    return msgspec.structs.replace(facts, observed_on="")
