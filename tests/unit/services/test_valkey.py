"""The server answers commands."""

import valkey as client

from tests.services.valkey import ValkeyServer


def test_it_counts(valkey: ValkeyServer) -> None:
    connected = client.Valkey.from_url(valkey.url)  # pyright: ignore[reportUnknownMemberType] - its kwargs have no types
    try:
        assert connected.incr("counter") == 1
        assert connected.incr("counter") == 2
        connected.delete("counter")
    finally:
        connected.close()
