"""Answers that are files: made piece by piece in a thread while they are sent, as fast as the client reads.

Law: the first piece is there before the answer begins, so that what is wrong with a question is told as for any other. What fails
after that cuts the answer off: a client that counts the chunks sees that it is not whole.
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from fastapi import Response

MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}


class Download(NamedTuple):
    """A file called `name`, whose ending says what it is (of MEDIA_TYPES), in pieces."""

    name: str
    pieces: Iterator[bytes]


class Downloading(Response):
    """The answer with a file. Made in a thread, where the first piece is read."""

    def __init__(self, download: Download, pool: ThreadPoolExecutor) -> None:
        self._first = next(download.pieces, b"")
        self._pieces = download.pieces
        self._pool = pool
        name, _, ending = download.name.rpartition(".")
        disposition = f'attachment; filename="{name}.{ending}"'
        super().__init__(None, 200, {"content-disposition": disposition}, MEDIA_TYPES[ending])
        del self.headers["content-length"]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002 - an ASGI application
        """Send it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        loop = asyncio.get_running_loop()
        piece: bytes | None = self._first
        while piece is not None:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = await loop.run_in_executor(self._pool, next, self._pieces, None)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
