"""Whether a text of another gateway's configuration is an address that can be asked at all."""

from urllib.parse import urlsplit


def is_address(text: str) -> bool:
    """An `http` or `https` URL with a host, and a port that is one if it has any."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
