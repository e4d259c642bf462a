"""Getting connected: names, addresses, TLS and tunnels, each failing in its own way and in its own time."""

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
import trustme

from anykey.providers.configured import Timeouts
from anykey.upstream import dialing
from anykey.upstream.client import UpstreamClient
from anykey.upstream.failures import (
    ConnectFailed,
    ConnectTimeout,
    NameNotResolved,
    ProxyFailed,
    TlsFailed,
    UpstreamError,
)
from anykey.upstream.proxy import Proxy, ProxySettings
from anykey.upstream.records import Call
from tests.fakes.wire import RecordedCall, WireConnection, WireServer, reply_json

_authority = trustme.CA()


def _server_tls(*names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _authority.issue_cert(*names).configure_cert(context)  # pyright: ignore[reportUnknownMemberType] - it names pyOpenSSL
    return context


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    _authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


async def _get(client: UpstreamClient, url: str, connect_s: float = 5.0) -> bytes:
    reply = await client.send(Call("GET", url, (), b"", Timeouts(connect_s=connect_s)))
    try:
        return await reply.read(1 << 20)
    finally:
        reply.abort()


async def test_refused(client: UpstreamClient, closed_port: int) -> None:
    with pytest.raises(ConnectFailed, match=rf"127\.0\.0\.1:{closed_port}: Connection refused") as caught:
        await _get(client, f"http://127.0.0.1:{closed_port}/")
    assert not caught.value.response_started


async def test_no_such_name(client: UpstreamClient) -> None:
    for host in ("no-such-host.invalid", "a" * 64 + ".test"):
        with pytest.raises(NameNotResolved, match=host):
            await _get(client, f"http://{host}/")


async def test_a_slow_name_is_inside_the_budget_and_does_not_block(
    client: UpstreamClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: Any, **__: Any) -> list[Any]:
        await asyncio.sleep(10)
        return []

    class Loop:
        """The running loop, but for its resolver."""

        getaddrinfo = staticmethod(never)

        def __getattr__(self, name: str) -> Any:
            return getattr(loop, name)

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(dialing.asyncio, "get_running_loop", Loop)
    started = time.monotonic()
    with pytest.raises(ConnectTimeout):
        await dialing.dial(
            dialing.Lane("http", "slow.test", 80, None), _unmade, ssl.create_default_context(), budget_s=0.1
        )
    assert time.monotonic() - started < 0.5


def _unmade() -> Any:
    raise AssertionError("there is no connection to make")


async def test_each_address_has_its_share(client: UpstreamClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async with WireServer(reply_json({})) as server, _full_listener() as full:

        async def resolve(*_: object) -> list[Any]:
            found = [(full, "stuck"), (server.port, "good")]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port, _ in found]

        monkeypatch.setattr(dialing, "_resolve", resolve)
        assert await _get(client, "http://two.test/", connect_s=0.6) == b"{}"
        monkeypatch.undo()
        started = time.monotonic()
        with pytest.raises(ConnectTimeout, match=r"within 0\.2 s"):
            await _get(client, f"http://127.0.0.1:{full}/", connect_s=0.2)
        assert time.monotonic() - started < 1


class _full_listener:  # noqa: N801 - used as a function
    """A port whose queue is full: the system does not answer a new connection."""

    async def __aenter__(self) -> int:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self._waiting: list[socket.socket] = []
        for _ in range(4):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(self._listener.getsockname())
            self._waiting.append(sock)
        return self._listener.getsockname()[1]

    async def __aexit__(self, *_: object) -> None:
        for sock in (self._listener, *self._waiting):
            sock.close()


async def test_tls_with_an_extra_authority(ca_file: Path) -> None:
    client = UpstreamClient(ca_file=ca_file)
    async with WireServer(reply_json({"big": "x" * 300_000}), tls=_server_tls("127.0.0.1")) as server:
        for _ in range(2):
            assert len(await _get(client, server.url + "/v1")) > 300_000
        assert {call.connection for call in server.calls} == {0}
        reply = await client.send(Call("POST", server.url, (), bytes(3_000_000)))
        await reply.read(1 << 20)
        assert len(server.calls[-1].body) == 3_000_000
    await client.aclose()


async def test_tls_stream_abort_is_seen_at_once(ca_file: Path) -> None:
    async def stall(_: RecordedCall, connection: WireConnection) -> None:
        await connection.sse_start()
        await connection.sse("data: 1\n\n")
        assert await connection.client_gone(0.5) is not None

    client = UpstreamClient(ca_file=ca_file)
    async with WireServer(stall, tls=_server_tls("127.0.0.1")) as server:
        reply = await client.send(Call("GET", server.url, ()))
        assert await reply.next_chunk() == b"data: 1\n\n"
        reply.abort()
        await server.connections[0].client_gone(1)
    assert server.calls[0].closed_at is not None
    await client.aclose()


async def test_tls_back_pressure(ca_file: Path) -> None:
    sent = 0

    async def flood(_: RecordedCall, connection: WireConnection) -> None:
        nonlocal sent
        await connection.sse_start()
        for _number in range(500):
            await connection.sse(b"x" * 65_536)
            sent += 65_536
        await connection.sse_end()

    client = UpstreamClient(ca_file=ca_file)
    async with WireServer(flood, tls=_server_tls("127.0.0.1")) as server:
        reply = await client.send(Call("GET", server.url, ()))
        await asyncio.sleep(0.3)
        assert sent < 16 << 20  # what the sockets of the system and TLS hold, and 256 KiB
        assert len(await reply.read(64 << 20)) == 500 * 65_536
        assert client.idle_count == 1
    await client.aclose()


async def test_an_unknown_authority_gets_no_request(client: UpstreamClient) -> None:
    async with WireServer(reply_json({}), tls=_server_tls("127.0.0.1")) as server:
        with pytest.raises(TlsFailed, match=rf"the certificate of 127\.0\.0\.1:{server.port} is not accepted"):
            await _get(client, server.url)
        assert server.calls == []


async def test_a_certificate_for_another_name_gets_no_request(ca_file: Path) -> None:
    client = UpstreamClient(ca_file=ca_file)
    async with WireServer(reply_json({}), tls=_server_tls("other.test")) as server:
        with pytest.raises(TlsFailed, match=r"not accepted.*127\.0\.0\.1"):
            await _get(client, server.url)
        assert server.calls == []
    await client.aclose()


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
async def test_no_tls_at_all(client: UpstreamClient, answer: bytes) -> None:
    async with _Tunnels(0, answer) as plain:
        with pytest.raises(TlsFailed):
            await _get(client, f"https://127.0.0.1:{plain.proxy.port}/")


async def test_a_handshake_that_stalls_is_inside_the_connect_budget(client: UpstreamClient, silent_port: int) -> None:
    started = time.monotonic()
    with pytest.raises(ConnectTimeout):
        await _get(client, f"https://127.0.0.1:{silent_port}/", connect_s=0.2)
    assert time.monotonic() - started < 1
    assert client.open_count == 0


async def test_cancelling_while_connecting_leaves_nothing(client: UpstreamClient, silent_port: int) -> None:
    task = asyncio.create_task(_get(client, f"https://127.0.0.1:{silent_port}/"))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert client.open_count == 0


def test_a_ca_file_that_is_not_there() -> None:
    with pytest.raises(OSError, match="No such file"):
        UpstreamClient(ca_file=Path("/nowhere/ca.pem"))


class _Tunnels:
    """A CONNECT proxy in front of one port, whatever name is asked for; with another answer, a server of that."""

    def __init__(self, port: int, answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n") -> None:
        self._port = port
        self._answer = answer
        self._tasks: list[asyncio.Task[None]] = []
        self.heads: list[bytes] = []

    async def __aenter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.proxy = Proxy("127.0.0.1", self._listener.getsockname()[1], b"Basic bWU6cHc=")
        self.settings = ProxySettings(https=self.proxy)
        self._tasks.append(asyncio.create_task(self._accept()))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._listener.close()

    async def _accept(self) -> None:
        while True:
            sock, _ = await asyncio.get_running_loop().sock_accept(self._listener)
            self._tasks.append(asyncio.create_task(self._serve(*await asyncio.open_connection(sock=sock))))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = [writer]
        try:
            self.heads.append(await (reader.readuntil(b"\r\n\r\n") if self._port else reader.read(1)))
            writer.write(self._answer)
            if self._port and self._answer.startswith(b"HTTP/1.1 200 C"):
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
                writers.append(far_writer)
                await asyncio.gather(self._copy(reader, far_writer), self._copy(far_reader, writer))
        finally:
            for each in writers:
                each.close()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()


async def test_https_through_a_tunnel(ca_file: Path) -> None:
    async with (
        WireServer(reply_json({"ok": True}), tls=_server_tls("upstream.test")) as server,
        _Tunnels(server.port) as tunnels,
    ):
        client = UpstreamClient(ca_file=ca_file, proxies=tunnels.settings)
        for _ in range(2):
            assert await _get(client, "https://upstream.test/v1") == b'{"ok": true}'
        with pytest.raises(TlsFailed, match=r"the certificate of wrong\.test:443"):
            await _get(client, "https://wrong.test/v1")
        await client.aclose()
        await asyncio.sleep(0.05)
    assert tunnels.heads[0] == (
        b"CONNECT upstream.test:443 HTTP/1.1\r\nhost: upstream.test:443\r\nproxy-authorization: Basic bWU6cHc=\r\n\r\n"
    )
    assert len(tunnels.heads) == 2
    assert [call.target for call in server.calls] == ["/v1", "/v1"]
    assert server.calls[0].header("proxy-authorization") is None


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "answered 407 to a tunnel to upstream.test:443"),
        (b"SSH-2.0-x\r\n\r\n", "did not answer in HTTP"),
        (b"HTTP/1.1 \r\n\r\n", "did not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\nspeaks first", "did not answer in HTTP"),
        (b"", "did not answer in HTTP"),
    ],
)
async def test_a_proxy_that_gives_no_tunnel(silent_port: int, answer: bytes, says: str) -> None:
    async with _Tunnels(silent_port, answer) as tunnels:
        client = UpstreamClient(proxies=tunnels.settings)
        with pytest.raises(UpstreamError, match=says) as caught:
            await _get(client, "https://upstream.test/")
        assert isinstance(caught.value, ProxyFailed)
        assert "bWU6" not in str(caught.value)
        await client.aclose()


async def test_a_proxy_that_is_not_there_is_named(closed_port: int) -> None:
    client = UpstreamClient(proxies=ProxySettings(https=Proxy("127.0.0.1", closed_port)))
    with pytest.raises(ConnectFailed, match=rf"proxy 127\.0\.0\.1:{closed_port}"):
        await _get(client, "https://upstream.test/")
    await client.aclose()


async def test_a_host_that_a_caller_named_is_dialled_only_at_public_addresses() -> None:
    """The name is looked up once, and the very addresses that were looked at are connected to."""
    async with WireServer(reply_json({})) as server:
        client = UpstreamClient()
        try:
            for host in ("127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]"):
                port = server.url.rpartition(":")[2]
                with pytest.raises(ConnectFailed, match="not a host of the public internet"):
                    await client.send(Call("GET", f"http://{host}:{port}/", (), public_only=True))
            reply = await client.send(Call("GET", f"{server.url}/", ()))
            await reply.read(1000)
            with pytest.raises(ConnectFailed, match="public internet"):  # not over the connection that waits there now
                await client.send(Call("GET", f"{server.url}/", (), public_only=True))
        finally:
            await client.aclose()
    assert len(server.calls) == 1


async def test_a_host_that_a_caller_named_goes_through_no_proxy() -> None:
    """A proxy would look the name up itself."""
    async with WireServer(reply_json({})) as proxy:
        host, port = proxy.url.removeprefix("http://").split(":")
        client = UpstreamClient(proxies=ProxySettings(http=Proxy(host, int(port))))
        try:
            with pytest.raises(ConnectFailed, match="public internet"):
                await client.send(Call("GET", "http://10.0.0.1:9/", (), public_only=True))
        finally:
            await client.aclose()
    assert proxy.calls == []
