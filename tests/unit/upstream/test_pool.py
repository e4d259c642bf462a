"""Which idle connection is given, which goes, and that none is forgotten."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from anykey.upstream.connection import Connection
from anykey.upstream.lane import Lane
from anykey.upstream.pool import Pool

LANE, OTHER = Lane("http", "a.test", 80, None), Lane("http", "b.test", 80, None)


@pytest.fixture
def sockets() -> Iterator[list[socket.socket]]:
    """Ends of socket pairs, closed after the test."""
    made: list[socket.socket] = []
    yield made
    for sock in made:
        sock.close()


async def _open(pool: Pool, sockets: list[socket.socket], lane: Lane = LANE) -> Connection:
    near, far = socket.socketpair()
    sockets += [near, far]
    _, connection = await asyncio.get_running_loop().create_connection(lambda: Connection(pool, lane), sock=near)
    return connection


async def test_last_in_first_out_within_a_lane(sockets: list[socket.socket]) -> None:
    pool = Pool(max_idle=9, idle_ttl_s=50, max_age_s=300)
    first, second = await _open(pool, sockets), await _open(pool, sockets)
    elsewhere = await _open(pool, sockets, OTHER)
    for connection in (first, second, elsewhere):
        until = pool.keep(connection)
        assert until is not None
        assert 49 < until - asyncio.get_running_loop().time() <= 50
    assert pool.idle_count == 3
    assert [pool.take(LANE) for _ in range(3)] == [second, first, None]
    assert pool.idle_count == 1
    assert pool.open == {first, second, elsewhere}
    pool.close()
    assert pool.open == set()
    assert pool.idle_count == 0
    assert first.closed


async def test_the_oldest_of_all_lanes_makes_room(sockets: list[socket.socket]) -> None:
    pool = Pool(max_idle=1, idle_ttl_s=50, max_age_s=300)
    first, second = await _open(pool, sockets), await _open(pool, sockets, OTHER)
    pool.keep(first)
    pool.keep(second)
    assert first.closed
    assert pool.take(LANE) is None
    assert pool.take(OTHER) is second
    pool.close()


async def test_a_closed_or_old_connection_is_not_given(sockets: list[socket.socket]) -> None:
    pool = Pool(max_idle=9, idle_ttl_s=50, max_age_s=0.05)
    closed, old = await _open(pool, sockets), await _open(pool, sockets)
    pool.keep(closed)
    pool.keep(old)
    closed.close()
    assert pool.idle_count == 1
    await asyncio.sleep(0.06)
    assert pool.take(LANE) is None
    assert old.closed
    assert pool.open == set()


async def test_a_pool_may_keep_nothing(sockets: list[socket.socket]) -> None:
    pool = Pool(max_idle=0, idle_ttl_s=50, max_age_s=300)
    connection = await _open(pool, sockets)
    assert pool.keep(connection) is None
    connection.close()
