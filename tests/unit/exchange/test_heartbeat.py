"""Keep-alives while nothing at all has come from the upstream."""

import asyncio

from anykey.exchange.heartbeat import Heartbeats
from anykey.exchange.ports import Headers

HEADERS: Headers = ((b"content-type", b"text/event-stream"),)
BEAT = b": keep-alive\n\n"


class Listener:
    """A client's end of a Reply: notes what it was sent; while `free` is not set a write waits, as on a full socket."""

    def __init__(self) -> None:
        self.started = False
        self.gone = False
        self.heard: list[object] = []
        self.free = asyncio.Event()
        self.free.set()

    async def start(self, status: int, headers: Headers) -> None:
        self.started = True
        self.heard.append((status, headers))

    async def write(self, data: bytes) -> None:
        await self.free.wait()
        self.heard.append(data)

    async def end(self) -> None:
        self.heard.append("end")

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        self.heard.append((status, headers, body))


async def test_an_upstream_that_answers_in_time_costs_no_byte() -> None:
    listener = Listener()
    beats = Heartbeats(listener, HEADERS, BEAT, 0.02)
    await beats.stop()
    await asyncio.sleep(0.05)
    assert listener.heard == []


async def test_the_reply_is_started_once_and_then_beats() -> None:
    listener = Listener()
    beats = Heartbeats(listener, HEADERS, BEAT, 0.02)
    await asyncio.sleep(0.09)
    await beats.stop()
    assert listener.heard[0] == (200, HEADERS)
    assert 2 <= len(listener.heard[1:]) <= 4
    assert set(listener.heard[1:]) == {BEAT}


async def test_a_reply_that_another_attempt_started_goes_on() -> None:
    listener = Listener()
    listener.started = True
    beats = Heartbeats(listener, HEADERS, BEAT, 0.01)
    await asyncio.sleep(0.03)
    await beats.stop()
    assert set(listener.heard) == {BEAT}


async def test_nothing_is_written_after_stop() -> None:
    listener = Listener()
    beats = Heartbeats(listener, HEADERS, BEAT, 0.01)
    await asyncio.sleep(0.03)
    await beats.stop()
    heard = len(listener.heard)
    await asyncio.sleep(0.04)
    assert len(listener.heard) == heard


async def test_stop_does_not_wait_for_a_client_that_does_not_read() -> None:
    listener = Listener()
    listener.free.clear()
    beats = Heartbeats(listener, HEADERS, BEAT, 0.01)
    await asyncio.sleep(0.03)
    async with asyncio.timeout(0.5):
        await beats.stop()
    assert listener.heard == [(200, HEADERS)]


async def test_cancel_leaves_no_task_behind() -> None:
    listener = Listener()
    beats = Heartbeats(listener, HEADERS, BEAT, 0.01)
    await asyncio.sleep(0.03)
    beats.cancel()
    await asyncio.sleep(0.01)
    assert asyncio.all_tasks() == {asyncio.current_task()}
