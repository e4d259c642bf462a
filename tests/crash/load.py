"""Clients that never stop: each makes one call after the other, whatever becomes of the gateway, and notes how each ended."""

import asyncio
import itertools
import json
from collections.abc import Iterator
from typing import NamedTuple

from tests.crash.calls import PATHS, plan_of

CALL_TIMEOUT_S = 30.0
REFUSED_WAIT_S = 0.03
UNAVAILABLE, UNAVAILABLE_WAIT_S = 503, 0.1
LEAVE_AFTER = (b'"content":"', b"text_delta", b"output_text.delta")
"""What is in the first piece of content, in each protocol."""


class Heard(NamedTuple):
    """How a call ended for its client. `status` 0: no answer began. `whole`: the HTTP message ended as promised."""

    status: int
    whole: bool


class Load:
    """`clients` clients at once on the gateways at `ports`, with the keys in `keys`, in turn."""

    def __init__(self, ports: list[int], keys: list[str], numbers: Iterator[int] | None = None) -> None:
        self._ports = itertools.cycle(ports)
        self._keys = keys
        self._numbers = numbers or itertools.count(1)
        self.heard: dict[int, Heard] = {}
        self._stopping = False

    async def run(self, clients: int) -> None:
        """Until `stop`."""
        async with asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(self._client())

    def stop(self) -> None:
        """Let the calls under way end; then `run` returns."""
        self._stopping = True

    @property
    def asked(self) -> int:
        """Calls that were made, without those that the gateway could not take."""
        return sum(heard.status != UNAVAILABLE for heard in self.heard.values())

    @property
    def served(self) -> int:
        """Calls that were answered well, as far as their clients can tell."""
        return sum(heard.status == 200 and heard.whole for heard in self.heard.values())

    async def _client(self) -> None:
        while not self._stopping:
            number = next(self._numbers)
            while not self._stopping:
                try:
                    connection = await asyncio.open_connection("127.0.0.1", next(self._ports))
                except OSError:  # nobody listens: nothing was sent, so the same call may be tried again
                    await asyncio.sleep(REFUSED_WAIT_S)
                    continue
                plan, key = plan_of(number), self._keys[number % len(self._keys)]
                heard = await converse(*connection, PATHS[plan.client], plan.body(), key, leaves=plan.leaves)
                self.heard[number] = heard
                if heard.status == UNAVAILABLE:
                    await asyncio.sleep(UNAVAILABLE_WAIT_S)
                break


async def converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, request: object, key: str, *, leaves: bool
) -> Heard:
    """Make one call on this connection and close it. `leaves`: as soon as some content has come."""
    body = json.dumps(request).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {key}\r\nconnection: close\r\n"
        f"content-type: application/json\r\nanthropic-version: 2023-06-01\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    received = b""
    try:
        async with asyncio.timeout(CALL_TIMEOUT_S):
            writer.write(head.encode() + body)
            while data := await reader.read(65536):
                received += data
                if leaves and any(mark in received for mark in LEAVE_AFTER):
                    break
    except (OSError, TimeoutError):
        pass
    finally:
        writer.close()
    return read(received)


def read(received: bytes) -> Heard:
    """What an answer came to, as far as it was received."""
    head, end, body = received.partition(b"\r\n\r\n")
    if not end:
        return Heard(0, whole=False)
    lines = [line.lower() for line in head.split(b"\r\n")]
    status = int(lines[0].split(b" ")[1])
    if b"transfer-encoding: chunked" in lines:
        return Heard(status, body.endswith(b"0\r\n\r\n"))
    length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), -1)
    return Heard(status, len(body) == length)
