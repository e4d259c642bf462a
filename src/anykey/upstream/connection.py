"""One connection to an upstream (or to the proxy before it).

Law: it carries one call at a time. It is kept for another one only when the call was written whole, the response was
whole, and nothing followed it; in every other case, and whenever somebody gives up, it is closed.
"""

import asyncio
import math
from typing import Protocol, cast

from anykey.upstream.lane import Lane
from anykey.upstream.reply import Reply

_SLICE = 256 * 1024
# Timers of uvloop count whole milliseconds and may fire that much early.
_TIMER_GRAIN_S = 0.001


class Owner(Protocol):
    """Who is told about a connection: the pool."""

    def add(self, connection: "Connection") -> None: ...

    def keep(self, connection: "Connection") -> float | None:
        """Take an idle connection back: until when (time of the loop) it may idle, None to have it closed."""
        ...

    def forget(self, connection: "Connection") -> None: ...


class Connection(asyncio.Protocol):
    """The transport, the call it carries, and one timer that is moved only when it would fire too late."""

    def __init__(self, owner: Owner, lane: Lane) -> None:
        self.lane = lane
        self.closed = False
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self.opened_at = self._loop.time()
        self._transport: asyncio.Transport | None = None
        self._reply: Reply | None = None
        self._written = True
        self._write_paused = False
        self._read_paused = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        self._idle_until = math.inf

    @property
    def usable(self) -> bool:
        """Open, as far as is known."""
        return not self.closed and self._transport is not None and not self._transport.is_closing()

    async def exchange(self, head: bytes, body: bytes, reply: Reply) -> None:
        """Write a request, and wait for the head of its response. Raises UpstreamError; cancelling closes."""
        self._reply = reply
        if not self.usable:
            reply.lost(None)
        elif len(body) <= _SLICE:
            self._written = True
            self._write(head + body if body else head)
        else:
            self._written = False
            await self._write_slices(head, body, reply)
        if not reply.answered:
            reply.sent()
        await reply.head()

    # What a reply does (reply.Link)

    def pause_reading(self) -> None:
        """Stop reading the socket; the network tells the upstream to wait."""
        if self._transport is not None and not self._transport.is_closing():
            self._read_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read the socket again."""
        self._read_paused = False
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def watch(self, at: float) -> None:
        """Look at the limits no later than at this time of the loop."""
        if at < self._timer_at and not self.closed:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(at, self._tick)
            self._timer_at = at

    def close(self) -> None:
        """Close at once, whatever was still to be written or read."""
        if self.closed:
            return
        reply = self._reply
        self._detach()
        if self._transport is not None:
            self._transport.abort()
        if reply is not None:
            reply.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._owner.add(self)

    def data_received(self, data: bytes) -> None:
        reply = self._reply
        if reply is None:
            self.close()  # nobody asked for this
        elif reply.feed(data):
            self._finish(reply)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        reply = self._reply
        self._detach()
        if reply is not None:
            reply.lost(exc)

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        if self._reply is not None:
            self._reply.wake()

    # Inside

    def _write(self, data: bytes | memoryview) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    async def _write_slices(self, head: bytes, body: bytes, reply: Reply) -> None:
        """Write no faster than the upstream takes it, and no longer than until it answers."""
        self._write(head)
        view = memoryview(body)
        for start in range(0, len(body), _SLICE):
            self._write(view[start : start + _SLICE])
            reply.sending()
            while self._write_paused and not reply.answered:
                await reply.changed()
            if reply.answered:
                return
        self._written = True

    def _finish(self, reply: Reply) -> None:
        """The response is over: keep the connection if there is no doubt about it."""
        self._reply = None
        if self._read_paused:
            self.resume_reading()
        keep = reply.reusable and self._written and not self._write_paused and not self.closed
        idle_until = self._owner.keep(self) if keep else None
        if idle_until is None:
            self.close()
        else:
            self._idle_until = idle_until
            self.watch(idle_until)

    def _tick(self) -> None:
        self._timer, self._timer_at = None, math.inf
        now = self._loop.time() + _TIMER_GRAIN_S
        if self._reply is not None:
            again = self._reply.tick(now)
        elif now >= self._idle_until:
            self.close()
            return
        else:
            again = self._idle_until
        if again < math.inf:
            self.watch(again)

    def _detach(self) -> None:
        self.closed = True
        self._reply = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._owner.forget(self)
