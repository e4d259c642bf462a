"""The till: money is held before a call goes upstream, and settled when it is over.

Everything is committed by one thread with one connection. What comes while a commit is under way waits for it and is then
committed together: under load one transaction serves many calls, and in a quiet moment the first call waits for nobody. A
transaction costs as much as the charges of ten calls in it, so while many come at once, the next one gives them a few
milliseconds to gather. All bookkeeping is the event loop's; the thread gets a batch, commits it and gives it back, so there is
nothing to lock.

    the loop:    waiting asks and closings ── _pump ──▶ batch            futures are answered, the next batch goes
    the thread:                                         commit ── _done ──▶

When the database does not answer, asks give up after a while (TillDown) and closings are kept and tried again. An ask that was
given up after it may have been committed is closed as void. What a process that died left open is found by the others, or by
the next one (processes.py).
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable

from anykey.accounts.purse import Purse
from anykey.storage.charges import BudgetState, Closing, Opened, Opening, Refused, TillDown
from anykey.storage.database import Database
from anykey.storage.errors import DatabaseError
from anykey.storage.processes import Heart
from anykey.storage.till_batch import ToExtend, ToOpen
from anykey.storage.till_thread import Durability, Job, TillThread, Waiting

__all__ = ["BudgetState", "Closing", "Durability", "Opened", "Opening", "Refused", "Till", "TillDown"]

_log = logging.getLogger(__name__)

ANSWER_S = 5.0
BATCH_MOST = 512
CROWD = 16
"""So many asks in one batch are many: the next batch begins no sooner than GATHER_S after this one began."""
GATHER_S = 0.01
KEPT_CLOSINGS_MAX = 100_000
RETRY_FIRST_S, RETRY_LAST_S = 0.05, 0.5
LOG_EVERY_S = 1.0
CLOSE_S = 5.0
"""How long the end of the process waits for a database that fails."""


def wall_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


class Till:
    """One per process, used on one event loop; closed with `aclose`. `watched`: it gives signs of life and looks for processes
    that died; without, whoever looks takes this one for dead."""

    def __init__(
        self,
        database: Database,
        *,
        durability: Durability = "process",
        clock_ms: Callable[[], int] = wall_ms,
        watched: bool = True,
    ) -> None:
        self.process_id = f"p_{secrets.token_hex(8)}"
        self._waiting: list[Waiting] = []
        self._closings: list[Closing] = []
        self._job: Job | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._gathering: asyncio.TimerHandle | None = None
        self._next_at = 0.0  # of the loop's clock
        self._patience: asyncio.TimerHandle | None = None
        self._retry_s = 0.0
        self._logged_at = float("-inf")
        self._lost = 0
        self._closing = False
        self._idle: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._heart = Heart(database, self.process_id) if watched else None
        self._thread = TillThread(database, self.process_id, durability, clock_ms)

    def begin(self) -> None:
        """Start recovery and this process's signs of life. The first ask does it too; a process that serves need not wait for
        one."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._thread.start(self._loop, self._done)
            if self._heart is not None:
                self._heart.start()

    async def open(self, opening: Opening) -> Opened | Refused:
        """Hold a call's estimate. Returns after the COMMIT. Raises TillDown."""
        ask = ToOpen(opening)
        await self._queued(ask)
        if ask.answer is None:
            raise TillDown("not answered")
        return ask.answer

    async def extend(self, charge_id: str, purse: Purse, more_nano: int) -> Refused | None:  # noqa: ARG002 - what the charge says counts
        """Hold `more_nano` on top for an open charge of this process, one extension of it at a time; a refusal leaves it as it
        is. Raises TillDown."""
        ask = ToExtend(charge_id, more_nano)
        await self._queued(ask)
        if not ask.known:
            raise TillDown(f"{charge_id} is not open")
        return ask.answer

    def close(self, closing: Closing) -> None:
        """Settle a charge; in the database a moment later, once, however often it is asked. Never raises and never waits."""
        if self._closing or len(self._closings) >= KEPT_CLOSINGS_MAX:
            self._lost += 1
            return
        self.begin()
        self._closings.append(closing)
        self._pump()

    async def aclose(self) -> None:
        """Commit what is kept and let go of the database. What cannot be committed in a few seconds stays open there, and
        becomes unknown."""
        self._closing = True
        if self._loop is None:
            return
        if self._job is not None or self._closings or self._waiting:
            self._idle = self._loop.create_future()
            self._next_at = 0.0
            self._gathered()
            try:
                async with asyncio.timeout(CLOSE_S):
                    await self._idle
            except TimeoutError:
                self._lost += len(self._closings)
        for timer in (self._retry, self._gathering, self._patience):
            if timer is not None:
                timer.cancel()
        await asyncio.to_thread(self._thread.stop)
        if self._heart is not None:
            await asyncio.to_thread(self._heart.stop)
        if self._lost:
            _log.error("%d charges were not settled", self._lost)

    def _queued(self, ask: ToOpen | ToExtend) -> asyncio.Future[None]:
        """Done when the ask is answered; its exception is TillDown, which is raised here where the till is closed."""
        if self._closing:
            raise TillDown("the gateway stops")
        self.begin()
        loop = asyncio.get_running_loop()
        waiting = Waiting(ask, loop.create_future(), loop.time() + ANSWER_S)
        self._waiting.append(waiting)
        if self._patience is None:
            self._patience = loop.call_at(waiting.until, self._lose_patience)
        self._pump()
        return waiting.future

    def _lose_patience(self) -> None:
        """Give up what was asked too long ago; one timer serves all asks, for those who wait wait equally long."""
        loop = asyncio.get_running_loop()
        now, under_way = loop.time(), [] if self._job is None else self._job.waiting
        pending = [one for one in (*under_way, *self._waiting) if not one.future.done()]
        for one in pending:
            if one.until <= now:
                one.future.set_exception(TillDown(f"no answer within {ANSWER_S:.0f} s"))
        until = min((one.until for one in pending if one.until > now), default=None)
        self._patience = None if until is None else loop.call_at(until, self._lose_patience)

    def _pump(self) -> None:
        """Give the thread what there is, if it has nothing to do and nobody else is to be waited for."""
        if self._job is not None or self._retry is not None or self._gathering is not None:
            return
        self._drop_abandoned()
        if self._waiting or self._closings:
            loop = asyncio.get_running_loop()
            now = loop.time()
            if now < self._next_at:
                self._gathering = loop.call_at(self._next_at, self._gathered)
                return
            self._job = Job(self._waiting[:BATCH_MOST], self._closings[:BATCH_MOST])
            del self._waiting[:BATCH_MOST], self._closings[:BATCH_MOST]
            self._next_at = now + GATHER_S if len(self._job.waiting) >= CROWD and not self._closing else 0.0
            self._thread.give(self._job)
        elif self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def _gathered(self) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        self._pump()

    def _drop_abandoned(self) -> None:
        """Nobody waits for these any more; those that may be committed are closed."""
        if any(one.future.done() for one in self._waiting):
            for one in self._waiting:
                if one.future.done() and one.tried:
                    self._give_back(one)
            self._waiting = [one for one in self._waiting if not one.future.done()]

    def _give_back(self, one: Waiting) -> None:
        if isinstance(one.ask, ToOpen):
            charge_id = one.ask.opening.charge_id
            at_ms = one.ask.opening.at_ms
            self._closings.append(_void(charge_id, at_ms))

    def _done(self, job: Job) -> None:
        """The thread gave the job back; on the loop."""
        self._job = None
        if job.failed is not None:
            self._keep(job, job.failed)
            return
        if self._retry_s:
            self._retry_s = 0.0
            _log.warning("charges are written again")
        for one in job.waiting:
            if not one.future.done():
                one.future.set_result(None)
            elif isinstance(one.ask, ToOpen) and isinstance(one.ask.answer, Opened):
                self._give_back(one)
        self._pump()

    def _keep(self, job: Job, error: DatabaseError) -> None:
        """Put everything back, to be tried again in a while."""
        for one in job.waiting:
            one.tried = True
            if isinstance(one.ask, ToOpen):
                one.ask.tried = True
        self._waiting[:0] = job.waiting
        self._closings[:0] = job.closings
        self._retry_s = min(max(self._retry_s * 2, RETRY_FIRST_S), RETRY_LAST_S)
        self._retry = asyncio.get_running_loop().call_later(self._retry_s, self._again)
        now = time.monotonic()
        if now - self._logged_at >= LOG_EVERY_S:
            self._logged_at = now
            _log.error("charges cannot be written, %d are kept: %s", len(self._closings), error)

    def _again(self) -> None:
        self._retry = None
        self._pump()


def _void(charge_id: str, at_ms: int) -> Closing:
    return Closing(charge_id=charge_id, state="void", cost_nano=0, basis="free", price_id=None, lines=None, at_ms=at_ms)
