"""The exact bytes of the api-key scheme."""

from anykey.providers.auth import azure_api_key
from anykey.providers.secret import Secret


def test_header() -> None:
    assert azure_api_key.headers(Secret("k-1")) == ((b"api-key", b"k-1"),)
