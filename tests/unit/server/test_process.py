"""Where a gateway listens."""

import pytest

from anykey.server.process import Address, bind


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:4000"),
        ("0.0.0.0", "http://127.0.0.1:4000"),
        ("::", "http://[::1]:4000"),
        ("::1", "http://[::1]:4000"),
        ("10.0.0.5", "http://10.0.0.5:4000"),
    ],
)
def test_the_url_to_give_to_a_client(host: str, url: str) -> None:
    assert Address(host, 4000).url == url


def test_a_taken_port_is_an_error() -> None:
    with bind("127.0.0.1", 0) as first, pytest.raises(OSError, match="in use"):
        bind("127.0.0.1", first.getsockname()[1])
