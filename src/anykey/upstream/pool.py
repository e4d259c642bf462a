"""The connections that wait for their next call.

Law: the last one used is the first one used again, so the others grow old and go; one that is closed is never given.
"""

import asyncio

from anykey.upstream.connection import Connection
from anykey.upstream.lane import Lane


class Pool:
    """All open connections, and which of them are idle. Times are in seconds of the loop's clock."""

    def __init__(self, *, max_idle: int, idle_ttl_s: float, max_age_s: float) -> None:
        self.open: set[Connection] = set()
        self._max_idle = max_idle
        self._idle_ttl_s = idle_ttl_s
        self._max_age_s = max_age_s
        self._idle: dict[Connection, None] = {}  # in the order of their becoming idle
        self._waiting: dict[Lane, list[Connection]] = {}

    @property
    def idle_count(self) -> int:
        """How many connections wait."""
        return len(self._idle)

    def take(self, lane: Lane) -> Connection | None:
        """An idle connection of this lane, or None. It is the caller's alone now."""
        waiting = self._waiting.get(lane)
        while waiting:
            connection = waiting.pop()
            del self._idle[connection]
            if connection.usable and not self._is_old(connection):
                return connection
            connection.close()
        return None

    def close(self) -> None:
        """Close all, the busy ones too."""
        for connection in list(self.open):
            connection.close()

    # connection.Owner

    def add(self, connection: Connection) -> None:
        """A connection was opened."""
        self.open.add(connection)

    def keep(self, connection: Connection) -> float | None:
        """An exchange ended well: until when the connection may wait, or None when it is to be closed."""
        if self._max_idle == 0 or self._is_old(connection):
            return None
        if len(self._idle) >= self._max_idle:
            next(iter(self._idle)).close()
        self._waiting.setdefault(connection.lane, []).append(connection)
        self._idle[connection] = None
        return asyncio.get_running_loop().time() + self._idle_ttl_s

    def forget(self, connection: Connection) -> None:
        """A connection was closed."""
        self.open.discard(connection)
        if connection in self._idle:
            del self._idle[connection]
            self._waiting[connection.lane].remove(connection)

    def _is_old(self, connection: Connection) -> bool:
        return asyncio.get_running_loop().time() - connection.opened_at >= self._max_age_s
