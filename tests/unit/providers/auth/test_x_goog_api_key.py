"""The exact bytes of the x-goog-api-key scheme."""

from anykey.providers.auth import x_goog_api_key
from anykey.providers.secret import Secret


def test_header() -> None:
    assert x_goog_api_key.headers(Secret("k-1")) == ((b"x-goog-api-key", b"k-1"),)
