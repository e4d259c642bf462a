"""A provider with every fault there is before content (F01 to F23) and after it (F24 to F37), in four protocols.

The fault is chosen by the model's name in the call, up to its first dot: `09-limited.whatever` is refused with a 429. A fault of
the network has a door of its own, an address where no call gets through. Every call that does is in `heard`: the oracle for how
often, and with which credential, somebody was asked.

    async with FaultUpstream() as upstream:
        ...                             # send a call for the model "14-500.x" to upstream.url("open")
"""

import asyncio
import socket
import ssl
import tempfile
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

import trustme

from tests.fakes.fault_scripts import FAULTS, Asked, Heard, asks_for_stream, hear, well
from tests.fakes.stream_faults import STREAM_FAULTS
from tests.fakes.wire import RecordedCall, WireConnection, WireServer

NETWORK: dict[str, str] = {
    "01-refused": "refused",
    "02-blackhole": "blackhole",
    "03-no-name": "no-name",
    "03-servfail": "servfail",
    "03-name-stall": "name-stall",
    "05-expired": "expired",
    "05-self-signed": "self-signed",
    "05-wrong-name": "wrong-name",
    "05-no-tls": "no-tls",
    "06-tls-stall": "tls-stall",
}
"""Faults of the network, and the door of each."""


PLAYED = FAULTS | STREAM_FAULTS
LOOK_UP_S = 0.4
"""How long the resolver is silent about a name that stalls."""
look_up = socket.getaddrinfo
"""The system's own."""


def resolve(host: Any, *more: Any, **options: Any) -> Any:
    """The system's resolver, with its faults: no real one is asked for a name of ours, for that may take as long as it likes."""
    name = host.decode() if isinstance(host, bytes) else host
    if not (isinstance(name, str) and name.endswith(".invalid")):
        return look_up(host, *more, **options)
    if options.get("flags", 0) & socket.AI_NUMERICHOST or name == "no-name.invalid":
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    if name == "name-stall.invalid":
        time.sleep(LOOK_UP_S)
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


class Door(asyncio.Protocol):
    """An address where no call may arrive: it keeps the bytes that do, decrypted where it speaks TLS. `rude`: whoever
    speaks TLS to it is answered in the clear."""

    def __init__(self, arrived: bytearray, *, rude: bool) -> None:
        self._arrived = arrived
        self._rude = rude
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._arrived += data
        if self._rude and isinstance(self._transport, asyncio.WriteTransport):
            self._transport.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")


class FaultUpstream:
    """`url(door)` leads to it, `ca_file` (PEM) is whom its good certificates are from, `mended` are models that answer well."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.canary: list[RecordedCall] = []
        """What the host heard that redirections lead to."""
        self.arrived = {door: bytearray() for door in NETWORK.values()}
        self.mended: set[str] = set()
        self.ca_file = Path()
        self._authority = trustme.CA()
        self._stack = AsyncExitStack()
        self._urls: dict[str, str] = {}
        self._canary_url = ""

    def url(self, door: str = "open") -> str:
        """`open` takes calls in the clear, `secure` with TLS; the others are in NETWORK."""
        return self._urls[door]

    def calls(self, model: str) -> list[Heard]:
        """The calls for this model, in order."""
        return [heard for heard in self.heard if heard.model == model]

    async def __aenter__(self) -> Self:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self.ca_file = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self.ca_file))
        plain = await self._stack.enter_async_context(WireServer(self._answer))
        secure = await self._stack.enter_async_context(WireServer(self._answer, tls=self._tls("127.0.0.1")))
        canary = await self._stack.enter_async_context(WireServer(self._answer))
        self.canary = canary.calls
        self._canary_url = canary.url
        self._urls = {"open": plain.url, "secure": secure.url}
        self._urls |= {name: f"http://{name}.invalid" for name in ("no-name", "servfail", "name-stall")}
        self._stack.enter_context(patch.object(socket, "getaddrinfo", resolve))
        past = datetime.now(UTC) - timedelta(days=1)
        await self._open("expired", self._tls("127.0.0.1", not_after=past))
        await self._open("wrong-name", self._tls("elsewhere.test"))
        await self._open("self-signed", self._self_signed(folder))
        await self._open("no-tls")
        await self._open("tls-stall")
        self._close_and_fill()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _answer(self, call: RecordedCall, connection: WireConnection) -> None:
        heard = hear(call)
        self.heard.append(heard)
        fault = well if heard.model in self.mended else PLAYED[heard.model.partition(".")[0]]
        await fault(Asked(call, heard, asks_for_stream(call), self._canary_url), connection)

    async def _open(self, name: str, tls: ssl.SSLContext | None = None) -> None:
        """A door that is https to whoever calls, and speaks TLS or not."""
        arrived = self.arrived[name]
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Door(arrived, rude=name == "no-tls"), "127.0.0.1", 0, ssl=tls)
        self._stack.callback(server.close)
        self._urls[name] = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    def _close_and_fill(self) -> None:
        """A port where nobody listens, and one whose queue is full, so that the kernel drops who comes."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self._urls["refused"] = f"http://127.0.0.1:{listener.getsockname()[1]}"
        full = self._stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            filler = self._stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        self._urls["blackhole"] = f"http://127.0.0.1:{full.getsockname()[1]}"

    def _tls(self, name: str, not_after: datetime | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made = self._authority.issue_cert(name, not_before=datetime(2020, 1, 1, tzinfo=UTC), not_after=not_after)
        made.configure_cert(context)  # pyright: ignore[reportUnknownMemberType] - it names pyOpenSSL
        return context

    def _self_signed(self, folder: Path) -> ssl.SSLContext:
        """The certificate of an authority nobody knows, which it signed itself."""
        stranger = trustme.CA()
        stranger.cert_pem.write_to_path(str(folder / "stranger.pem"))
        stranger.private_key_pem.write_to_path(str(folder / "stranger.key"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "stranger.pem", folder / "stranger.key")
        return context
