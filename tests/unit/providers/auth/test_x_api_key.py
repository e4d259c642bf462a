"""The exact bytes of the x-api-key scheme."""

from anykey.providers.auth import x_api_key
from anykey.providers.secret import Secret


def test_header() -> None:
    assert x_api_key.headers(Secret("k-1")) == ((b"x-api-key", b"k-1"),)
