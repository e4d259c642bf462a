"""Relays a stream to the client: one loop, whether the stream is verbatim or translated.

Lifecycle frames are held until real content came; until then nothing is promised, and the attempt may still fail and leave the
client to another deployment. After it nothing is retried and nothing is invented: a broken upstream becomes one in-band error.
"""

from __future__ import annotations

from anykey.conversation.failures import Failure
from anykey.exchange.costing import cost_comment
from anykey.exchange.crossing import Pipe
from anykey.exchange.exchange import Exchange
from anykey.exchange.gateway import Gateway
from anykey.exchange.mishaps import EVENT_END, AttemptFailed, network_failure
from anykey.exchange.ports import Chunks, Headers, Reply
from anykey.exchange.secrecy import concealed
from anykey.upstream.failures import UpstreamError

HELD_LIMIT = 256 * 1024
"""Lifecycle frames held before content, in bytes; an upstream that sends more has begun to answer."""

TAIL_WAIT_S = 5.0
"""After the end of an answer was heard, how long its upstream may take to close: usage may still follow, a keep-alive not."""


HEAD_BYTES = 64
_EVENTS = (b"data:", b"event:", b"id:", b"retry:", b":", b"[", b"{")


def may_be_events(head: bytes) -> bool:
    """A stream that begins so, or with nothing, is one of a model; one that begins with other words is somebody else's."""
    text = head.lstrip(b"\0\1\2\3\4\5\6\7\xef\xbb\xbf \t\r\n")  # the marks of a fan, and a byte order mark
    return not text or text.startswith(_EVENTS)


class StreamRelay:
    """One answer's stream on its way to ``reply``. ``headers`` start the reply, ``provider`` is named in failures."""

    def __init__(self, exchange: Exchange, pipe: Pipe, reply: Reply, headers: Headers, gateway: Gateway) -> None:
        self._exchange = exchange
        self._pipe = pipe
        self._reply = reply
        self._headers = headers
        self._gateway = gateway
        self._committed = False
        self._held: list[bytes] = []
        self._held_size = 0
        self._heard = b""
        self._noted = False

    async def run(self, upstream: Chunks, provider: str) -> None:
        """Relay to the end. AttemptFailed: nothing was relayed and another deployment may try."""
        try:
            await self._pump(upstream)
        except UpstreamError as error:
            await self._break_off(network_failure(error, provider))
        finally:
            self._note()

    def _note(self) -> None:
        """Write down what was heard; once, for what is made of it must stand."""
        if not self._noted:
            self._noted = True
            self._pipe.settle(self._exchange)
            self._exchange.complete = self._pipe.complete

    async def _pump(self, upstream: Chunks) -> None:
        pipe, reply, interval_s = self._pipe, self._reply, self._gateway.keepalive_s
        while True:
            chunk = await self._next_chunk(upstream, interval_s)
            if chunk is None:
                await self._keep_alive()
                continue
            self._heard = self._heard or chunk[:HEAD_BYTES]
            out = pipe.feed(chunk) if chunk else pipe.close()
            if pipe.failure is not None:
                await self._tell_failure(out, pipe.failure)
                return
            if not self._committed:
                await self._hold(out, last=not chunk)
            elif out:
                await reply.write(out)
            if not chunk:
                await self._tell_cost()
                await reply.end()
                return

    async def _next_chunk(self, upstream: Chunks, interval_s: float) -> bytes | None:
        """What came next; None after a silence. A whole answer ends however its connection ends, or when nothing follows."""
        if not self._pipe.complete:
            return await upstream.next_chunk(interval_s)
        try:
            return await upstream.next_chunk(TAIL_WAIT_S) or b""
        except UpstreamError:
            return b""

    async def _hold(self, out: bytes, *, last: bool) -> None:
        """Keep lifecycle frames back until there is content to commit to."""
        self._held.append(out)
        self._held_size += len(out)
        pipe = self._pipe
        if not (pipe.content or pipe.complete or last or self._held_size > HELD_LIMIT):
            return
        self._committed = True
        if pipe.content:
            self._exchange.first_token_at = self._gateway.monotonic()
            if self._exchange.on_content is not None:
                self._exchange.on_content()
        await self._start()
        held, self._held = b"".join(self._held), []
        if held:
            await self._reply.write(held)

    async def _start(self) -> None:
        self._exchange.status = 200
        if not self._reply.started:
            await self._reply.start(200, self._headers)

    async def _keep_alive(self) -> None:
        if self._pipe.may_beat():
            await self._start()
            await self._reply.write(self._pipe.beat())

    async def _tell_cost(self) -> None:
        self._note()
        told = cost_comment(self._exchange, self._gateway)
        if told:
            await self._reply.write(told)

    async def _tell_failure(self, out: bytes, failure: Failure) -> None:
        """The stream itself told of a failure, or ended too early; ``out`` holds the in-band error in the client's protocol."""
        if not self._committed:
            failed = AttemptFailed(failure)
            failed.unknown = not self._pipe.refused and may_be_events(self._heard)
            raise failed
        exchange = self._exchange
        exchange.failure = failure
        await self._reply.write(out if exchange.step is None else concealed(out, exchange.step))
        await self._reply.end()

    async def _break_off(self, failure: Failure) -> None:
        """The connection failed under the stream."""
        if not self._committed:
            failed = AttemptFailed(failure)
            failed.unknown = True
            raise failed
        exchange = self._exchange
        exchange.failure = failure
        ending = b"" if self._pipe.may_beat() else EVENT_END
        await self._reply.write(ending + exchange.codec.encode_stream_failure(failure, exchange.request_id))
        await self._reply.end()
