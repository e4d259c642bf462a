"""One response being read: its connection on one side, the caller's `next_chunk` on the other.

Law: between the two lie one list of about 256 KiB at most and one future. While the list is full the socket is not
read. After the last byte, or the first fault, a reply never touches its connection again.
"""

import asyncio
import math
from collections.abc import Iterator
from typing import Protocol

from anykey.upstream.decoding import BodyDecoder, DecodeError, body_decoder
from anykey.upstream.failures import (
    BodyTooLarge,
    ConnectionLost,
    FirstByteTimeout,
    FramingBroken,
    IdleTimeout,
    TotalTimeout,
    UpstreamError,
)
from anykey.upstream.parsing import ResponseParser
from anykey.upstream.records import Call

_MAX_BUFFERED = 256 * 1024


class Link(Protocol):
    """What a reply may do to its connection."""

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def watch(self, at: float) -> None: ...
    def close(self) -> None: ...


class Reply:
    """One response: `status` and `headers` (names in lower case, in order of arrival) are there from the start.

    Only one coroutine may read it. Whoever got it calls `abort` in a `finally`.
    """

    def __init__(self, link: Link, call: Call, peer: str, total_by: float, decoded_limit: int) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.retried = False
        """The call was first written to a kept-alive connection that turned out to be dead."""
        self.response_started = False
        self._link = link
        self._loop = asyncio.get_running_loop()
        self._peer = peer
        self._timeouts = call.timeouts
        self._parser = ResponseParser(peer, call.method)
        self._decoder: BodyDecoder | None = None
        self._pieces: Iterator[bytes] = iter(())
        self._decoded_limit = decoded_limit
        self._decoded = 0
        self._waiter: asyncio.Future[None] | None = None
        self._paused = False
        self._answered = False
        self._over = False
        self._failure: UpstreamError | None = None
        self._quiet_since = self._loop.time()
        self._quiet_limit_s = self._timeouts.first_byte_s
        self._quiet_kind: type[UpstreamError] = FirstByteTimeout
        self._total_by = total_by
        self._wait_by = math.inf
        self._lapsed = False

    # For the caller

    def header(self, name: bytes) -> bytes | None:
        """The first header of that name (lower case), or None."""
        return next((value for key, value in self.headers if key == name), None)

    async def next_chunk(self, wait_s: float | None = None) -> bytes | None:
        """All that arrived since the last call, as soon as there is something.

        b"" is the clean end of the body. None: nothing came within `wait_s` seconds, and the call goes on.
        Raises UpstreamError when the response cannot be completed, after all that came before the fault.
        """
        if wait_s is not None and not self._over:
            self._lapsed = False
            self._wait_by = self._loop.time() + wait_s
            self._link.watch(self._wait_by)
        while True:
            chunk = self._take()
            if chunk:
                return chunk
            if self._failure is not None:
                raise self._failure
            if self._over:
                return b""
            if wait_s is not None and self._lapsed:
                return None
            await self.changed()

    async def read(self, limit: int) -> bytes:
        """The rest of the body; BodyTooLarge, and the connection closed, when it is over `limit` bytes."""
        if self._over and self._failure is None and self._decoder is None and self._parser.buffered <= limit:
            return self._take_raw()  # a small answer came whole with its head
        chunks: list[bytes] = []
        size = 0
        try:
            while chunk := await self.next_chunk():
                size += len(chunk)
                if size > limit:
                    self._fail(BodyTooLarge, f"sent a body over {limit} bytes")
                    raise BodyTooLarge(f"{self._peer} sent a body over {limit} bytes", response_started=True)
                chunks.append(chunk)
        except UpstreamError:
            chunks.clear()  # the failure is ours and its traceback holds this frame: a circle that waits for the collector
            raise
        return b"".join(chunks)

    def abort(self) -> None:
        """Close the connection, unless the body is complete. Any number of times, at any time."""
        if not self._over:
            self._parser.take()
            self._fail(ConnectionLost, "is not listened to any more: the call was given up")

    # For the connection

    @property
    def answered(self) -> bool:
        """Status and headers are there, or will never be."""
        return self._answered or self._over

    @property
    def reusable(self) -> bool:
        """The response is whole, nothing followed it, and the upstream keeps the connection open."""
        return self._failure is None and self._parser.reusable

    async def head(self) -> None:
        """Wait for status and headers."""
        while not self._answered:
            if self._failure is not None:
                raise self._failure
            await self.changed()

    async def changed(self) -> None:
        """Wait until something happens. A wait that is cancelled ends the call."""
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        except asyncio.CancelledError:
            self.abort()
            raise
        finally:
            self._waiter = None

    def wake(self) -> None:
        """Something happened."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def sending(self) -> None:
        """A piece of the request is being written: the upstream has `idle_s` to take it."""
        self._await_upstream(self._timeouts.idle_s, IdleTimeout)

    def sent(self) -> None:
        """The request is written: the wait for the response begins."""
        self._await_upstream(self._timeouts.first_byte_s, FirstByteTimeout)

    def feed(self, data: bytes) -> bool:
        """Take bytes from the wire; True when the response is over, whole or not."""
        self.response_started = True
        parser = self._parser
        try:
            parser.feed(data)
            if parser.head_done:
                if self._answered:
                    self._quiet_since = self._loop.time()
                else:
                    self._open()
        except UpstreamError as failure:
            self._failure = failure
            self._over = True
        if parser.complete:
            self._over = True
        elif parser.buffered > _MAX_BUFFERED and not self._paused:
            self._paused = True
            self._link.pause_reading()
        self.wake()
        if self._over:
            parser.let_go()
        return self._over

    def lost(self, error: Exception | None) -> None:
        """The connection has ended: the end of a body that nothing else delimits, a fault for any other."""
        if error is None and self._parser.end():
            self._over = True
            self.wake()
            return
        when = "before it answered" if not self.response_started else "in the middle of its answer"
        self._fail(ConnectionLost, f"{'closed' if error is None else 'broke'} the connection {when}")

    def tick(self, now: float) -> float:
        """Apply the limits that have passed at `now`; the time when to look again."""
        # While the caller does not take what came, it is not the upstream that is silent.
        quiet_by = math.inf if self._paused else self._quiet_since + self._quiet_limit_s
        if now >= self._total_by:
            self._fail(TotalTimeout, f"was not done within {self._timeouts.total_s:g} s")
        elif now >= quiet_by:
            self._fail(self._quiet_kind, f"was silent for {self._quiet_limit_s:g} s")
        elif now >= self._wait_by:
            self._wait_by = math.inf
            self._lapsed = True
            self.wake()
        return math.inf if self._over else min(self._total_by, quiet_by, self._wait_by)

    def _await_upstream(self, limit_s: float, kind: type[UpstreamError]) -> None:
        self._quiet_limit_s, self._quiet_kind = limit_s, kind
        self._quiet_since = self._loop.time()
        self._link.watch(min(self._quiet_since + limit_s, self._total_by))

    def _open(self) -> None:
        parser = self._parser
        encoding = parser.header(b"content-encoding")
        try:
            self._decoder = None if encoding is None else body_decoder(encoding)
        except DecodeError as error:
            raise FramingBroken(f"{self._peer}: {error}", response_started=True) from None
        hidden = {b"content-encoding", b"content-length"} if self._decoder else {b"content-encoding"}
        self.status = parser.status
        self.headers = [pair for pair in parser.headers if pair[0] not in hidden]
        self._answered = True
        self._await_upstream(self._timeouts.idle_s, IdleTimeout)

    def _take(self) -> bytes:
        """What there is, decoded; b"" for nothing yet."""
        if self._decoder is None:
            return self._take_raw()
        try:
            piece = self._next_piece(self._decoder)
        except DecodeError as error:
            self._fail(FramingBroken, f"did not keep its word: {error}")
            return b""
        self._decoded += len(piece)
        if self._decoded > self._decoded_limit:
            self._pieces = iter(())
            self._fail(BodyTooLarge, f"sent a body over {self._decoded_limit} bytes when decoded")
            return b""
        if not piece and self._over and not self._decoder.whole:
            self._fail(FramingBroken, "ended its body before the content-encoding was complete")
        return piece

    def _next_piece(self, decoder: BodyDecoder) -> bytes:
        while not (piece := next(self._pieces, b"")):
            raw = self._take_raw()
            if not raw:
                return b""
            self._pieces = (piece for piece in decoder.feed(raw) if piece)
        return piece

    def _take_raw(self) -> bytes:
        data = self._parser.take()
        if self._paused:
            self._paused = False
            self._quiet_since = self._loop.time()
            if not self._over:
                self._link.watch(self._quiet_since + self._quiet_limit_s)
                self._link.resume_reading()
        return data

    def _fail(self, kind: type[UpstreamError], what: str) -> None:
        """End with this fault, unless there is one already. The connection is closed if it still is ours."""
        if self._failure is None:
            self._failure = kind(f"{self._peer} {what}", response_started=self.response_started)
        if not self._over:
            self._over = True
            self._link.close()
            self._parser.let_go()
        self.wake()
