"""Streams by a client of our own: C connections, each taking R whole streams one after the other.

The work is fixed rather than the time, so no stream is cut off and the CPU of a window belongs to a known number of
events. A stream counts only if its status is 200 and its protocol's closing record came.
"""

import asyncio
import statistics
import time
from dataclasses import dataclass, field
from typing import cast

import httptools
import uvloop

from bench.calls import Call
from bench.load import LoadResult

STREAM_TIMEOUT_S = 30.0


@dataclass(slots=True)
class StreamTally:
    """What all connections of a window saw together."""

    whole: int = 0
    failed: int = 0
    reads: int = 0
    events: int = 0
    first_bytes_s: list[float] = field(default_factory=list[float])


class StreamConnection(asyncio.Protocol):
    """One connection; `finished` resolves when it has taken its streams or can take no more."""

    def __init__(self, request: bytes, terminal: bytes, rounds: int, tally: StreamTally) -> None:
        self._request, self._terminal, self._left, self._tally = request, terminal, rounds, tally
        self._sent_at = 0.0
        self._started = False
        self._tail = b""
        self._ended = False
        self.finished = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not derive from asyncio's, so this cannot be an isinstance check.
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._tally.reads += 1
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._stop()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the name is asyncio's
        self._stop()

    def on_body(self, body: bytes) -> None:
        """httptools: a part of the body; records end with an empty line, in LF or, as Google writes it, in CRLF."""
        if not self._started:
            self._started = True
            self._tally.first_bytes_s.append(time.perf_counter() - self._sent_at)
        self._tally.events += (self._tail[-1:] + body).count(b"\n\n")
        self._tally.events += (self._tail[-2:] + body).count(b"\n\r\n")
        joined = self._tail + body
        self._ended = self._ended or self._terminal in joined
        self._tail = joined[-len(self._terminal) :]

    def on_message_complete(self) -> None:
        """httptools: the answer is whole."""
        whole = self._parser.get_status_code() == 200 and self._ended
        self._tally.whole += whole
        self._left -= 1
        if not whole or self._left == 0:
            self._stop(served=whole)
        else:
            self._ask()

    def _ask(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._started, self._ended, self._tail = False, False, b""
        self._sent_at = time.perf_counter()
        self._transport.write(self._request)

    def _stop(self, *, served: bool = False) -> None:
        if not self.finished.done():
            self._tally.failed += not served
            self.finished.set_result(None)
            self._transport.close()


async def take_streams(port: int, call: Call, terminal: bytes, streams: int, rounds: int) -> StreamTally:
    """Opens `streams` connections to 127.0.0.1 and takes `rounds` streams on each; TimeoutError after 30 s."""
    loop = asyncio.get_running_loop()
    tally = StreamTally()
    request = call.wire(f"127.0.0.1:{port}")
    async with asyncio.timeout(STREAM_TIMEOUT_S):
        pairs = [
            await loop.create_connection(lambda: StreamConnection(request, terminal, rounds, tally), "127.0.0.1", port)
            for _ in range(streams)
        ]
        await asyncio.gather(*(connection.finished for _, connection in pairs))
    return tally


def run_streams(port: int, call: Call, terminal: bytes, streams: int, rounds: int) -> LoadResult:
    """One window of streams; `units` are the events that arrived."""
    started = time.perf_counter()
    tally = uvloop.run(take_streams(port, call, terminal, streams, rounds))
    return summary(tally, time.perf_counter() - started)


def summary(tally: StreamTally, duration_s: float) -> LoadResult:
    """The tally as a window of load."""
    first_ms = [second * 1e3 for second in tally.first_bytes_s] or [0.0]
    p99 = statistics.quantiles(first_ms, n=100)[98] if len(first_ms) > 1 else first_ms[0]
    return LoadResult(
        calls=tally.whole,
        units=tally.events,
        duration_s=duration_s,
        latency_ms_p50=statistics.median(first_ms),
        latency_ms_p99=p99,
        failed=tally.failed,
        reads_per_unit=tally.reads / tally.events if tally.events else 0.0,
    )
