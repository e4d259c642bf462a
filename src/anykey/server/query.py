"""What a URL's query says: Google's key, and whether a stream comes as server-sent events."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

SSE_WORDS = (b"alt=sse", b"$alt=sse", b"%24alt=sse")


def take_key(scope: dict[str, Any]) -> None:
    """Make a ``?key=`` the header it stands for, and forget where it stood: a URL is repeated and logged, a header is not."""
    query: bytes = scope["query_string"]
    if b"key=" not in query:
        return
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    scope["query_string"] = urlencode([pair for pair in pairs if pair[0] != "key"]).encode()
    for name, value in pairs:
        if name == "key" and value.isascii() and value.isprintable():
            scope["headers"].append((b"x-goog-api-key", value.encode()))


def asks_sse(query: bytes) -> bool:
    """``alt=sse``: events, not one JSON array."""
    return any(word in query.lower().split(b"&") for word in SSE_WORDS)
