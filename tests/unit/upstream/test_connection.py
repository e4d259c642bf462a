"""One connection on one end of a socket pair: its timer, its end, and what it tells its owner."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from anykey.upstream.connection import Connection
from anykey.upstream.failures import ConnectionLost
from anykey.upstream.lane import Lane
from anykey.upstream.records import Call
from anykey.upstream.reply import Reply

LANE = Lane("http", "a.test", 80, None)
CALL = Call("GET", "http://a.test/", ())


class Owner:
    """Remembers what it was told, and keeps every connection for `idle_s`."""

    def __init__(self, idle_s: float | None = 60.0) -> None:
        self.told: list[str] = []
        self._idle_s = idle_s

    def add(self, connection: Connection) -> None:
        self.told.append("add")

    def keep(self, connection: Connection) -> float | None:
        self.told.append("keep")
        return None if self._idle_s is None else asyncio.get_running_loop().time() + self._idle_s

    def forget(self, connection: Connection) -> None:
        self.told.append("forget")


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Our end and the upstream's."""
    near, far = socket.socketpair()
    for sock in (near, far):
        sock.setblocking(False)
    yield near, far
    near.close()
    far.close()


@pytest.fixture
def far(pair: tuple[socket.socket, socket.socket]) -> socket.socket:
    """The upstream's end."""
    return pair[1]


@pytest.fixture
def near(pair: tuple[socket.socket, socket.socket]) -> socket.socket:
    """Our end, for the connection."""
    return pair[0]


async def _connect(near: socket.socket, owner: Owner) -> Connection:
    _, connection = await asyncio.get_running_loop().create_connection(lambda: Connection(owner, LANE), sock=near)
    return connection


def _reply(connection: Connection) -> Reply:
    return Reply(connection, CALL, LANE.peer, asyncio.get_running_loop().time() + 60, 1 << 20)


async def _closed(far: socket.socket) -> bool:
    async with asyncio.timeout(1):
        return await asyncio.get_running_loop().sock_recv(far, 100) == b""


async def test_a_whole_exchange_is_kept_until_it_is_closed_once(near: socket.socket, far: socket.socket) -> None:
    owner = Owner()
    connection = await _connect(near, owner)
    exchange = asyncio.create_task(connection.exchange(b"GET / HTTP/1.1\r\n\r\n", b"body", reply := _reply(connection)))
    assert await asyncio.get_running_loop().sock_recv(far, 100) == b"GET / HTTP/1.1\r\n\r\nbody"
    await asyncio.get_running_loop().sock_sendall(far, b"HTTP/1.1 204 No Content\r\n\r\n")
    await exchange
    assert reply.status == 204
    assert connection.usable
    assert owner.told == ["add", "keep"]
    connection.close()
    connection.close()
    assert not connection.usable
    assert owner.told == ["add", "keep", "forget"]
    assert await _closed(far)


@pytest.mark.parametrize("idle_s", [None, 0.05])
async def test_it_idles_no_longer_than_its_owner_says(
    near: socket.socket, far: socket.socket, idle_s: float | None
) -> None:
    connection = await _connect(near, Owner(idle_s))
    exchange = asyncio.create_task(connection.exchange(b"GET / HTTP/1.1\r\n\r\n", b"", _reply(connection)))
    await asyncio.get_running_loop().sock_recv(far, 100)
    await asyncio.get_running_loop().sock_sendall(far, b"HTTP/1.1 204 No Content\r\n\r\n")
    await exchange
    assert connection.closed == (idle_s is None)
    assert await _closed(far)
    assert connection.closed


async def test_closing_ends_the_call_that_is_under_way(near: socket.socket, far: socket.socket) -> None:
    connection = await _connect(near, Owner())
    exchange = asyncio.create_task(connection.exchange(b"GET / HTTP/1.1\r\n\r\n", b"", _reply(connection)))
    await asyncio.get_running_loop().sock_recv(far, 100)
    connection.close()
    with pytest.raises(ConnectionLost):
        await exchange
    with pytest.raises(ConnectionLost):
        await connection.exchange(b"GET / HTTP/1.1\r\n\r\n", b"", _reply(connection))


async def test_the_timer_is_moved_to_earlier_times_only(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    set_to: list[float] = []

    class Loop:
        """The running loop, and a note of each timer set."""

        def call_at(self, when: float, *rest: Any) -> asyncio.TimerHandle:
            set_to.append(when)
            return loop.call_at(when, *rest)

        def __getattr__(self, name: str) -> Any:
            return getattr(loop, name)

    with monkeypatch.context() as patch:
        patch.setattr(asyncio, "get_running_loop", Loop)
        connection = Connection(Owner(), LANE)
    now = loop.time()
    for after in (50.0, 60.0, 50.0, 15.0, 15.1, 40.0):
        connection.watch(now + after)
    assert set_to == [now + 50.0, now + 15.0]
    connection.close()
    connection.watch(now + 1.0)
    assert len(set_to) == 2
