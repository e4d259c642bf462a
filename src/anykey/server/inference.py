"""The inference plane: a raw ASGI application, nothing between uvicorn and the journey.

Every route says here who may call it: ``generate``, ``count_tokens`` and the model lists need a key, the rest answers anybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from anykey.clients.recognise import recognise
from anykey.conversation.failures import Failure, FailureError
from anykey.exchange.counting import count_tokens
from anykey.exchange.exchange import Exchange, Inbound
from anykey.exchange.gateway import Gateway
from anykey.exchange.steps import authenticate, generate
from anykey.protocols.catalog import CODECS
from anykey.protocols.codec import Codec, Headers
from anykey.routing.snapshot import list_models
from anykey.server.body import ClientGone, Receive, drain, read_body
from anykey.server.connection import CONNECTION_KEY, ClientConnection
from anykey.server.model_list import asks_anthropic, list_body, model_body
from anykey.server.paths import Route, resolve
from anykey.server.reply import AsgiReply, Send
from anykey.telemetry.identity import new_request_id

Scope = dict[str, Any]
JSON: tuple[bytes, bytes] = (b"content-type", b"application/json")
CHAT, MESSAGES = CODECS["openai_chat"], CODECS["anthropic_messages"]
JOURNEYS: dict[str, tuple[Codec, Callable[[Exchange, AsgiReply, Gateway], Awaitable[None]]]] = {
    "chat": (CHAT, generate),
    "messages": (MESSAGES, generate),
    "count_tokens": (MESSAGES, count_tokens),
}


class InferencePlane:
    """The ASGI application. ``max_body_bytes`` bounds every request body."""

    def __init__(self, gateway: Gateway, max_body_bytes: int) -> None:
        self._gateway = gateway
        self._max_body_bytes = max_body_bytes
        self._started_at = int(gateway.wall_clock())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = resolve(scope["path"])
        extra = () if route.canonical is None else ((b"x-anykey-canonical-path", quote(route.canonical).encode()),)
        connection: ClientConnection = scope[CONNECTION_KEY]
        reply = AsgiReply(send, connection, extra)
        task = asyncio.current_task()
        connection.on_gone = task.cancel if task else None
        try:
            await self._answer(scope, receive, reply, route)
        except (asyncio.CancelledError, ClientGone):
            if not connection.gone and not reply.started:
                raise
        finally:
            connection.on_gone = None

    async def _answer(self, scope: Scope, receive: Receive, reply: AsgiReply, route: Route) -> None:
        method: str = scope["method"]
        connection: ClientConnection = scope[CONNECTION_KEY]
        wants_body = route.operation in JOURNEYS and method == route.method
        if not wants_body and not connection.body_complete and not await drain(receive):
            connection.end_with_answer()
        if route.operation == "unknown":
            await self._refuse(scope, reply, _no_such_path(scope))
        elif method != route.method and not (method == "HEAD" and route.method == "GET"):
            failure = Failure("method_not_allowed", f"{method} is not allowed here; use {route.method}.")
            await self._refuse(scope, reply, failure)
        elif route.operation in JOURNEYS:
            await self._travel(scope, receive, reply, route)
        else:
            await self._look_up(scope, reply, route)

    async def _travel(self, scope: Scope, receive: Receive, reply: AsgiReply, route: Route) -> None:
        """A call that goes to a model."""
        codec, journey = JOURNEYS[route.operation]
        gateway = self._gateway
        headers: Headers = scope["headers"]
        named = dict(headers)
        request_id = new_request_id()
        began = gateway.monotonic()
        try:
            arrived = scope[CONNECTION_KEY].body_complete
            if not arrived:
                authenticate(headers, gateway)  # strangers do not get to fill the memory
            body = await read_body(receive, named, self._max_body_bytes, arrived=arrived)
        except FailureError as error:
            status, reply_headers, text = codec.encode_failure(error.failure, request_id)
            length = (b"content-length", str(len(text)).encode())
            await reply.start(status, (*reply_headers, length, (b"connection", b"close")))
            await reply.write(text)
            await drain(receive)
            await reply.end()
            return
        client = recognise(named.get(b"user-agent"), named.get(b"x-app"))
        inbound = Inbound(codec, headers, body, client)
        exchange = Exchange(request_id, inbound, began, int(gateway.wall_clock() * 1000))
        await journey(exchange, reply, gateway)

    async def _look_up(self, scope: Scope, reply: AsgiReply, route: Route) -> None:
        """A call that the gateway answers itself."""
        match route.operation:
            case "models" | "model":
                await self._tell_models(scope, reply, route)
            case "readyz" | "livez":
                await reply.whole(200, (JSON,), b'{"status":"ok"}')
            case _:
                await reply.whole(200, (JSON,), b'{"service":"anykey","status":"ok"}')

    async def _tell_models(self, scope: Scope, reply: AsgiReply, route: Route) -> None:
        headers: Headers = scope["headers"]
        entries = list_models(self._gateway.snapshot)
        try:
            authenticate(headers, self._gateway)
            if route.model is None:
                body = list_body(entries, headers, scope["query_string"], self._started_at)
            else:
                body = model_body(entries, route.model, headers, self._started_at)
        except FailureError as error:
            await self._refuse(scope, reply, error.failure)
        else:
            await reply.whole(200, (JSON,), body)

    async def _refuse(self, scope: Scope, reply: AsgiReply, failure: Failure) -> None:
        codec = MESSAGES if "messages" in scope["path"] or asks_anthropic(scope["headers"]) else CHAT
        status, headers, body = codec.encode_failure(failure, new_request_id())
        await reply.whole(status, headers, body)


def _no_such_path(scope: Scope) -> Failure:
    """A 404 that says what the base URL should have been."""
    host, port = scope["server"] or ("127.0.0.1", 4000)
    address = f"{scope['scheme']}://{host}:{port}"
    message = (
        f"There is no {scope['method']} {scope['path']} here. Base URL for OpenAI clients: {address}/v1 "
        f"(they add /chat/completions); for Anthropic clients: {address} (they add /v1/messages)."
    )
    return Failure("not_found", message)
