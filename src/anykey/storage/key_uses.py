"""When each key was last used, kept beside its row so that a use does not count as a change of the keys.

Written with the usage rows, in their transaction, and for one key at most every ten seconds.
"""

from collections.abc import Iterable

from anykey.storage.database import Connection
from anykey.storage.records import ExchangeRow

EVERY_S = 10
_KEEP = """INSERT INTO key_uses (key_id, last_at) VALUES (?, ?)
ON CONFLICT (key_id) DO UPDATE SET last_at = excluded.last_at WHERE key_uses.last_at < excluded.last_at"""


class KeyUses:
    """What one writer knows of the last uses. For one thread."""

    def __init__(self) -> None:
        self._written: dict[str, int] = {}

    def due(self, rows: Iterable[ExchangeRow]) -> dict[str, int]:
        """The uses (Unix seconds) among these calls that are to be written, by key."""
        newest: dict[str, int] = {}
        for row in rows:
            if row.key_id:
                newest[row.key_id] = max(row.at // 1000, newest.get(row.key_id, 0))
        return {key: at for key, at in newest.items() if at >= self._written.get(key, -EVERY_S) + EVERY_S}

    def write(self, connection: Connection, due: dict[str, int]) -> None:
        """Write them in the transaction that `connection` is in, in the order of the keys: writers do not wait in a circle."""
        for key, at in sorted(due.items()):
            connection.execute(_KEEP, (key, at))

    def written(self, due: dict[str, int]) -> None:
        """The transaction was committed."""
        self._written |= due


def read_uses(connection: Connection) -> dict[str, int]:
    """The last use of each key that was ever used, Unix seconds."""
    return dict(connection.execute("SELECT key_id, last_at FROM key_uses"))
