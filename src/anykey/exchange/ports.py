"""What the journey needs from the world around it, as small protocols. The server wires the real things in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from anykey.accounts.keys import ApiKey
from anykey.accounts.purse import Purse
from anykey.storage.charges import Closing, Opened, Opening, Refused
from anykey.storage.exchange_bodies import ExchangeBodies
from anykey.storage.health import HealthRow
from anykey.storage.records import ExchangeRow

Headers = tuple[tuple[bytes, bytes], ...]


class Reply(Protocol):
    """The answer to the client. ``write`` waits while the client does not read: that is the backpressure.
    ``gone``: the client closed its connection."""

    started: bool

    @property
    def gone(self) -> bool: ...
    async def start(self, status: int, headers: Headers) -> None: ...
    async def write(self, data: bytes) -> None: ...
    async def end(self) -> None: ...
    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """Status, headers and the complete body at once."""
        ...


class Chunks(Protocol):
    """An answer that comes in pieces: b"" is its clean end, None a silence of ``wait_s``. UpstreamError: it broke."""

    async def next_chunk(self, wait_s: float | None = None) -> bytes | None: ...


class Keys(Protocol):
    """The keys as they are now: what another process changed is seen at the next ``refresh_if_changed``, or within 10 ms
    while many calls come; ``even_if_busy``: at once."""

    keys: Mapping[str, ApiKey]

    def refresh_if_changed(self, *, even_if_busy: bool = False) -> None: ...


class Recorder(Protocol):
    """Takes the usage row of a finished exchange. Never blocks."""

    def record(self, row: ExchangeRow) -> None: ...


class Bodies(Protocol):
    """Keeps what was said in calls that are logged in full: of each side ``most_bytes``. Never blocks."""

    most_bytes: int

    def keep(self, bodies: ExchangeBodies) -> None: ...


class Till(Protocol):
    """Holds money before a call and settles it after. Raises TillDown where the database does not answer; ``close`` never."""

    async def open(self, opening: Opening) -> Opened | Refused: ...
    async def extend(self, charge_id: str, purse: Purse, more_nano: int) -> Refused | None: ...
    def close(self, closing: Closing) -> None: ...


class SharedHealth(Protocol):
    """What is not well, for all processes of a database. Nothing of it raises or waits. ``look``: None where nothing is new."""

    author: str

    def put(self, row: HealthRow) -> None: ...
    def drop(self, deployment: str, credential: str) -> None: ...
    def written(self) -> frozenset[tuple[str, str]]: ...
    def look(self) -> list[HealthRow] | None: ...


Monotonic = Callable[[], float]
WallClock = Callable[[], float]
