"""The inference plane: a raw ASGI application, nothing between uvicorn and the journey.

Every route says here who may call it: the journeys and the model lists need a key, the rest answers anybody.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any
from urllib.parse import quote

from anykey.clients.recognise import recognise
from anykey.conversation.failures import FailureError
from anykey.exchange.answer_headers import lookup_headers
from anykey.exchange.exchange import ANY_PATH, Exchange, Inbound
from anykey.exchange.gateway import Gateway
from anykey.exchange.idempotency import HEADER, once
from anykey.exchange.ports import Reply
from anykey.exchange.steps import authenticate
from anykey.exchange.transcript import keep_transcript
from anykey.protocols.catalog import CODECS
from anykey.protocols.codec import Headers, HttpReply, RequestPath
from anykey.routing.groups import may_ask, standing_of
from anykey.routing.listing import list_models
from anykey.server.admin.mount import AdminMount
from anykey.server.body import ClientGone, Receive, drain, read_body
from anykey.server.connection import CONNECTION_KEY, ClientConnection, peer_of
from anykey.server.journeys import GENERATING, JOURNEYS, Journey, target_of
from anykey.server.json_array import JsonArrayReply
from anykey.server.model_list import list_body, model_body, shape_asked
from anykey.server.paths import ADMIN, Route, resolve
from anykey.server.query import asks_sse, take_key
from anykey.server.refusals import protocol_of, refuse, refuse_call, unserved
from anykey.server.reply import AsgiReply, Send
from anykey.server.websocket import SocketPlane
from anykey.telemetry.identity import new_request_id

Scope = dict[str, Any]
JSON: tuple[bytes, bytes] = (b"content-type", b"application/json")


class InferencePlane:
    """The ASGI application. ``max_body_bytes`` bounds every request body of a call to a model."""

    def __init__(self, gateway: Gateway, max_body_bytes: int, admin: AdminMount) -> None:
        self._gateway = gateway
        self._admin = admin
        self._max_body_bytes = max_body_bytes
        self._started_at = int(gateway.wall_clock())
        self._sockets = SocketPlane(gateway, max_body_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._sockets(scope, receive, send)
            return
        if scope["query_string"]:
            take_key(scope)
        route = resolve(scope["path"])
        extra = ()
        if route.canonical is not None:
            extra = ((b"x-anykey-canonical-path", quote(route.canonical, safe="/:").encode()),)
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
        if route.operation == "admin" and not scope["raw_path"].startswith(ADMIN.encode()):
            route = Route("unknown", ())  # spelled so that a proxy which guards these paths would not know it
        if route.operation in ("admin", "account"):
            await self._admin(scope, receive, reply, route.canonical or scope["path"])
            return
        journey = JOURNEYS.get((route.operation, "GET" if method == "HEAD" else method))
        if journey is not None and method == "POST":
            await self._travel(scope, receive, reply, route, journey)
            return
        if not connection.body_complete and not await drain(receive):
            connection.end_with_answer()
        if journey is not None:
            await self._travel(scope, receive, reply, route, journey)
        elif method in route.methods or (method == "HEAD" and "GET" in route.methods):
            await self._look_up(scope, reply, route)
        else:
            await reply.whole(*refuse_call(route, scope))

    async def _travel(self, scope: Scope, receive: Receive, reply: AsgiReply, route: Route, journey: Journey) -> None:
        """A call that goes to a model, or to what is kept of one."""
        codec = CODECS[journey.protocol]
        gateway = self._gateway
        headers: Headers = scope["headers"]
        named = dict(headers)
        request_id = new_request_id()
        began = gateway.monotonic()
        body = b""
        try:
            if scope["method"] == "POST":
                arrived = scope[CONNECTION_KEY].body_complete
                if not arrived or b"content-encoding" in named:
                    authenticate(headers, gateway, peer_of(scope))  # strangers do not get to fill the memory
                body = await read_body(receive, named, self._max_body_bytes, arrived=arrived)
        except FailureError as error:
            await _refuse_body(codec.encode_failure(error.failure, request_id), receive, reply)
            return
        client = recognise(named.get(b"user-agent"), named.get(b"x-app"))
        path = ANY_PATH if route.model is None else RequestPath(route.model, route.stream)
        exchange = Exchange(
            request_id, Inbound(codec, headers, body, client, path), began, int(gateway.wall_clock() * 1000)
        )
        exchange.peer = peer_of(scope)
        exchange.outlet = reply
        query: bytes = scope["query_string"]
        told: Reply = reply if not route.stream or asks_sse(query) else JsonArrayReply(reply)
        try:
            if HEADER in named and route.operation in GENERATING:
                place, run = route.canonical or scope["path"], journey.run
                await once(exchange, place, told, gateway, lambda e, r, g: run(e, r, g, target_of(route, query)))
            else:
                await journey.run(exchange, told, gateway, target_of(route, query))
        finally:
            if exchange.transcript is not None:
                keep_transcript(exchange, gateway)

    async def _look_up(self, scope: Scope, reply: AsgiReply, route: Route) -> None:
        """A call that the gateway answers itself."""
        match route.operation:
            case "models" | "model":
                await self._tell_models(scope, reply, route)
            case "gemini_unserved":
                await reply.whole(*unserved(scope["path"], new_request_id()))
            case "readyz" | "livez":
                await reply.whole(200, (JSON,), b'{"status":"ok"}')
            case _:
                await reply.whole(200, (JSON,), b'{"service":"anykey","status":"ok"}')

    async def _tell_models(self, scope: Scope, reply: AsgiReply, route: Route) -> None:
        headers: Headers = scope["headers"]
        query: bytes = scope["query_string"]
        snapshot = self._gateway.snapshot
        shape = shape_asked(route.google, headers, query)
        try:
            key = authenticate(headers, self._gateway, peer_of(scope))
            grant = standing_of(key, snapshot).grant
            entries = list_models(snapshot, partial(may_ask, snapshot, grant))
            if route.model is None:
                body = list_body(entries, shape, query, self._started_at)
            else:
                body = model_body(entries, route.model, shape, self._started_at)
        except FailureError as error:
            await reply.whole(*refuse(route, scope, error.failure))
        else:
            request_id = new_request_id().encode()
            protocol = protocol_of(route, scope)
            ids = ((CODECS[protocol].request_id_header, request_id), (b"x-anykey-request-id", request_id))
            await reply.whole(200, (JSON, *ids, *lookup_headers(key, protocol, self._gateway)), body)


async def _refuse_body(told: HttpReply, receive: Receive, reply: AsgiReply) -> None:
    """Answer before the body was read, then read what still comes: nobody hears who is cut off while he speaks."""
    length = (b"content-length", str(len(told.body)).encode())
    await reply.start(told.status, (*told.headers, length, (b"connection", b"close")))
    await reply.write(told.body)
    await drain(receive)
    await reply.end()
