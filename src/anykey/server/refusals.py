"""How a call is refused that never begins its journey: in the shape of the protocol whose client seems to ask."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.failures import Failure
from anykey.conversation.parts import ProtocolName
from anykey.protocols.catalog import CODECS
from anykey.protocols.codec import HttpReply, header
from anykey.server.model_list import Shape, shape_asked
from anykey.server.paths import VERBS, Operation, Route
from anykey.telemetry.identity import new_request_id

Scope = dict[str, Any]
PROTOCOLS: dict[Operation, ProtocolName] = {
    "chat": "openai_chat",
    "messages": "anthropic_messages",
    "count_tokens": "anthropic_messages",
    "gemini": "gemini_generate",
    "gemini_count": "gemini_generate",
    "gemini_unserved": "gemini_generate",
    **dict.fromkeys(("responses", "input_tokens", "compact", "response", "response_cancel"), "openai_responses"),
    **dict.fromkeys(("response_items", "conversations", "conversation"), "openai_responses"),
    **dict.fromkeys(("conversation_items", "conversation_item"), "openai_responses"),
}
WORDS: tuple[tuple[str, ProtocolName], ...] = (
    ("messages", "anthropic_messages"),
    ("generateContent", "gemini_generate"),
    ("responses", "openai_responses"),
)
"""What a path that leads nowhere still tells of its client."""
SHAPES: dict[Shape, ProtocolName] = {
    "google": "gemini_generate",
    "anthropic": "anthropic_messages",
    "openai": "openai_chat",
}


NO_WEBSOCKET = Failure(
    "method_not_allowed",
    "WebSockets are switched off here ([server] responses_websocket = false); send POST /v1/responses.",
)
"""Told with status 426: Codex goes on with POST at once and in silence, where any other status costs it seven attempts."""


def protocol_of(route: Route, scope: Scope) -> ProtocolName:
    """Whose errors the client of this call reads."""
    known = PROTOCOLS.get(route.operation)
    if known is not None:
        return known
    if route.operation == "unknown":
        for word, protocol in WORDS:
            if word in scope["path"]:
                return protocol
    return SHAPES[shape_asked(route.google, scope["headers"], scope["query_string"])]


def refuse(route: Route, scope: Scope, failure: Failure) -> HttpReply:
    """``failure`` as this call's client reads it."""
    return CODECS[protocol_of(route, scope)].encode_failure(failure, new_request_id())


def refuse_call(route: Route, scope: Scope) -> HttpReply:
    """The answer to a path or a method that leads nowhere: 404, 405 with the methods that do, or 426."""
    method: str = scope["method"]
    if route.operation == "unknown":
        return refuse(route, scope, _no_such_path(scope))
    if route.operation == "model" and method == "POST" and ":" in (route.model or ""):
        return refuse(route._replace(google=True), scope, _no_such_verb(route.model or ""))
    if route.operation == "responses" and header(scope["headers"], b"sec-websocket-key") is not None:
        told = refuse(route, scope, NO_WEBSOCKET)
        return HttpReply(426, (*told.headers, (b"upgrade", b"HTTP/1.1"), (b"connection", b"upgrade")), told.body)
    failure = Failure("method_not_allowed", f"{method} is not allowed here; use {' or '.join(route.methods)}.")
    told = refuse(route, scope, failure)
    return HttpReply(told.status, (*told.headers, (b"allow", ", ".join(route.methods).encode())), told.body)


def unserved(path: str, request_id: str) -> HttpReply:
    """501 in Google's shape: the call is known, and this gateway does not serve it."""
    message = f"This gateway does not serve ':{path.rpartition(':')[2]}' calls."
    error = {"code": 501, "message": message, "status": "UNIMPLEMENTED"}
    headers = ((b"content-type", b"application/json"), (b"x-anykey-request-id", request_id.encode()))
    return HttpReply(501, headers, msgspec.json.encode({"error": error}))


def _no_such_path(scope: Scope) -> Failure:
    """A 404 that says what the base URL should have been."""
    host, port = scope["server"] or ("127.0.0.1", 4000)
    address = f"{scope['scheme']}://{host}:{port}"
    message = (
        f"There is no {scope['method']} {scope['path']} here. Base URL for OpenAI clients: {address}/v1 "
        f"(they add /chat/completions or /responses); for Anthropic clients: {address} (they add /v1/messages); "
        f"for Google clients: {address} (they add /v1beta/models/MODEL:generateContent)."
    )
    return Failure("not_found", message)


def _no_such_verb(model: str) -> Failure:
    """A 404 for a POST to ``models/{model}``, which needs a verb after a colon."""
    served = ", ".join(verb for verb, operation in VERBS.items() if operation != "gemini_unserved")
    said = model.rpartition(":")[2]
    return Failure("not_found", f"There is no verb {said!r} here. A model's path ends with ':' and one of {served}.")
