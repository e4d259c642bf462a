"""Which operation a URL means, however the client joined base URL and path.

Users get the ``/v1`` join wrong and clients differ: ``/messages``, ``/v1/v1/messages``, ``/anthropic/v1/messages``,
``/v1beta/v1/models/x:generateContent`` are all seen on the wire. Each answers, with a header that names the canonical path.
Google puts model and verb into the path; a model's name may hold slashes, dots and colons, so the last colon parts them.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Operation = Literal[
    "chat",
    "messages",
    "count_tokens",
    "responses",
    "input_tokens",
    "compact",
    "response",
    "response_cancel",
    "response_items",
    "conversations",
    "conversation",
    "conversation_items",
    "conversation_item",
    "gemini",
    "gemini_count",
    "gemini_unserved",
    "models",
    "model",
    "explain",
    "admin",
    "account",
    "root",
    "hello",
    "livez",
    "readyz",
    "unknown",
]
GET, POST = ("GET",), ("POST",)
ADMIN = "/admin/v1/"
"""What begins so is the admin API's, joined by nobody's SDK: it must be spelled as it is."""

CANONICAL: dict[str, tuple[Operation, tuple[str, ...]]] = {
    "/v1/chat/completions": ("chat", POST),
    "/v1/messages": ("messages", POST),
    "/v1/messages/count_tokens": ("count_tokens", POST),
    "/v1/responses": ("responses", POST),
    "/v1/responses/input_tokens": ("input_tokens", POST),
    "/v1/responses/compact": ("compact", POST),
    "/v1/conversations": ("conversations", POST),
    "/v1/models": ("models", GET),
    "/admin/v1/routes/explain": ("explain", POST),
    "/v1/usage": ("account", GET),
    "/v1/balance": ("account", GET),
    "/v1/key": ("account", GET),
    "/v1/codes/redeem": ("account", POST),
    "/v1/organization/usage/completions": ("account", GET),
    "/v1/organization/costs": ("account", GET),
    "/": ("root", GET),
    "/api/hello": ("hello", GET),
    "/livez": ("livez", GET),
    "/readyz": ("readyz", GET),
}
VERBS: dict[str, Operation] = {
    "generateContent": "gemini",
    "streamGenerateContent": "gemini",
    "countTokens": "gemini_count",
    "embedContent": "gemini_unserved",
    "batchEmbedContents": "gemini_unserved",
    "predict": "gemini_unserved",
    "predictLongRunning": "gemini_unserved",
}
"""What follows the colon of ``/v1beta/models/{model}:{verb}``."""
KEPT: tuple[tuple[re.Pattern[str], Operation, tuple[str, ...]], ...] = (
    (re.compile(r"/responses/([^/]+)"), "response", ("GET", "DELETE")),
    (re.compile(r"/responses/([^/]+)/cancel"), "response_cancel", POST),
    (re.compile(r"/responses/([^/]+)/input_items"), "response_items", GET),
    (re.compile(r"/conversations/([^/]+)"), "conversation", ("GET", "POST", "DELETE")),
    (re.compile(r"/conversations/([^/]+)/items"), "conversation_items", ("GET", "POST")),
    (re.compile(r"/conversations/([^/]+)/items/([^/]+)"), "conversation_item", ("GET", "DELETE")),
    (re.compile(r"/usage/([^/]+)"), "account", GET),
)
"""What stands behind an id of ours."""

_PREFIX = re.compile(r"^(?:/(?:v1|v1beta|v1alpha|openai|anthropic|gemini|google|api))+(?=/|$)")
_GOOGLE = re.compile(r"/(?:v1beta|v1alpha|gemini|google)(?=/|$)")
_SLASHES = re.compile(r"/{2,}")
_MODEL = re.compile(r"^/(?:models|tunedModels)/(?:models/)?(?=.)")


class Route(NamedTuple):
    """``methods`` are those the operation takes. ``canonical`` is None where the path already was. ``model`` is the name in a
    ``models/{model}`` path, slashes included; ``stream`` what its verb says. ``ids`` are those in the path, outermost first.
    ``google``: the path is Google's, so the answer has its shape."""

    operation: Operation
    methods: tuple[str, ...] = GET
    canonical: str | None = None
    model: str | None = None
    stream: bool | None = None
    ids: tuple[str, ...] = ()
    google: bool = False


_EXACT = {path: Route(operation, methods) for path, (operation, methods) in CANONICAL.items()} | {
    "/v1beta/models": Route("models", GET, google=True)
}


def resolve(path: str) -> Route:
    """The operation that ``path`` (no query, percent-decoded) asks for."""
    return _EXACT.get(path) or _resolve_loosely(path)


def _resolve_loosely(path: str) -> Route:
    if path.startswith(ADMIN):
        return Route("admin")
    bare = _SLASHES.sub("/", path)
    if len(bare) > 1:
        bare = bare.rstrip("/") or "/"
    exact = _EXACT.get(bare)
    if exact is not None:
        return exact._replace(canonical=bare)
    prefix = _PREFIX.match(bare)
    before = prefix[0] if prefix else ""
    tail = bare[len(before) :]
    google = _GOOGLE.search(before) is not None
    known = _EXACT.get("/v1" + tail)
    if known is not None and tail:
        home = "/v1beta" if google and known.operation == "models" else "/v1"
        return known._replace(canonical=home + tail, google=google and known.operation == "models")
    named = _MODEL.match(tail)
    if named is not None:
        return _resolve_model(path, before, tail, tail[named.end() :])
    for pattern, operation, methods in KEPT:
        found = pattern.fullmatch(tail)
        if found is not None:
            canonical = "/v1" + tail
            return Route(operation, methods, None if canonical == path else canonical, ids=found.groups())
    return Route("unknown", (), google=google)


def _resolve_model(path: str, before: str, tail: str, name: str) -> Route:
    """A path that names a model: Google's calls, and the entry of a model list."""
    google = _GOOGLE.search(before) is not None
    home = "/v1beta" if google else "/v1"
    canonical = None if path == home + tail else home + tail
    model, _, verb = name.rpartition(":")
    operation = VERBS.get(verb)
    if operation is None or not model:
        return Route("model", GET, canonical, model=name, google=google)
    stream = verb == "streamGenerateContent" if operation == "gemini" else None
    return Route(operation, POST, canonical, model=model, stream=stream, google=True)
