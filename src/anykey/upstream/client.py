"""The client: a Call goes out, a Reply comes back.

Law: a call is written a second time in one case only, a kept-alive connection that ended before the first byte of a
response, and then on a new connection.
"""

import asyncio
from pathlib import Path

from anykey.upstream.connection import Connection
from anykey.upstream.dialing import dial, tls_context
from anykey.upstream.failures import ConnectionLost, ProxyFailed, UpstreamError
from anykey.upstream.lane import Lane
from anykey.upstream.pool import Pool
from anykey.upstream.proxy import Proxy, ProxySettings
from anykey.upstream.records import Asker, Call, Nobody
from anykey.upstream.reply import Reply
from anykey.upstream.request import Target, head_end, head_start, parse_target

_MAX_ROUTES = 1024
_NOBODY = Nobody()


class UpstreamClient:
    """Sends calls, on one event loop, over connections it keeps.

    `ca_file` (PEM) is trusted besides the system's and certifi's roots. `decoded_limit` bounds, in bytes, a body that
    comes compressed. At most `max_idle` connections wait for another call, each for `idle_ttl_s` seconds, and none is used
    again after `max_age_s`, so that a changed DNS answer is followed.
    """

    def __init__(
        self,
        *,
        ca_file: Path | None = None,
        proxies: ProxySettings | None = None,
        decoded_limit: int = 64 * 1024 * 1024,
        max_idle: int = 256,
        idle_ttl_s: float = 50.0,
        max_age_s: float = 300.0,
    ) -> None:
        self._tls = tls_context(ca_file)
        self._proxies = proxies or ProxySettings()
        self._decoded_limit = decoded_limit
        self._pool = Pool(max_idle=max_idle, idle_ttl_s=idle_ttl_s, max_age_s=max_age_s)
        self._lanes: dict[tuple[str, str, int], Lane] = {}
        self._public_lanes: dict[tuple[str, str, int], Lane] = {}
        self._routes: dict[str, tuple[Target, Lane]] = {}
        self._heads: dict[tuple[object, ...], bytes] = {}
        self._closed = False

    @property
    def open_count(self) -> int:
        """How many connections are open."""
        return len(self._pool.open)

    @property
    def idle_count(self) -> int:
        """How many of them wait for a call."""
        return self._pool.idle_count

    async def send(self, call: Call, asker: Asker = _NOBODY) -> Reply:
        """Send a call, and return when the status and headers of its response are there. ``asker`` is told when it is written.

        Raises UpstreamError, or ValueError for a call that cannot be written. When this is cancelled, or the reply
        aborted, the connection is closed.
        """
        if self._closed:
            raise RuntimeError("the upstream client is closed")
        target, lane = self._public_route(call.url) if call.public_only else self._route(call.url)
        proxy = lane.proxy if lane.scheme == "http" else None
        head = self._head_start(call, target, proxy) + head_end(call)
        total_by = asyncio.get_running_loop().time() + call.timeouts.total_s
        connection = self._pool.take(lane)
        reply = None
        if connection is not None:
            asker.asking = True
            reply = await self._exchange_on_kept(connection, call, head, total_by)
        if reply is None:
            asker.asking = False
            try:
                fresh = await self._dial(lane, call, total_by)
                reply = self._reply(fresh, call, total_by)
                reply.retried = connection is not None
                asker.asking = True
                await fresh.exchange(head, call.body, reply)
            except UpstreamError as error:
                error.retried = connection is not None
                raise
        if proxy is not None and reply.status == 407:
            reply.abort()
            raise ProxyFailed(f"{proxy.peer} wants other credentials", response_started=True)
        return reply

    async def aclose(self) -> None:
        """Close every connection; calls that are under way fail."""
        self._closed = True
        self._pool.close()
        await asyncio.sleep(0)  # transports close in the next turn of the loop

    async def _exchange_on_kept(self, connection: Connection, call: Call, head: bytes, total_by: float) -> Reply | None:
        """The reply, or None when the connection turned out to be dead before it answered anything."""
        reply = self._reply(connection, call, total_by)
        try:
            await connection.exchange(head, call.body, reply)
        except ConnectionLost as lost:
            if lost.response_started or self._closed:
                raise
            return None
        return reply

    async def _dial(self, lane: Lane, call: Call, total_by: float) -> Connection:
        left_s = total_by - asyncio.get_running_loop().time()
        budget_s = min(call.timeouts.connect_s, left_s)
        return await dial(lane, lambda: Connection(self._pool, lane), self._tls, budget_s)

    def _reply(self, connection: Connection, call: Call, total_by: float) -> Reply:
        return Reply(connection, call, connection.lane.peer, total_by, self._decoded_limit)

    def _route(self, url: str) -> tuple[Target, Lane]:
        route = self._routes.get(url)
        if route is None:
            target = parse_target(url)
            if len(self._routes) >= _MAX_ROUTES:
                self._routes.clear()
            route = self._routes[url] = (target, self._lane(target))
        return route

    def _public_route(self, url: str) -> tuple[Target, Lane]:
        """Hosts that callers name have lanes of their own, so that no connection is shared with one made without the check."""
        target = parse_target(url)
        key = (target.scheme, target.host, target.port)
        lane = self._public_lanes.get(key)
        if lane is None:
            if len(self._public_lanes) >= _MAX_ROUTES:
                self._public_lanes.clear()
            lane = self._public_lanes[key] = Lane(*key, None, public_only=True)
        return target, lane

    def _head_start(self, call: Call, target: Target, proxy: Proxy | None) -> bytes:
        """The fixed part of a head: calls to one deployment differ in their bodies only."""
        key = (call.url, call.method, call.decode, call.headers)
        start = self._heads.get(key)
        if start is None:
            start = head_start(call, target, absolute_form=proxy is not None, extra=proxy.header if proxy else b"")
            if len(self._heads) >= _MAX_ROUTES:
                self._heads.clear()
            self._heads[key] = start
        return start

    def _lane(self, target: Target) -> Lane:
        key = (target.scheme, target.host, target.port)
        lane = self._lanes.get(key)
        if lane is None:
            proxy = self._proxies.choose(*key)
            lane = self._lanes[key] = Lane(target.scheme, target.host, target.port, proxy)
        return lane
