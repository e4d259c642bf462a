"""One cell of the matrix: a conversation between a client of one protocol and an upstream of another."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from tests.conformance.matrix.laboratory import LISTENERS, Laboratory
from tests.conformance.matrix.spoken import Answer, Ask, Fault, Heard, Told, joined
from tests.fakes.answers import MODEL
from tests.fakes.wire import RecordedCall, Script, WireConnection, WireServer

WAIT_S = 5


class Cell:
    """What a feature does in each cell: ``say`` turns, compare what was ``heard``, and mark what the cell is about with
    ``carries``."""

    def __init__(self, lab: Laboratory, client: str, upstream: str, *, stream: bool) -> None:
        self.lab = lab
        self.client = client
        self.upstream = upstream
        self.stream = stream
        self.short: list[str] = []
        """What did not arrive as it was said."""
        self._speaker = lab.speaker(client, upstream, stream=stream)
        self._listener = LISTENERS[upstream]
        self._began_ms = int(time.time() * 1000)
        self._turns = 0
        self.server.errors.clear()

    @property
    def server(self) -> WireServer:
        return self.lab.upstreams[self.upstream]

    @property
    def heard(self) -> Heard:
        """The last request that reached the upstream."""
        call = self.server.calls[-1]
        heard = self._listener.heard(call.target, call.json())
        assert heard.model == MODEL
        heard.items = joined(heard.items)
        return heard

    async def say(self, ask: Ask, answer: Answer) -> Told:
        """One turn: the upstream says ``answer`` in the form it is asked for, which is the client's."""
        before = len(self.server.calls)
        self.server.script = self._answering(answer)
        self._turns += 1
        try:
            told = await self._speaker.say(ask)
        finally:
            for error in self.server.errors:
                raise error
        assert len(self.server.calls) == before + 1
        assert self.heard.stream == self.stream
        return told

    async def fails(self, ask: Ask, script: Script) -> Fault:
        """One turn that goes wrong upstream: what the caller sees of it."""
        self.server.script = script
        self._turns += 1
        try:
            told = await self._speaker.say(ask)
        except Exception as error:  # noqa: BLE001 - the speaker says which errors are its SDK's
            return self._speaker.fault(error)
        raise AssertionError(f"the SDK raised nothing and told {told}")

    async def count(self, ask: Ask, tokens: int) -> int:
        """Ask for a count; the upstream, if it is asked, says ``tokens``."""

        async def script(_: RecordedCall, connection: WireConnection) -> None:
            await connection.json(200, self._listener.counted(tokens))

        self.server.script = script
        return await self._speaker.count(ask)

    @asynccontextmanager
    async def asking(self, ask: Ask, script: Script) -> AsyncGenerator[asyncio.Task[Told]]:
        """A turn that is on its way; it is given up at the end."""
        self.server.script = script
        task = asyncio.create_task(self._speaker.say(ask))
        self._turns += 1
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait([task])

    def carries(self, what: str, got: Any, wanted: Any) -> None:
        """The point of the cell. Where the crossing cannot carry it, it must be seen not to."""
        if got != wanted:
            self.short.append(f"{what}: {got!r}, not {wanted!r}")

    async def losses(self) -> set[str]:
        """The codes of all losses of this cell's turns, as the usage rows keep them."""
        rows = await self.lab.rows(self._began_ms, self._turns)
        assert len(rows) == self._turns
        return {code for row in rows for code in row.losses}

    def failure(self, status: int, message: str) -> Script:
        """The upstream refuses."""

        async def script(_: RecordedCall, connection: WireConnection) -> None:
            await connection.json(status, self._listener.failure(status, message), [("retry-after", "0")])

        return script

    def breaking(self, answer: Answer, message: str) -> Script:
        """The upstream breaks off in the middle of ``answer``: it says so in a stream; a whole answer just ends too early."""

        async def script(_: RecordedCall, connection: WireConnection) -> None:
            if self.stream:
                told = self._listener.stream(answer)
                await connection.sse_start()
                await connection.sse(*told[: _half(told, answer)])
                await connection.sleep(0.05)  # until then another upstream could still be asked
                await connection.sse(self._listener.broken(message))
                await connection.sse_end()
                return
            await connection.head(200, [("content-type", "application/json"), ("content-length", "4000")])
            await connection.write(b'{"id": "7", ')
            connection.close()

        return script

    def lingering(self, answer: Answer, begun: asyncio.Event, gone: asyncio.Future[float | None]) -> Script:
        """The upstream begins ``answer`` and waits for the client to leave."""

        async def script(_: RecordedCall, connection: WireConnection) -> None:
            if self.stream:
                told = self._listener.stream(answer)
                await connection.sse_start()
                await connection.sse(*told[: _half(told, answer)])
            begun.set()
            gone.set_result(await connection.client_gone(WAIT_S))

        return script

    def _answering(self, answer: Answer) -> Script:
        async def script(_: RecordedCall, connection: WireConnection) -> None:
            if not self.stream:
                await connection.json(200, self._listener.whole(answer))
                return
            await connection.sse_start()
            await connection.sse(*self._listener.stream(answer))
            await connection.sse_end()

        return script


def _half(told: list[str], answer: Answer) -> int:
    """How many events of a stream there are until its text has begun."""
    half = answer.text[: len(answer.text) // 2]
    return next(index for index, event in enumerate(told) if half in event) + 1
