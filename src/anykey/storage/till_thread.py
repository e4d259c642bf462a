"""The till's thread: commits one batch after another over a connection of its own, and tells the loop of each."""

import asyncio
import logging
import math
import queue
import threading
from collections.abc import Callable
from typing import Literal

import msgspec

from anykey.storage.alerts import Alerts
from anykey.storage.charges import Closing
from anykey.storage.database import Connection, Database
from anykey.storage.errors import BadValueError, ConstraintError, DatabaseError
from anykey.storage.key_uses import KeyUses
from anykey.storage.processes import enter
from anykey.storage.till_batch import Batch, Committer, ToExtend, ToOpen

_log = logging.getLogger(__name__)

Durability = Literal["process", "power"]
"""What a commit survives: the end of the process, or of the machine's power too."""
STOP_S = 5.0


class Waiting(msgspec.Struct, eq=False):
    """An ask and who waits for its answer, and until when (in the loop's time)."""

    ask: ToOpen | ToExtend
    future: asyncio.Future[None]
    until: float = math.inf
    tried: bool = False


class Job(msgspec.Struct, eq=False):
    """A batch on its way to the thread and back."""

    waiting: list[Waiting]
    closings: list[Closing]
    failed: DatabaseError | None = None


class TillThread:
    """Has the connection, commits what it is given."""

    def __init__(
        self, database: Database, process_id: str, durability: Durability, clock_ms: Callable[[], int]
    ) -> None:
        self._database = database
        self._durability = durability
        self._clock_ms = clock_ms
        self._committer = Committer(process_id, Alerts(), KeyUses())
        self._connection: Connection | None = None
        self._identity: object | None = None
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._worker: threading.Thread | None = None

    def start(self, loop: asyncio.AbstractEventLoop, done: Callable[[Job], None]) -> None:
        """Begin to wait for jobs; `done` is called on the loop."""
        self._worker = threading.Thread(target=self._run, args=(loop, done), name="anykey-till", daemon=True)
        self._worker.start()

    def give(self, job: Job) -> None:
        """Commit this next."""
        self._jobs.put(job)

    def stop(self) -> None:
        """End, after what is under way; blocks, but not for a database that answers nothing."""
        self._jobs.put(None)
        if self._worker is not None:
            self._worker.join(STOP_S)

    def _run(self, loop: asyncio.AbstractEventLoop, done: Callable[[Job], None]) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                self._commit(job)
                job.failed = None
            except DatabaseError as error:
                job.failed = error
                self._disconnect()
            if loop.is_closed():
                break
            loop.call_soon_threadsafe(done, job)
        self._disconnect()

    def _commit(self, job: Job) -> None:
        connection = self.connected()
        asks = [one.ask for one in job.waiting]
        opens = [ask for ask in asks if isinstance(ask, ToOpen)]
        extends = [ask for ask in asks if isinstance(ask, ToExtend)]
        now_ms = self._clock_ms()
        try:
            self._committer.commit(connection, Batch(opens, extends, job.closings), now_ms)
        except (ConstraintError, BadValueError):
            self._commit_singly(connection, Batch(opens, extends, job.closings), now_ms)

    def _commit_singly(self, connection: Connection, batch: Batch, now_ms: int) -> None:
        """One of them breaks the transaction of all: find it, so that the others get through."""
        singles = [Batch([], [], [closing]) for closing in batch.closings]
        singles += [Batch([one], [], []) for one in batch.opens]
        singles += [Batch([], [one], []) for one in batch.extends]
        for single in singles:
            try:
                self._committer.commit(connection, single, now_ms)
            except (ConstraintError, BadValueError) as error:
                self._give_up(connection, single, now_ms, error)

    def _give_up(self, connection: Connection, single: Batch, now_ms: int, error: DatabaseError) -> None:
        """What cannot be written at all: an ask has no answer, a settlement goes without its row and lines."""
        for one in single.opens:
            one.answer = None
            _log.error("the charge %s cannot be opened: %s", one.opening.charge_id, error)
        for one in single.extends:
            one.known = False
            _log.error("the charge %s cannot be extended: %s", one.charge_id, error)
        for one in single.closings:
            _log.error("the charge %s is settled without its details: %s", one.charge_id, error)
            bare = msgspec.structs.replace(one, row=None, lines=None, price_id=None)
            try:
                self._committer.commit(connection, Batch([], [], [bare]), now_ms)
            except (ConstraintError, BadValueError) as worse:
                _log.error("the charge %s cannot be settled: %s", one.charge_id, worse)

    def connected(self) -> Connection:
        """The connection, made anew where it was lost. In the thread only. Raises DatabaseError."""
        identity = self._database.identity()
        if identity != self._identity:
            self._disconnect()  # the file was taken away or replaced
        if self._connection is None:
            connection = self._database.connect()
            try:
                if self._database.dialect == "sqlite":
                    connection.execute(f"PRAGMA synchronous={'FULL' if self._durability == 'power' else 'NORMAL'}")
                else:
                    connection.execute("SET synchronous_commit = on")
                enter(connection, self._committer.process, self._clock_ms())
            except DatabaseError:
                connection.close()
                raise
            self._connection, self._identity = connection, identity
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
