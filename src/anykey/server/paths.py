"""Which operation a URL means, however the client joined base URL and path.

Users get the ``/v1`` join wrong and clients differ: ``/messages``, ``/v1/v1/messages``, ``/anthropic/v1/messages``,
``/openai/v1/chat/completions`` are all seen on the wire. Each answers, with a header that names the canonical path.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Operation = Literal[
    "chat", "messages", "count_tokens", "models", "model", "root", "hello", "livez", "readyz", "unknown"
]

CANONICAL: dict[str, tuple[Operation, str]] = {
    "/v1/chat/completions": ("chat", "POST"),
    "/v1/messages": ("messages", "POST"),
    "/v1/messages/count_tokens": ("count_tokens", "POST"),
    "/v1/models": ("models", "GET"),
    "/": ("root", "GET"),
    "/api/hello": ("hello", "GET"),
    "/livez": ("livez", "GET"),
    "/readyz": ("readyz", "GET"),
}
_PREFIX = re.compile(r"^(?:/(?:v1|v1beta|v1alpha|openai|anthropic|api))+(?=/|$)")
_SLASHES = re.compile(r"/{2,}")


class Route(NamedTuple):
    """``method`` is the one the operation takes. ``canonical`` is None where the path already was. ``model`` is the rest of
    a ``/v1/models/{id}`` path, slashes included."""

    operation: Operation
    method: str = "GET"
    canonical: str | None = None
    model: str | None = None


_EXACT = {path: Route(operation, method) for path, (operation, method) in CANONICAL.items()}


def resolve(path: str) -> Route:
    """The operation that ``path`` (no query, percent-decoded) asks for."""
    return _EXACT.get(path) or _resolve_loosely(path)


def _resolve_loosely(path: str) -> Route:
    bare = _SLASHES.sub("/", path)
    if len(bare) > 1:
        bare = bare.rstrip("/") or "/"
    exact = _EXACT.get(bare)
    if exact is not None:
        return exact._replace(canonical=bare)
    tail = _PREFIX.sub("", bare)
    canonical = "/v1" + tail
    known = _EXACT.get(canonical)
    if known is not None and tail:
        return known._replace(canonical=canonical)
    if tail.startswith("/models/"):
        return Route("model", canonical=None if bare == path == canonical else canonical, model=tail[len("/models/") :])
    return Route("unknown")
