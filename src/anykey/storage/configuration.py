"""What the serving process reads of the stored configuration, and how it learns that it changed. No SQLAlchemy here.

Every change of a credential, a config or a pinned model adds one to the configuration generation in its own transaction. Looking
at it is one small query a second, in a thread beside the event loop.
"""

from contextlib import closing

import msgspec

from anykey.storage.database import Connection, Database, has_table
from anykey.storage.errors import DatabaseError, StorageError


class CredentialRow(msgspec.Struct, frozen=True):
    """A stored credential, sealed. `scheme`, `host` and `port` are where it may be sent; `created_at` is Unix seconds."""

    id: str
    provider: str
    label: str
    weight: int
    scheme: str
    host: str
    port: int
    sealed: bytes
    last4: str
    created_at: int

    @property
    def reference(self) -> str:
        """`provider#label`: how it is named to people."""
        return f"{self.provider}#{self.label}"

    def __repr__(self) -> str:
        return f"CredentialRow({self.reference!r})"


_FIELDS = ", ".join(CredentialRow.__struct_fields__)
_SELECT = f"SELECT {_FIELDS} FROM credentials ORDER BY provider, created_at, position"  # noqa: S608 - our own names


def read_credentials(database: Database) -> list[CredentialRow]:
    """All stored credentials, by provider, oldest first; none where the database, or its table, is yet to be made.

    Raises StorageError where the database fails.
    """
    if database.identity() is None:
        return []
    try:
        with closing(database.connect()) as connection:
            known = has_table(database, connection, "credentials")
            return [CredentialRow(*row) for row in connection.execute(_SELECT)] if known else []
    except DatabaseError as error:
        raise StorageError("storage.failed", path=database.name, reason=error) from error


class GenerationWatch:
    """Says whether the stored configuration changed since it was last asked. For one thread at a time; opens on first use."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._seen: tuple[object | None, int] | None = None

    def changed(self) -> bool:
        """Whether it did; False at the first look. A restored backup is a change. Raises DatabaseError."""
        file = self._database.identity()
        if self._connection is None or (self._seen is not None and self._seen[0] != file):
            self.close()
            self._connection = self._database.connect(read_only=True, busy_timeout_s=0)
        try:
            generation: int = self._connection.execute("SELECT value FROM configuration_generation").fetchone()[0]
        except DatabaseError:
            self.close()
            raise
        before, self._seen = self._seen, (file, generation)
        return before not in {None, self._seen}

    def close(self) -> None:
        """Let go of the database."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
