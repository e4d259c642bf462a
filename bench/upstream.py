"""A fake upstream in a process of its own: the four protocols, plain and streamed, from prebuilt bytes.

`python -m bench.upstream` listens on a free port of 127.0.0.1 and prints the port. Each event of a stream is one
write, and the next one waits for a timer, so that a relay gets every event by itself and cannot save work by reading
several at once. `GET /counts` tells how many calls were answered in each protocol.
"""

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast, get_args

import httptools
import msgspec
import uvloop

from bench.cases import WireProtocol
from bench.replies import plain_reply, stream_chunks, stream_head

ROUTES: dict[bytes, WireProtocol] = {
    b"/v1/chat/completions": "chat",
    b"/v1/messages": "messages",
    b"/v1/responses": "responses",
}
GEMINI = b"/v1beta/models/"
GEMINI_STREAM = b":streamGenerateContent"
EVENT_GAP_S = 0.002

_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"


class StreamFlag(msgspec.Struct):
    """The one field of a request body that decides how it is answered."""

    stream: bool = False


@dataclass(slots=True)
class Script:
    """What every connection shares: the answers, the pace and the counts."""

    event_gap_s: float
    plain: dict[WireProtocol, bytes] = field(default_factory=dict[WireProtocol, bytes])
    chunks: dict[WireProtocol, list[bytes]] = field(default_factory=dict[WireProtocol, list[bytes]])
    counts: dict[WireProtocol, int] = field(default_factory=dict[WireProtocol, int])

    def __post_init__(self) -> None:
        for protocol in get_args(WireProtocol):
            self.plain[protocol] = plain_reply(protocol)
            self.chunks[protocol] = stream_chunks(protocol)
            self.counts[protocol] = 0


class UpstreamConnection(asyncio.Protocol):
    """One kept-alive connection; calls on it are answered in turn."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not derive from asyncio's, so this cannot be an isinstance check.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    def on_url(self, url: bytes) -> None:
        """httptools: a part of the request target."""
        self._target += url

    def on_body(self, body: bytes) -> None:
        """httptools: a part of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """httptools: the request is whole; answer it and make ready for the next."""
        path, body = self._target.partition(b"?")[0], b"".join(self._body)
        self._target, self._body = b"", []
        protocol = "gemini" if path.startswith(GEMINI) else ROUTES.get(path)
        if protocol is None:
            self._transport.write(self._counts() if path == b"/counts" else _NOT_FOUND)
            return
        self._script.counts[protocol] += 1
        if path.endswith(GEMINI_STREAM) or msgspec.json.decode(body, type=StreamFlag).stream:
            self._transport.write(stream_head())
            self._send(iter(self._script.chunks[protocol]))
        else:
            self._transport.write(self._script.plain[protocol])

    def _send(self, chunks: Iterator[bytes]) -> None:
        chunk = next(chunks, None)
        if chunk is not None and not self._transport.is_closing():
            self._transport.write(chunk)
            self._loop.call_later(self._script.event_gap_s, self._send, chunks)

    def _counts(self) -> bytes:
        body = json.dumps(self._script.counts).encode()
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


async def serve(event_gap_s: float) -> None:
    """Listens on a free port, prints it, and answers until the process is ended."""
    script = Script(event_gap_s)
    server = await asyncio.get_running_loop().create_server(lambda: UpstreamConnection(script), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@dataclass(frozen=True, slots=True)
class Upstream:
    """A running fake upstream as the rest of the benchmark sees it."""

    port: int

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"

    def counts(self) -> dict[WireProtocol, int]:
        """Calls answered so far, by protocol."""
        with urllib.request.urlopen(f"{self.origin}/counts", timeout=5) as reply:
            return json.loads(reply.read())


@contextmanager
def running_upstream(event_gap_s: float = EVENT_GAP_S) -> Generator[Upstream]:
    """Starts the fake upstream in its own process and ends it."""
    command = [sys.executable, "-m", "bench.upstream", str(event_gap_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError("the fake upstream did not start")
            yield Upstream(int(line))
        finally:
            process.terminate()


if __name__ == "__main__":
    uvloop.run(serve(float(sys.argv[1]) if len(sys.argv) > 1 else EVENT_GAP_S))
