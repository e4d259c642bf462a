"""Files in pieces: the first before the answer begins, the rest while it is read."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from anykey.server.admin.downloads import Download, Downloading

POOL = ThreadPoolExecutor(1)


def pieces(*parts: bytes, fail: bool = False) -> Iterator[bytes]:
    yield from parts
    if fail:
        raise OSError("the disk is gone")


async def told(answer: Downloading, sent: list[dict[str, Any]]) -> None:
    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await answer({}, None, send)


async def test_a_file_in_pieces() -> None:
    sent: list[dict[str, Any]] = []
    await told(Downloading(Download("usage.csv", pieces(b"a", b"b")), POOL), sent)
    headers = dict(sent[0]["headers"])
    assert headers[b"content-type"] == b"text/csv; charset=utf-8"
    assert headers[b"content-disposition"] == b'attachment; filename="usage.csv"'
    assert b"content-length" not in headers
    assert [(one["body"], one["more_body"]) for one in sent[1:]] == [(b"a", True), (b"b", True), (b"", False)]


async def test_an_empty_file() -> None:
    sent: list[dict[str, Any]] = []
    await told(Downloading(Download("usage.jsonl", pieces()), POOL), sent)
    assert b"".join(one["body"] for one in sent[1:]) == b""


def test_what_is_wrong_at_once_is_no_answer() -> None:
    with pytest.raises(OSError, match="disk"):
        Downloading(Download("usage.csv", pieces(fail=True)), POOL)


async def test_what_goes_wrong_later_leaves_it_unended() -> None:
    sent: list[dict[str, Any]] = []
    with pytest.raises(OSError, match="disk"):
        await told(Downloading(Download("usage.csv", pieces(b"a", fail=True)), POOL), sent)
    assert sent[-1] == {"type": "http.response.body", "body": b"a", "more_body": True}
