"""The issued keys: create, list, change, revoke. Every change also adds one to the key generation, in the same transaction."""

import json
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from anykey.accounts.keys import ApiKey
from anykey.storage.database import Database
from anykey.storage.engine import transaction
from anykey.storage.schema import api_keys, key_generation


def insert_key(database: Database, key: ApiKey) -> None:
    """Keep a new key. Raises StorageError for an id that exists."""
    with transaction(database) as connection:
        _next_generation(connection)
        connection.execute(
            insert(api_keys).values(
                id=key.id,
                name=key.name,
                digest=key.digest,
                last4=key.last4,
                created_at=key.created_at,
                revoked_at=key.revoked_at,
                strict=key.strict,
                **_routing(key),
            )
        )


def update_routing(database: Database, key: ApiKey) -> bool:
    """Keep what `key` says of routing (group, team, models, config, metadata, admin). False where there is no such key."""
    with transaction(database) as connection:
        _next_generation(connection)
        change = update(api_keys).where(api_keys.c.id == key.id).values(**_routing(key))
        return connection.execute(change).rowcount == 1


def list_keys(database: Database) -> list[ApiKey]:
    """All keys ever issued, oldest first, revoked ones too."""
    with transaction(database) as connection:
        rows = connection.execute(select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id)).all()
    return [_api_key(row) for row in rows]


def mark_revoked(database: Database, key_id: str, at: int) -> bool:
    """Revoke the key from `at` (Unix seconds). False where there is no such key in force."""
    in_force = (api_keys.c.id == key_id) & api_keys.c.revoked_at.is_(None)
    with transaction(database) as connection:
        _next_generation(connection)
        return connection.execute(update(api_keys).where(in_force).values(revoked_at=at)).rowcount == 1


def _next_generation(connection: Connection) -> None:
    connection.execute(update(key_generation).values(value=key_generation.c.value + 1))


def _api_key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        digest=row.digest,
        last4=row.last4,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
        strict=row.strict,
        group_name=row.group_name,
        team=row.team,
        allowed_models=None if row.allowed_models is None else tuple(json.loads(row.allowed_models)),
        config=row.config,
        metadata=None if row.metadata is None else json.loads(row.metadata),
        admin=row.admin,
    )


def _routing(key: ApiKey) -> dict[str, Any]:
    """The columns that routing reads; lists and tables as JSON."""
    return {
        "group_name": key.group_name,
        "team": key.team,
        "allowed_models": None if key.allowed_models is None else json.dumps(key.allowed_models, ensure_ascii=False),
        "config": key.config,
        "metadata": None if key.metadata is None else json.dumps(dict(key.metadata), ensure_ascii=False),
        "admin": key.admin,
    }
