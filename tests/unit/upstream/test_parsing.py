"""Responses as bytes: framing, what is refused, and what makes a connection unfit for another call."""

import gc
import weakref

import pytest

from anykey.upstream.failures import FramingBroken, HeadersTooLarge, UpstreamError
from anykey.upstream.parsing import ResponseParser


def _parse(data: bytes, *, size: int = 10**6, method: str = "POST") -> ResponseParser:
    parser = ResponseParser("a.test:80", method)
    for start in range(0, len(data), size):
        parser.feed(data[start : start + size])
    return parser


@pytest.mark.parametrize("size", [1, 3, 10**6])
@pytest.mark.parametrize(
    "framed",
    [
        b"Content-Length: 5\r\n\r\nhello",
        b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;ext=1\r\nllo\r\n0\r\nTrailer: x\r\n\r\n",
    ],
)
def test_bodies_at_any_cut(framed: bytes, size: int) -> None:
    parser = _parse(b"HTTP/1.1 100 Continue\r\nX: 0\r\n\r\nHTTP/1.1 201 Made\r\nX-A: 1\r\n" + framed, size=size)
    assert (parser.status, parser.headers[0], parser.header(b"x-a")) == (201, (b"x-a", b"1"), b"1")
    assert parser.header(b"x") is None
    assert parser.header(b"trailer") is None
    assert parser.buffered == 5
    assert parser.take() == b"hello"
    assert parser.buffered == 0
    assert parser.complete
    assert parser.reusable


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_statuses_without_body(status: bytes) -> None:
    parser = _parse(b"HTTP/1.1 " + status + b"\r\n\r\n")
    assert parser.complete
    assert parser.reusable


def test_a_head_request_has_no_body_and_ends_its_connection() -> None:
    parser = _parse(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", method="HEAD")
    assert parser.complete
    assert not parser.reusable


def test_a_body_that_the_close_ends() -> None:
    parser = _parse(b"HTTP/1.1 200 OK\r\n\r\nhello")
    assert not parser.complete
    assert parser.end()
    assert parser.take() == b"hello"
    assert not parser.reusable


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ],
)
def test_a_close_does_not_end_anything_else(data: bytes) -> None:
    assert not _parse(data).end()


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
    ],
)
def test_an_upstream_that_closes_is_not_used_again(head: bytes) -> None:
    parser = _parse(head)
    assert parser.complete
    assert not parser.reusable


def test_bytes_after_the_end_spoil_the_connection_and_not_the_response() -> None:
    parser = _parse(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")
    assert parser.complete
    assert not parser.reusable
    assert parser.take() == b"ok"
    assert len(parser.headers) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"<html>not HTTP</html>",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nokok\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n",
    ],
)
def test_broken_framing(data: bytes) -> None:
    with pytest.raises(FramingBroken, match=r"^a\.test:80 ") as caught:
        _parse(data)
    assert caught.value.response_started


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 201 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 70_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 4000,
    ],
)
@pytest.mark.parametrize("size", [1000, 10**6])
def test_a_head_without_measure(data: bytes, size: int) -> None:
    with pytest.raises(UpstreamError) as caught:
        _parse(data, size=size)
    assert isinstance(caught.value, HeadersTooLarge)


def test_endless_trailers_and_chunk_extensions_are_cut() -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    with pytest.raises(FramingBroken):
        _parse(head + b"0\r\n" + b"x: y\r\n" * 20_000, size=1000)
    with pytest.raises(FramingBroken):
        _parse(head + b"5;" + b"x" * 100_000, size=1000)


def test_chunk_sizes_sent_apart_from_their_data_are_no_fault() -> None:
    parser = ResponseParser("a.test:80", "POST")
    parser.feed(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    for _ in range(20_000):
        parser.feed(b"1\r\n")
        parser.feed(b"x\r\n")
    assert len(parser.take()) == 20_000


def test_a_parser_that_is_let_go_waits_for_no_collector() -> None:
    gc.disable()
    try:
        parser = ResponseParser("peer", "GET")
        parser.feed(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        parser.let_go()
        left = weakref.ref(parser)
        del parser
        assert left() is None
    finally:
        gc.enable()
