"""Keep-alives while an upstream has not even answered with headers.

Most calls never need one, so all they cost is a timer that is cancelled. When it fires the reply is started (status 200: from
now on a failure can only be told in-band) and a keep-alive is written every ``interval_s`` until ``stop``.
"""

from __future__ import annotations

import asyncio

from anykey.exchange.ports import Headers, Reply


class Heartbeats:
    """Keeps one streaming client company. ``stop`` must be awaited before anything else is written to ``reply``."""

    __slots__ = ("_beat", "_headers", "_interval_s", "_reply", "_task", "_timer")

    def __init__(self, reply: Reply, headers: Headers, beat: bytes, interval_s: float) -> None:
        self._reply = reply
        self._headers = headers
        self._beat = beat
        self._interval_s = interval_s
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(interval_s, self._begin)

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while True:
            if not self._reply.started:
                await self._reply.start(200, self._headers)
            await self._reply.write(self._beat)
            await asyncio.sleep(self._interval_s)

    def cancel(self) -> None:
        """No further beat begins; a beat being written is given up. For ways out that write nothing more."""
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    async def stop(self) -> None:
        """No further beat is written after this."""
        self.cancel()
        if self._task is not None:
            await asyncio.wait((self._task,))
