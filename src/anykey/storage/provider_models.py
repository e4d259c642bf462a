"""The models of each configured provider: those its own list names, and those an operator pinned. No SQLAlchemy: the serving
process reads and writes these. A change adds one to the configuration generation; seeing the same list again changes nothing."""

from collections.abc import Mapping, Sequence
from contextlib import closing

import msgspec

from anykey.accounts.permissions import LOCAL
from anykey.providers.models import ModelFacts, ProviderModel
from anykey.storage.audit import Deed
from anykey.storage.changing import changing
from anykey.storage.database import Connection, Database
from anykey.storage.errors import DatabaseError, StorageError

_DECODER = msgspec.json.Decoder(ModelFacts)
_READ = "SELECT provider, model, pinned, facts FROM provider_models ORDER BY provider, position, model"
_LAST = "SELECT coalesce(max(position), 0) FROM provider_models WHERE provider = ?"
_SEEN = """INSERT INTO provider_models (provider, model, pinned, seen_at, facts, position) VALUES (?, ?, FALSE, ?, ?, ?)
ON CONFLICT (provider, model) DO UPDATE SET seen_at = excluded.seen_at, facts = excluded.facts"""
_PIN = """INSERT INTO provider_models (provider, model, pinned, position) VALUES (?, ?, TRUE, ?)
ON CONFLICT (provider, model) DO UPDATE SET pinned = TRUE WHERE NOT provider_models.pinned"""


def read_provider_models(database: Database) -> Mapping[str, tuple[ProviderModel, ...]]:
    """All of them, by provider, in the order in which they were first seen or pinned. Raises StorageError."""
    try:
        with closing(database.connect(read_only=True)) as connection:
            rows = connection.execute(_READ).fetchall()
    except DatabaseError as error:
        raise StorageError("storage.failed", path=database.name, reason=error) from error
    found: dict[str, tuple[ProviderModel, ...]] = {}
    for provider, model, pinned, facts in rows:
        one = ProviderModel(model, bool(pinned), None if facts is None else _DECODER.decode(facts))
        found[provider] = (*found.get(provider, ()), one)
    return found


def keep_seen(
    database: Database, provider: str, models: Sequence[ModelFacts], seen_at: int, author: str | None = None
) -> bool:
    """Keep a provider's list as it was at `seen_at` (Unix seconds); what is not on it any more goes, unless it is pinned.
    `author`: who wanted it; None: the gateway itself. Returns whether anything is different now. Raises StorageError."""

    def change(connection: Connection) -> bool:
        before = _listed(connection, provider)
        last: int = connection.execute(_LAST, (provider,)).fetchone()[0]
        for position, facts in enumerate(models, last + 1):
            text = msgspec.json.encode(facts).decode()
            connection.execute(_SEEN, (provider, facts.model, seen_at, text, position))
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

    def tell(_: bool) -> Deed:
        after = {"models": len(models)}
        return Deed(actor=author or "", action="models.refresh", target_kind="provider", target=provider, after=after)

    return changing(database, change, None if author is None else tell)


def set_pinned(
    database: Database, provider: str, models: Sequence[str], *, pinned: bool, author: str = LOCAL.name
) -> int:
    """Pin models of a provider, or take their pins away; returns how many that changed. `author`: who does it. Raises
    StorageError."""

    def change(connection: Connection) -> int:
        if pinned:
            last: int = connection.execute(_LAST, (provider,)).fetchone()[0]
            rows = enumerate(models, last + 1)
            return sum([connection.execute(_PIN, (provider, model, position)).rowcount for position, model in rows])
        count = 0
        for model in models:
            unpin = "UPDATE provider_models SET pinned = FALSE WHERE (provider, model) = (?, ?) AND pinned"
            count += connection.execute(unpin, (provider, model)).rowcount
        connection.execute("DELETE FROM provider_models WHERE NOT pinned AND seen_at IS NULL")
        return count

    def tell(_: int) -> Deed:
        action = "models.pin" if pinned else "models.unpin"
        after = {"models": list(models)}
        return Deed(actor=author, action=action, target_kind="provider", target=provider, after=after)

    return changing(database, change, tell)


def _listed(connection: Connection, provider: str) -> dict[str, ModelFacts]:
    rows = connection.execute(
        "SELECT model, facts FROM provider_models WHERE provider = ? AND facts IS NOT NULL", (provider,)
    ).fetchall()
    return {model: _DECODER.decode(facts) for model, facts in rows}


def _undated(facts: ModelFacts) -> ModelFacts:
    return msgspec.structs.replace(facts, observed_on="")
