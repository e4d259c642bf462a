"""Where URLs lead, and that no caller's bytes can start another line."""

import pytest

from anykey.upstream.records import Call
from anykey.upstream.request import encode_head, parse_target


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "authority", "path"),
    [
        ("http://a.test", "http", "a.test", 80, "a.test", "/"),
        ("https://A.test/v1?alt=sse#x", "https", "a.test", 443, "a.test", "/v1?alt=sse"),
        ("http://a.test:80/x", "http", "a.test", 80, "a.test", "/x"),
        ("http://127.0.0.1:9/x:y", "http", "127.0.0.1", 9, "127.0.0.1:9", "/x:y"),
        ("https://[::1]:8443/", "https", "::1", 8443, "[::1]:8443", "/"),
    ],
)
def test_parse_target(url: str, scheme: str, host: str, port: int, authority: str, path: str) -> None:
    target = parse_target(url)
    assert (target.scheme, target.host, target.port) == (scheme, host, port)
    assert (target.authority, target.path) == (authority, path)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.test/",
        "/v1",
        "http:///v1",
        "http://a.test:port/",
        "http://a.test:99999/",
        "http://me:secret@a.test/",
        "http://a.test/secret\r\nx: y",
        "http://a.test/sec ret",
        "http://ä.test/",
        "http://[::1/",
    ],
)
def test_other_urls_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_target(url)
    assert "sec" not in str(caught.value)


def test_head() -> None:
    call = Call("POST", "http://a.test:81/v1?x=1", ((b"Authorization", b"Bearer k"),), b"{}")
    assert encode_head(call, parse_target(call.url)) == (
        b"POST /v1?x=1 HTTP/1.1\r\nhost: a.test:81\r\naccept-encoding: identity\r\n"
        b"Authorization: Bearer k\r\ncontent-length: 2\r\n\r\n"
    )


def test_head_that_asks_for_encoding_through_a_proxy() -> None:
    call = Call("GET", "http://a.test/v1", (), decode=True)
    assert encode_head(call, parse_target(call.url), absolute_form=True, extra=b"x: y\r\n") == (
        b"GET http://a.test/v1 HTTP/1.1\r\nhost: a.test\r\naccept-encoding: gzip, deflate, br, zstd\r\nx: y\r\n\r\n"
    )


def test_a_post_without_body_says_so() -> None:
    call = Call("POST", "http://a.test/", ())
    assert b"content-length: 0\r\n" in encode_head(call, parse_target(call.url))


@pytest.mark.parametrize(
    ("method", "name", "value"),
    [
        ("GET", b"x", b"a\r\nb: c"),
        ("GET", b"x", b"a\nb"),
        ("GET", b"x", b"a\0b"),
        ("GET", b"x y", b"a"),
        ("GET", b"x:", b"a"),
        ("GET", b"", b"a"),
        ("GET", b"Host", b"a"),
        ("GET", b"Transfer-Encoding", b"chunked"),
        ("GET", b"content-length", b"0"),
        ("GET x", b"x", b"a"),
    ],
)
def test_bytes_that_would_break_the_head_are_refused(method: str, name: bytes, value: bytes) -> None:
    call = Call(method, "http://a.test/", ((name, value),))
    with pytest.raises(ValueError, match=r"one word|set by the client"):
        encode_head(call, parse_target(call.url))
