"""The stored credentials, sealed bytes all: add, remove, weigh, seal anew. Every change moves the configuration generation."""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import delete, func, insert, select, update

from anykey.accounts.permissions import LOCAL
from anykey.storage.audit import Deed, append
from anykey.storage.configuration import CredentialRow
from anykey.storage.database import Database
from anykey.storage.engine import transaction
from anykey.storage.generation import next_generation
from anykey.storage.schema import credentials

_COLUMNS = tuple(credentials.c[name] for name in CredentialRow.__struct_fields__)


def insert_credential(database: Database, row: CredentialRow, author: str = LOCAL.name) -> None:
    """Keep a new credential. `author`: who does it, here and below. Raises StorageError for an id, or a label of the provider,
    that exists."""
    with transaction(database) as connection:
        next_generation(connection)
        last = select(func.coalesce(func.max(credentials.c.position), 0)).scalar_subquery()
        connection.execute(insert(credentials).values(**msgspec.structs.asdict(row), position=last + 1))
        append(connection, _deed(author, "credentials.add", None, row))


def delete_credential(database: Database, row: CredentialRow, author: str = LOCAL.name) -> bool:
    """Forget the credential. False where there is none of that id."""
    with transaction(database) as connection:
        next_generation(connection)
        gone = connection.execute(delete(credentials).where(credentials.c.id == row.id)).rowcount == 1
        if gone:
            append(connection, _deed(author, "credentials.remove", row, None))
        return gone


def set_weight(database: Database, row: CredentialRow, weight: int, author: str = LOCAL.name) -> bool:
    """Give the credential another weight. False where there is none of that id."""
    with transaction(database) as connection:
        next_generation(connection)
        changed = update(credentials).where(credentials.c.id == row.id).values(weight=weight)
        done = connection.execute(changed).rowcount == 1
        if done:
            after = msgspec.structs.replace(row, weight=weight)
            append(connection, _deed(author, "credentials.weigh", row, after))
        return done


def reseal_all(database: Database, reseal: Callable[[CredentialRow], bytes], author: str = LOCAL.name) -> int:
    """Replace the sealed bytes of every credential by `reseal(row)`, all or none (whatever it raises undoes everything).

    Returns how many there are.
    """
    with transaction(database) as connection:
        next_generation(connection)
        rows = [CredentialRow(*row) for row in connection.execute(select(*_COLUMNS)).all()]
        for row in rows:
            changed = update(credentials).where(credentials.c.id == row.id).values(sealed=reseal(row))
            connection.execute(changed)
        after = {"credentials": len(rows)}
        told = Deed(actor=author, action="credentials.reseal", target_kind="master_key", target="", after=after)
        append(connection, told)
    return len(rows)


def _deed(author: str, action: str, before: CredentialRow | None, after: CredentialRow | None) -> Deed:
    row = after or before
    return Deed(
        actor=author,
        action=action,
        target_kind="credential",
        target="" if row is None else row.id,
        before=_told(before),
        after=_told(after),
    )


def _told(row: CredentialRow | None) -> dict[str, Any] | None:
    """The credential for the audit log: not what is sealed in it."""
    return None if row is None else {name: getattr(row, name) for name in row.__struct_fields__ if name != "sealed"}
