"""A credential goes to the origin it was given for; what is no clear URL gets nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.providers.auth.binding import Origin, may_send, origin_of
from anykey.upstream.request import parse_target


@pytest.mark.parametrize(
    ("url", "origin", "authority"),
    [
        ("https://api.lab.test/v1", Origin("https", "api.lab.test", 443), "api.lab.test"),
        ("https://API.Lab.test:443", Origin("https", "api.lab.test", 443), "api.lab.test"),
        ("http://127.0.0.1:8080/v1?a=b#c", Origin("http", "127.0.0.1", 8080), "127.0.0.1:8080"),
        ("HTTP://[::1]/v1", Origin("http", "::1", 80), "[::1]"),
        ("https://[::1]:80/v1", Origin("https", "::1", 80), "[::1]:80"),
    ],
)
def test_origins(url: str, origin: Origin, authority: str) -> None:
    assert origin_of(url) == origin
    assert origin.authority == authority
    assert str(origin) == f"{origin.scheme}://{authority}"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.lab.test/v1",
        "ftp://api.lab.test",
        "https:///v1",
        "https://me:word@api.lab.test",
        "https://api.lab.test@evil.test/",
        "https://evil.test\\@api.lab.test/",
        "https://api.lab.test /v1",
        "https://api.lab.test\n/v1",
        "https://api.läb.test",
        "https://api.lab.test:99999",
        "https://[::1",
    ],
)
def test_what_has_no_clear_origin(url: str) -> None:
    with pytest.raises(ValueError, match=r"(the|a) URL") as caught:
        origin_of(url)
    assert "test" not in str(caught.value)
    assert not may_send(Origin("https", "api.lab.test", 443), url)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.lab.test/v1",
        "https://api.lab.test:8443/v1",
        "https://lab.test/v1",
        "https://api.lab.test.evil.test/v1",
        "https://evil.test/api.lab.test",
        "https://api.lab.test./v1",
    ],
)
def test_another_origin_gets_nothing(url: str) -> None:
    assert not may_send(origin_of("https://api.lab.test/v1"), url)


def test_another_path_of_the_same_origin_does() -> None:
    assert may_send(origin_of("https://api.lab.test/v1"), "https://API.lab.test:443/other?x=1")


_PIECES = st.sampled_from(
    ["https://", "http://", "a.test", "b.test", ":", "443", "80", "/", "@", "[::1]", "?", "#", "\\", "%2F", "A", "."]
)


@given(st.lists(_PIECES, max_size=8).map("".join))
def test_the_client_connects_to_the_origin_that_was_checked(url: str) -> None:
    """Two readers of one URL, the check and the way out, must never read two hosts."""
    try:
        origin = origin_of(url)
    except ValueError:
        return
    target = parse_target(url)
    assert (target.scheme, target.host, target.port) == origin
    assert target.authority == origin.authority
