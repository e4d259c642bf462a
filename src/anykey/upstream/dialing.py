"""From a host to an open connection: name, TCP, proxy tunnel, TLS, all within one budget.

Law: the name never blocks the loop, TLS never goes unverified, and nothing is left open when a step fails. The tunnel is
asked for on the bare socket before any transport exists, so that TLS begins the same way on every event loop.
"""

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import certifi

from anykey.routing.hosts import is_public_address
from anykey.upstream.connection import Connection
from anykey.upstream.failures import ConnectFailed, ConnectTimeout, NameNotResolved, ProxyFailed, TlsFailed
from anykey.upstream.lane import Lane
from anykey.upstream.proxy import Proxy

_MAX_TUNNEL_HEAD = 64 * 1024
_Address = tuple[int, int, int, str, Any]


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Trust in the system's roots, certifi's, and those of `ca_file` (PEM); OSError when it cannot be read."""
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=certifi.where())
    if ca_file is not None:
        context.load_verify_locations(cafile=str(ca_file))
    context.set_alpn_protocols(["http/1.1"])
    return context


async def dial(lane: Lane, make: Callable[[], Connection], tls: ssl.SSLContext, budget_s: float) -> Connection:
    """An open connection on this lane. Raises the UpstreamError of the step that failed."""
    peer = lane.peer if lane.proxy is None else lane.proxy.peer
    try:
        async with asyncio.timeout(budget_s):
            sock = await _connect(lane.proxy or lane, peer, budget_s, public_only=lane.public_only)
            try:
                if lane.proxy is not None and lane.scheme == "https":
                    await _open_tunnel(sock, lane, lane.proxy)
                return await _hand_over(sock, lane, make, tls)
            except BaseException:
                sock.close()
                raise
    except TimeoutError:
        text = f"no connection to {lane.peer} within {budget_s:g} s"
        raise ConnectTimeout(text, response_started=False) from None


async def _connect(host: Lane | Proxy, peer: str, budget_s: float, *, public_only: bool = False) -> socket.socket:
    """A TCP connection to the first address that accepts one; each address has its share of the time that is left.
    `public_only` looks at the very addresses that are connected to: a second look-up of the name could tell others."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + budget_s
    addresses = await _resolve(host.host, host.port, peer)
    if public_only:
        addresses = [address for address in addresses if is_public_address(str(address[4][0]))]
        if not addresses:
            raise ConnectFailed(f"{peer} is not a host of the public internet", response_started=False)
    failure: OSError | None = None
    for done, address in enumerate(addresses):
        share_s = (deadline - loop.time()) / (len(addresses) - done)
        try:
            async with asyncio.timeout(share_s):
                return await _connect_to(address)
        except OSError as error:  # TimeoutError is one
            failure = error
    if isinstance(failure, TimeoutError):
        raise failure
    # The loops word an OSError differently, and with the address; the number means the same on both.
    reason = os.strerror(failure.errno) if failure is not None and failure.errno else "no address accepts it"
    raise ConnectFailed(f"no connection to {peer}: {reason}", response_started=False)


async def _resolve(host: str, port: int, peer: str) -> list[_Address]:
    numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    with contextlib.suppress(socket.gaierror, UnicodeError):
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=numeric))
    try:
        return list(await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except (socket.gaierror, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a host name"
        raise NameNotResolved(f"no address for {peer}: {reason}", response_started=False) from None


async def _connect_to(address: _Address) -> socket.socket:
    family, kind, protocol, _, where = address
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, where)
    except BaseException:
        sock.close()
        raise
    return sock


async def _open_tunnel(sock: socket.socket, lane: Lane, proxy: Proxy) -> None:
    loop = asyncio.get_running_loop()
    host = f"[{lane.host}]" if ":" in lane.host else lane.host
    where = f"{host}:{lane.port}".encode()
    await loop.sock_sendall(sock, b"CONNECT %b HTTP/1.1\r\nhost: %b\r\n%b\r\n" % (where, where, proxy.header))
    head = b""
    while b"\r\n\r\n" not in head:
        data = await loop.sock_recv(sock, 4096)
        head += data
        if not data or len(head) > _MAX_TUNNEL_HEAD:
            raise ProxyFailed(f"{proxy.peer} did not answer in HTTP/1.1", response_started=False)
    status = head.split(b"\r\n", 1)[0].split(b" ")[1:2]
    if not head.startswith(b"HTTP/1.") or not head.endswith(b"\r\n\r\n") or not status or not status[0].isdigit():
        raise ProxyFailed(f"{proxy.peer} did not answer in HTTP/1.1", response_started=False)
    if not status[0].startswith(b"2"):
        text = f"{proxy.peer} answered {status[0].decode()} to a tunnel to {lane.peer}"
        raise ProxyFailed(text, response_started=False)


async def _hand_over(
    sock: socket.socket, lane: Lane, make: Callable[[], Connection], tls: ssl.SSLContext
) -> Connection:
    loop = asyncio.get_running_loop()
    if lane.scheme != "https":
        _, connection = await loop.create_connection(make, sock=sock)
        return connection
    try:
        _, connection = await loop.create_connection(make, sock=sock, ssl=tls, server_hostname=lane.host)
    except ssl.SSLCertVerificationError as error:
        text = f"the certificate of {lane.peer} is not accepted: {error.verify_message}"
        raise TlsFailed(text, response_started=False) from None
    except ssl.SSLError as error:
        text = f"no TLS with {lane.peer}: {error.reason or 'the handshake failed'}"
        raise TlsFailed(text, response_started=False) from None
    except TimeoutError:
        raise
    except OSError:
        text = f"{lane.peer} closed the connection in the TLS handshake"
        raise TlsFailed(text, response_started=False) from None
    return connection
