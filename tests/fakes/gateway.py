"""A whole gateway inside the test's event loop: real settings, real database, real sockets on loopback.

async with RunningGateway(tmp_path, config) as gateway:
    reply = await gateway.post("/v1/messages", {...})
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Self

from anykey.administration.configuration import load_configuration
from anykey.administration.home import Home, prepare_home
from anykey.administration.keys import create_key
from anykey.administration.usage import recent, usage_filter
from anykey.server.process import Address, Serving, bind
from anykey.storage.records import ExchangeRow

LAB = """
[providers.lab]
kind = "custom"
protocol = "{protocol}"
base_url = "{url}"
api_key = {{ env = "LAB_KEY" }}
[models."test-model"]
deployments = ["lab/upstream-model"]
"""


def lab(protocol: str, url: str) -> str:
    """A configuration with one provider, `lab`, at `url`, and the public model `test-model` on it."""
    return LAB.format(protocol=protocol, url=url + ("/v1" if protocol == "openai_chat" else ""))


class WireReply(NamedTuple):
    """What came back, byte for byte; `body` is unchunked. `complete`: the HTTP message ended as its framing promised."""

    status: int
    headers: dict[str, str]
    body: bytes
    complete: bool

    def json(self) -> Any:
        return json.loads(self.body)


class RunningGateway:
    """`address.url` to call, `key` to call with, `rows()` for the usage rows it left."""

    def __init__(
        self, home: Path, config: str = "", environ: Mapping[str, str] | None = None, key_name: str = "test"
    ) -> None:
        self._directory = home
        self._key_name = key_name
        self._config = config
        self._environ = {"ANYKEY_HOME": str(home / "home"), "LAB_KEY": "lab-secret", **(environ or {})}
        self.address = Address("", 0)
        self.key = ""
        self.home: Home
        self._serving: Serving
        self._task: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        file: Path | None = None
        if self._config:
            file = self._directory / "anykey.toml"
            file.write_text(self._config)
        settings = load_configuration(self._environ, file)
        url = settings.database.reveal() if settings.database is not None else None
        self.home = prepare_home(settings.home, self._environ, url)
        self.key = create_key(self.home, self._key_name).text
        self._serving = Serving(
            settings, self.home, {}, bind("127.0.0.1", 0), partial(load_configuration, self._environ, file)
        )
        ready: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._serving.run(ready.set_result))
        await asyncio.wait((ready, self._task), return_when=asyncio.FIRST_COMPLETED)
        self.address = await ready if ready.done() else Address("", 0)
        if self._task.done():
            await self._task
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Stop it and wait until its rows are written."""
        self._serving.stop()
        await self._task

    @property
    def url(self) -> str:
        return self.address.url

    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}", "content-type": "application/json"}

    async def rows(self, count: int = 1) -> list[ExchangeRow]:
        """The newest usage rows, newest first, once there are `count` of them (they are written in groups)."""
        deadline = time.monotonic() + 3
        while True:
            found = recent(self.home, count, usage_filter(self.home, "all"))
            if len(found) >= count or time.monotonic() > deadline:
                return found
            await asyncio.sleep(0.02)

    async def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> WireReply:
        """One POST on a connection of its own; `body` is bytes, or a value to be sent as JSON."""
        return await self.request("POST", path, body, headers)

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> WireReply:
        return await self.request("GET", path, b"", headers)

    async def request(
        self, method: str, path: str, body: Any = b"", headers: Mapping[str, str] | None = None
    ) -> WireReply:
        """Send and read until the message or the connection ends."""
        async with self.sent(method, path, body, headers) as (reader, _):
            return await read_reply(reader, method)

    @asynccontextmanager
    async def sent(
        self, method: str, path: str, body: Any = b"", headers: Mapping[str, str] | None = None
    ) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection with the request written on it, the answer unread."""
        data: bytes = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "host: gateway", f"content-length: {len(data)}"]
        lines += [f"{name}: {value}" for name, value in (self.headers() if headers is None else headers).items()]
        reader, writer = await asyncio.open_connection(self.address.host, self.address.port)
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode() + data)
            await writer.drain()
            yield reader, writer
        finally:
            writer.close()


async def read_reply(reader: asyncio.StreamReader, method: str = "GET") -> WireReply:
    """Read one HTTP message, however it ends."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    status = int(head[0].split(" ")[1])
    if method == "HEAD":
        return WireReply(status, headers, b"", complete=True)
    if headers.get("transfer-encoding") == "chunked":
        body, complete = await _read_chunks(reader)
    else:
        length = int(headers.get("content-length", "0"))
        body = await reader.read(length) if length == 0 else await _read_exactly(reader, length)
        complete = len(body) == length
    return WireReply(status, headers, body, complete)


async def _read_exactly(reader: asyncio.StreamReader, length: int) -> bytes:
    try:
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        return error.partial


async def _read_chunks(reader: asyncio.StreamReader) -> tuple[bytes, bool]:
    body = b""
    try:
        while True:
            size = int(await reader.readuntil(b"\r\n"), 16)
            body += (await reader.readexactly(size + 2))[:-2]
            if size == 0:
                return body, True
    except (asyncio.IncompleteReadError, ConnectionError):
        return body, False
