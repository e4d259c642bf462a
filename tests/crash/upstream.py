"""The fake provider: a process of its own that survives every kill and writes down each call it answers, once, before it
answers. Its log is the oracle for money: it was written by nobody whose failure is tested.

`python -m tests.crash.upstream LOG` listens on a free port of 127.0.0.1 and prints the port. A line of the log is the call's
number and the status it was answered with.
"""

import asyncio
import json
import random
import sys
import threading
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import NamedTuple, TextIO, cast

import httptools
import uvloop

from tests.crash.answers import records, whole
from tests.crash.calls import PATHS, Wire, is_race, is_refused, number_of, usage_of

WHOLE_WAIT_MOST_S = 0.03
PIECE_GAP_S = 0.006
_WIRE_OF: dict[bytes, Wire] = {path.encode(): wire for wire, path in PATHS.items()}


class _Connection(asyncio.Protocol):
    """One kept-alive connection; calls on it are answered in turn."""

    def __init__(self, log: TextIO) -> None:
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._path = b""
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    def on_url(self, url: bytes) -> None:
        """httptools: a part of the request target."""
        self._path += url

    def on_body(self, body: bytes) -> None:
        """httptools: a part of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """httptools: the request is whole; write it down, then answer."""
        path, body = self._path.partition(b"?")[0], json.loads(b"".join(self._body))
        self._path, self._body = b"", []
        wire, model = _WIRE_OF[path], str(body["model"])
        number = number_of(model)
        assert number is not None, model
        status = 400 if is_refused(number) and not is_race(model) else 200
        self._log.write(f"{number} {status}\n")
        self._log.flush()
        if status == 400:
            self._later(_message(400, {"error": {"type": "invalid_request_error", "message": "It is not liked."}}))
        elif body.get("stream"):
            self._send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            self._stream(iter(records(wire, model, usage_of(number))))
        else:
            self._later(_message(200, whole(wire, model, usage_of(number))))

    def _later(self, answer: bytes) -> None:
        self._loop.call_later(random.uniform(0, WHOLE_WAIT_MOST_S), self._send, answer)

    def _stream(self, pieces: Iterator[bytes]) -> None:
        piece = next(pieces, None)
        if piece is None:
            self._send(b"0\r\n\r\n")
            return
        self._send(b"%x\r\n%b\r\n" % (len(piece), piece))
        if not self._transport.is_closing():
            self._loop.call_later(random.uniform(0, 2 * PIECE_GAP_S), self._stream, pieces)

    def _send(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)


def _message(status: int, body: object) -> bytes:
    data = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} Told\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
    return head.encode() + data


async def _serve(log: Path) -> None:
    with log.open("a") as lines:
        server = await asyncio.get_running_loop().create_server(lambda: _Connection(lines), "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        # It ends with whoever started it, also when that is killed: its standard input closes.
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        threading.Thread(target=lambda: (sys.stdin.read(), loop.call_soon_threadsafe(ended.set)), daemon=True).start()
        await ended.wait()


class Upstream(NamedTuple):
    """A running fake provider."""

    port: int
    log: Path

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"

    def answered(self) -> Counter[int]:
        """How often each call was answered with a 200, so that it costs money."""
        pairs = (line.split() for line in self.log.read_text().splitlines())
        return Counter(int(number) for number, status in pairs if status == "200")


@contextmanager
def running_upstream(log: Path) -> Generator[Upstream]:
    """The fake provider with this log."""
    with Popen([sys.executable, "-m", "tests.crash.upstream", log], stdin=PIPE, stdout=PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, "the fake provider did not start"
            yield Upstream(int(line), log)
        finally:
            process.kill()


if __name__ == "__main__":
    uvloop.run(_serve(Path(sys.argv[1])))
