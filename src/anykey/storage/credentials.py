"""The stored credentials, sealed bytes all: add, remove, weigh, seal anew. Every change moves the configuration generation."""

from collections.abc import Callable

import msgspec
from sqlalchemy import delete, insert, select, update

from anykey.storage.configuration import CredentialRow
from anykey.storage.database import Database
from anykey.storage.engine import transaction
from anykey.storage.generation import next_generation
from anykey.storage.schema import credentials

_COLUMNS = tuple(credentials.c[name] for name in CredentialRow.__struct_fields__)


def insert_credential(database: Database, row: CredentialRow) -> None:
    """Keep a new credential. Raises StorageError for an id, or a label of the provider, that exists."""
    with transaction(database) as connection:
        next_generation(connection)
        connection.execute(insert(credentials).values(msgspec.structs.asdict(row)))


def delete_credential(database: Database, row_id: str) -> bool:
    """Forget the credential. False where there is none of that id."""
    with transaction(database) as connection:
        next_generation(connection)
        return connection.execute(delete(credentials).where(credentials.c.id == row_id)).rowcount == 1


def set_weight(database: Database, row_id: str, weight: int) -> bool:
    """Give the credential another weight. False where there is none of that id."""
    with transaction(database) as connection:
        next_generation(connection)
        changed = update(credentials).where(credentials.c.id == row_id).values(weight=weight)
        return connection.execute(changed).rowcount == 1


def reseal_all(database: Database, reseal: Callable[[CredentialRow], bytes]) -> int:
    """Replace the sealed bytes of every credential by `reseal(row)`, all or none (whatever it raises undoes everything).

    Returns how many there are.
    """
    with transaction(database) as connection:
        next_generation(connection)
        rows = [CredentialRow(*row) for row in connection.execute(select(*_COLUMNS)).all()]
        for row in rows:
            changed = update(credentials).where(credentials.c.id == row.id).values(sealed=reseal(row))
            connection.execute(changed)
    return len(rows)
