"""Several upstream calls for one client call: ``n`` answers from an upstream that gives one at a time.

All calls are made at once, and one that fails fails them all. To the journey they look like one reply (``Fan``): the first byte
of each of its chunks says whose it is, an empty rest that this one has ended; its body is a list of the bodies. The crossing
that asked for copies is the one that can read it (``FannedDecoder``, ``unpack_bodies``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from anykey.conversation import events as ev
from anykey.conversation.losses import Loss
from anykey.conversation.merging import StreamMerger
from anykey.protocols.codec import StreamDecoder
from anykey.upstream.client import Reply as UpstreamReply
from anykey.upstream.client import UpstreamClient
from anykey.upstream.failures import UpstreamError
from anykey.upstream.records import Asker, Call

MOST_COPIES = 8

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[bytes]).decode


class Fan:
    """Several replies as one. One that refused stands for all: then it is the only one."""

    def __init__(self, replies: list[UpstreamReply]) -> None:
        self._replies = replies
        self._waiting: asyncio.Queue[bytes | UpstreamError] = asyncio.Queue(len(replies))
        self._readers: list[asyncio.Task[None]] = []
        self._open = len(replies)
        self.status = replies[0].status
        self.headers = replies[0].headers
        self.retried = any(reply.retried for reply in replies)

    def header(self, name: bytes) -> bytes | None:
        """The first reply's header of that name."""
        return self._replies[0].header(name)

    async def read(self, limit: int) -> bytes:
        """All bodies, each within ``limit``, as ``unpack_bodies`` reads them; of a refusal its body itself."""
        if len(self._replies) == 1:
            return await self._replies[0].read(limit)
        return _pack(await asyncio.gather(*(reply.read(limit) for reply in self._replies)))

    async def next_chunk(self, wait_s: float | None = None) -> bytes | None:
        """What any of the replies said next, as the module tells; b"" after the last. None: all were silent for ``wait_s``."""
        if not self._readers:
            create = asyncio.get_running_loop().create_task
            self._readers = [create(self._read_one(source)) for source in range(len(self._replies))]
        if not self._open:
            return b""
        try:
            async with asyncio.timeout(wait_s):
                said = await self._waiting.get()
        except TimeoutError:
            return None
        if isinstance(said, UpstreamError):
            raise said
        self._open -= len(said) == 1
        return said

    def abort(self) -> None:
        """Close every connection whose body is not complete."""
        for reader in self._readers:
            reader.cancel()
        for reply in self._replies:
            reply.abort()

    async def _read_one(self, source: int) -> None:
        mark = bytes((source,))
        try:
            while chunk := await self._replies[source].next_chunk():
                await self._waiting.put(mark + chunk)
            await self._waiting.put(mark)
        except UpstreamError as error:
            await self._waiting.put(error)


class _Copy:
    """The asker of one copy: as soon as any of them is written, the call is."""

    __slots__ = ("_asker",)

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    @property
    def asking(self) -> bool:
        return self._asker.asking

    @asking.setter
    def asking(self, written: bool) -> None:
        self._asker.asking |= written


async def send_all(client: UpstreamClient, call: Call, copies: int, asker: Asker) -> Fan:
    """Make ``call`` so many times at once; ``asker`` is told when any of them is written. UpstreamError: one of them failed, and
    the others were given up."""
    tasks = [asyncio.create_task(client.send(call, _Copy(asker))) for _ in range(copies)]
    kept: list[asyncio.Task[UpstreamReply]] = []
    try:
        for done in asyncio.as_completed(tasks):
            reply = await done
            if not 200 <= reply.status < 300:
                kept = [task for task in tasks if task.done() and not task.exception() and task.result() is reply]
                return Fan([reply])
        kept = tasks
        return Fan([task.result() for task in tasks])
    finally:
        for task in tasks:
            if task not in kept:
                task.cancel()
                task.add_done_callback(_let_go)


def _let_go(task: asyncio.Task[UpstreamReply]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().abort()


def unpack_bodies(body: bytes) -> list[bytes]:
    """The bodies that ``Fan.read`` packed."""
    return _unpack(body)


class FannedDecoder:
    """Reads the chunks of a ``Fan``: each source has a decoder of its own, and their streams become one."""

    __slots__ = ("_decoders", "_merger", "losses")

    def __init__(self, make: Callable[[], StreamDecoder], sources: int) -> None:
        self._decoders = [make() for _ in range(sources)]
        self._merger = StreamMerger(sources)
        self.losses: list[Loss] = []

    def feed(self, data: bytes) -> list[ev.StreamEvent]:
        source = data[0]
        decoder = self._decoders[source]
        events = decoder.feed(data[1:]) if len(data) > 1 else decoder.close()
        return self._merger.feed(source, events)

    def close(self) -> list[ev.StreamEvent]:
        """Every source was closed by its own mark; their losses are gathered."""
        self.losses += [loss for decoder in self._decoders for loss in decoder.losses]
        return []
