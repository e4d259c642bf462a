"""URLs of Valkey and Redis."""

import pytest

from anykey.storage.valkey_server import place_of, spelled


@pytest.mark.parametrize(
    ("url", "known_as", "place"),
    [
        ("redis://user:word@cache.internal:6379/0", "valkey://user:word@cache.internal:6379/0", "cache.internal"),
        ("rediss://cache:1", "valkeys://cache:1", "cache"),
        ("valkeys://[::1]:1/2", "valkeys://[::1]:1/2", "::1"),
        ("unix://user:word@/run/valkey.sock", "unix://user:word@/run/valkey.sock", "/run/valkey.sock"),
        ("unix:///run/valkey.sock", "unix:///run/valkey.sock", "?"),
    ],
)
def test_a_url_for_the_driver_and_for_people(url: str, known_as: str, place: str) -> None:
    assert spelled(url) == known_as
    assert "word" not in place_of(url)
    assert place_of(url) in {place, "/run/valkey.sock"}
