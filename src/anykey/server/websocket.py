"""The WebSocket mode of ``GET /v1/responses``: one connection, many responses, one after another.

Each text message is the body of a ``POST /v1/responses`` with ``"type": "response.create"``; each event of its answer is a text
frame. An error is a frame too, and the connection goes on. ``generate: false`` only warms up: its input is remembered and an
empty response is told. The key is checked at the handshake and again with every message.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import msgspec
from uvicorn.protocols.utils import ClientDisconnected

from anykey.clients.recognise import recognise
from anykey.conversation.failures import Failure, FailureError, invalid
from anykey.exchange.exchange import Exchange, Inbound
from anykey.exchange.gateway import Gateway
from anykey.exchange.responses.answers import NOWHERE
from anykey.exchange.responses.expansion import expand
from anykey.exchange.steps import FAREWELL_S, admit, authenticate, choose, refuse
from anykey.exchange.transcript import keep_transcript
from anykey.protocols.catalog import CODECS
from anykey.protocols.codec import Headers, header
from anykey.protocols.fields import peek_json
from anykey.server.connection import peer_of
from anykey.server.journeys import JOURNEYS
from anykey.server.socket_reply import SocketReply
from anykey.server.socket_turns import Fields, Turns, input_items, join_items, text_field
from anykey.telemetry.identity import new_request_id

log = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
MOST_WAITING = 16
"""Messages that may wait while one is answered."""
STOPPING = 1012
TRUE = msgspec.Raw(b"true")
OURS = frozenset({"type", "generate", "stream_id", "stream"})
"""Fields of a message that its HTTP body does not have."""
_decoder = msgspec.json.Decoder(Fields)


class SocketPlane:
    """The ASGI application for WebSockets. ``limit`` bounds what waits and what is remembered, in bytes each."""

    def __init__(self, gateway: Gateway, limit: int) -> None:
        self._gateway = gateway
        self._limit = limit

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        codec = CODECS["openai_responses"]
        request_id = new_request_id()
        try:
            authenticate(scope["headers"], self._gateway, peer_of(scope))
        except FailureError as error:
            status, headers, body = codec.encode_failure(error.failure, request_id)
            await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
            await send({"type": "websocket.http.response.body", "body": body})
            return
        await send({"type": "websocket.accept", "headers": [(b"x-request-id", request_id.encode())]})
        await _Conversation(scope, send, self._gateway, self._limit).run(receive)


class _Conversation:
    """One open connection."""

    def __init__(self, scope: dict[str, Any], send: Send, gateway: Gateway, limit: int) -> None:
        headers: Headers = scope["headers"]
        self._headers = headers
        self._peer = peer_of(scope)
        self._send = send
        self._gateway = gateway
        self._limit = limit
        self._turns = Turns(limit)
        self._waiting: deque[bytes] = deque()
        self._waiting_size = 0
        self._arrived = asyncio.Event()
        self._gone = self._stopping = False
        self._client = recognise(header(headers, b"user-agent"), None)

    async def run(self, receive: Receive) -> None:
        """Answer until the client is gone or the gateway stops."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - ASGI runs in a task
        listener = asyncio.create_task(self._listen(receive, task))
        try:
            while (message := await self._next()) is not None:
                await self._answer(message)
        except asyncio.CancelledError:
            pass  # the client is gone, or the time to stop is over and what was to be said is said
        finally:
            listener.cancel()
            await self._say_goodbye()

    async def _say_goodbye(self) -> None:
        if self._gone:
            return
        with suppress(ClientDisconnected, TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await self._send({"type": "websocket.close", "code": STOPPING, "reason": "The gateway is stopping."})

    async def _next(self) -> bytes | None:
        """The next message; None when there will be none."""
        while not self._waiting:
            if self._stopping:
                return None
            self._arrived.clear()
            await self._arrived.wait()
        message = self._waiting.popleft()
        self._waiting_size -= len(message)
        return message

    async def _listen(self, receive: Receive, task: asyncio.Task[Any]) -> None:
        """Take what comes, and hear at once that the client is gone."""
        while True:
            message = await receive()
            match message["type"]:
                case "websocket.receive":
                    text: str | None = message.get("text")
                    await self._queue(text.encode() if text is not None else message["bytes"])
                case "websocket.stop":
                    self._stopping = True
                    self._arrived.set()
                case _:
                    self._gone = True
                    task.cancel()
                    return

    async def _queue(self, message: bytes) -> None:
        if len(self._waiting) >= MOST_WAITING or self._waiting_size + len(message) > self._limit:
            failure = Failure("rate_limited", "Too many messages wait on this connection; send one at a time.")
            await self._refuse(failure)
            return
        self._waiting.append(message)
        self._waiting_size += len(message)
        self._arrived.set()

    async def _answer(self, message: bytes) -> None:
        """One message, one response. What goes wrong is told and leaves the connection open."""
        try:
            fields: Fields = peek_json(_decoder, message)
            kind = text_field(fields, "type")
            if kind == "response.create":
                await self._create(fields, message)
            elif kind == "response.steer":
                await self._send_frame(_unsteered(fields))
            else:
                unread = f"{kind!r} is not a message that is read here; send 'response.create'"
                await self._refuse(invalid(unread, "type").failure)
        except FailureError as error:
            await self._refuse(error.failure)
        except Exception:
            log.exception("a message of a WebSocket failed inside the gateway")
            await self._refuse(Failure("internal", "The gateway failed; its log has the details."))

    async def _create(self, fields: Fields, message: bytes) -> None:
        reply = SocketReply(self._send_frame, lambda: self._gone, text_field(fields, "stream_id"))
        warm_up = bytes(fields.get("generate", b"")) == b"false"
        ours = warm_up or not self._is_stored(fields)
        body = await self._expand({name: value for name, value in fields.items() if name not in OURS}, ours=ours)
        exchange = self._exchange(msgspec.json.encode(body | {"stream": TRUE}))
        if warm_up:
            await self._warm_up(exchange, reply)
        else:
            exchange.outlet, exchange.sent = reply, message
            try:
                await JOURNEYS["responses", "POST"].run(exchange, reply, self._gateway, NOWHERE)
            finally:
                keep_transcript(exchange, self._gateway)
        if ours and reply.completed:
            self._turns.keep(reply.completed, join_items(input_items(body), *reply.items))

    def _is_stored(self, fields: Fields) -> bool:
        """The journey keeps the response, so this connection need not."""
        memory = self._gateway.memory
        return memory is not None and memory.enabled and bytes(fields.get("store", b"")) != b"false"

    async def _expand(self, body: Fields, *, ours: bool) -> Fields:
        """``body`` with the conversation that only this connection knows. ``ours``: nobody else will keep what it goes on from,
        so what storage knows is put in too. FailureError: it is not known."""
        asked = text_field(body, "previous_response_id")
        before = None if asked is None else self._turns.get(asked)
        if before is not None:
            del body["previous_response_id"]
            return body | {"input": msgspec.Raw(b"[" + join_items(before, input_items(body)) + b"]")}
        if asked is None or not ours:
            return body
        key = authenticate(self._headers, self._gateway, self._peer)
        return _decoder.decode(await expand(msgspec.json.encode(body), key, self._gateway))

    async def _warm_up(self, exchange: Exchange, reply: SocketReply) -> None:
        """Nothing is generated and nothing is asked upstream; the model must exist all the same."""
        try:
            exchange.key = authenticate(exchange.headers, self._gateway, self._peer)
            admit(exchange)
            choose(exchange, self._gateway)
        except FailureError as error:
            await refuse(exchange, error.failure, reply)
            return
        for event in _empty_response(exchange):
            await reply.write(b"data: " + msgspec.json.encode(event) + b"\n\n")

    def _exchange(self, body: bytes) -> Exchange:
        gateway = self._gateway
        inbound = Inbound(CODECS["openai_responses"], self._headers, body, self._client)
        exchange = Exchange(new_request_id(), inbound, gateway.monotonic(), int(gateway.wall_clock() * 1000))
        exchange.peer = self._peer
        return exchange

    async def _refuse(self, failure: Failure) -> None:
        reply = SocketReply(self._send_frame, lambda: self._gone)
        await reply.whole(*CODECS["openai_responses"].encode_failure(failure, new_request_id()))

    async def _send_frame(self, event: bytes) -> None:
        if not self._gone:
            try:
                await self._send({"type": "websocket.send", "text": event.decode()})
            except ClientDisconnected:
                self._gone = True


def _empty_response(exchange: Exchange) -> list[dict[str, Any]]:
    """What a warm-up is answered: a response that is created and complete at once."""
    response: dict[str, Any] = {
        "id": f"resp_{uuid4().hex}",
        "object": "response",
        "created_at": exchange.at_ms // 1000,
        "status": "in_progress",
        "model": exchange.model,
        "output": [],
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": None,
    }
    usage = {
        "input_tokens": 0,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 0,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 0,
    }
    return [
        {"type": "response.created", "sequence_number": 0, "response": response},
        {
            "type": "response.completed",
            "sequence_number": 1,
            "response": response | {"status": "completed", "usage": usage},
        },
    ]


def _unsteered(fields: Fields) -> bytes:
    """A response under way cannot be steered through every protocol, so it is through none."""
    message = "This gateway does not steer a response that is under way; send a new response.create."
    steered = {name: fields[name] for name in ("input", "previous_response_id") if name in fields}
    error = {"type": "invalid_request_error", "code": "steering_not_supported", "message": message}
    return msgspec.json.encode(
        {"type": "response.steer.failed", "sequence_number": 0, "steer": steered, "error": error}
    )
