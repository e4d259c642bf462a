"""The URL of a Valkey or Redis server, as its driver takes it and as people may read it."""

from urllib.parse import urlsplit


def spelled(url: str) -> str:
    """The URL as the driver knows it, which has no `redis://`."""
    scheme, colon, rest = url.partition("://")
    return {"redis": "valkey", "rediss": "valkeys"}.get(scheme, scheme) + colon + rest


def place_of(url: str) -> str:
    """Where the server is, for logs: no user and no password."""
    return urlsplit(url).hostname or url.partition("@")[2] or "?"
