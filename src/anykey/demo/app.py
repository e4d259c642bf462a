"""The demo model as a raw ASGI application: one small upstream, asked over HTTP like any other.

Law: it knows routes, the bearer token, the pace and the accidents; what is said is `script`, how is the wires.
Routes: `POST /v1/chat/completions`, `POST /v1/responses`, `POST /v1/messages`, `POST /v1beta/models/{id}:generateContent`
and `:streamGenerateContent?alt=sse`; to count, `POST /v1/messages/count_tokens`, `POST /v1/responses/input_tokens` and
`:countTokens`; `GET /v1/models`, `GET /v1/models/{id}`. Gemini's are under `/v1` too. Every answer carries
`x-demo-model: anykey`.
"""

import asyncio
import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from anykey.demo.fields import Object
from anykey.demo.prompt import BadRequestError, Prompt
from anykey.demo.routes import MODEL_LISTS, MODEL_PATHS, Action, Wire, action_at, family_of
from anykey.demo.script import perform

RESET_EXTENSION = "anykey.demo.reset"  # the server's way to end a connection with a TCP reset
_LARGEST_BODY = 64 * 1024 * 1024
_FLUSH_S = 0.02  # what was sent must have left the process before the connection is reset

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class DemoApp:
    """The application. `token` is the bearer token or API key asked for, `word_delay_s` the pace of a stream."""

    def __init__(self, token: str, word_delay_s: float) -> None:
        self._token = token.encode()
        self._word_delay_s = word_delay_s
        self._watches: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        body = await _body(receive)
        gone = asyncio.create_task(_disconnected(receive))
        self._watches.add(gone)
        try:
            await self._route(_Exchange(scope, gone, send), body)
        finally:
            gone.cancel()
            self._watches.discard(gone)

    def close(self) -> None:
        """End every answer that is still being given, as if its caller had gone."""
        for watch in self._watches:
            watch.cancel()

    async def _route(self, exchange: "_Exchange", body: bytes | None) -> None:
        if body is None:
            await exchange.fail(413, "The request body is larger than 64 MiB.")
        elif not self._knows(exchange.headers):
            await exchange.fail(401, "The demo model answers only the process that started it.")
        elif exchange.method == "GET" and exchange.path in MODEL_LISTS:
            await exchange.send_json(200, exchange.family.models)
        elif exchange.method == "GET" and exchange.path in MODEL_PATHS:
            await exchange.send_json(200, exchange.family.model)
        elif exchange.method == "POST" and (action := action_at(exchange.path)):
            try:
                await self._act(exchange, action, body)
            except BadRequestError as wrong:
                await exchange.fail(400, str(wrong), wrong.code)
        else:
            await exchange.fail(404, f"The demo model has no {exchange.method} {exchange.path}.")

    def _knows(self, headers: dict[bytes, bytes]) -> bool:
        bearer = headers.get(b"authorization", b"").removeprefix(b"Bearer ")
        offered = (bearer, headers.get(b"x-api-key", b""), headers.get(b"x-goog-api-key", b""))
        return any(secrets.compare_digest(one, self._token) for one in offered)

    async def _act(self, exchange: "_Exchange", action: Action, raw: bytes) -> None:
        body, digest = {**_parsed(raw), **(action.named or {})}, hashlib.sha256(raw).hexdigest()[:16]
        if action.wire:
            await self._answer(exchange, action.wire, action.wire.read(body, digest))
        elif action.counting:
            await exchange.send_json(200, action.counting(body, digest))

    async def _answer(self, exchange: "_Exchange", wire: Wire, prompt: Prompt) -> None:
        performance = perform(prompt)
        if performance.silence_s and not await exchange.pause(performance.silence_s):
            return
        if performance.refusal:
            await exchange.fail(performance.refusal.status, performance.refusal.message)
        elif prompt.stream:
            records = wire.stream(prompt, performance)
            await exchange.send_stream(records, self._word_delay_s, reset=performance.accident == "reset")
        else:
            await exchange.send_json(200, wire.reply(prompt, performance), performance.accident)


class _Exchange:
    """One request and the ways to answer it."""

    def __init__(self, scope: Any, gone: asyncio.Task[None], send: Send) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.family = family_of(self.path, self.headers)
        self._reset: Callable[[], None] = scope["extensions"][RESET_EXTENSION]
        self._gone = gone
        self._send = send
        self._id = f"req_demo_{secrets.token_hex(8)}"

    async def pause(self, seconds: float) -> bool:
        """Wait; False when the caller went away or the server closes, and the connection is ended."""
        await asyncio.wait({self._gone}, timeout=seconds)
        if not self._gone.done():
            return True
        await self._end_connection()
        return False

    async def fail(self, status: int, message: str, code: str | None = None) -> None:
        """An HTTP error in the shape of the protocol asked."""
        await self.send_json(status, self.family.failure(status, message, self._id, code))

    async def send_json(self, status: int, value: Object, accident: str | None = None) -> None:
        """A whole JSON answer: `cut` sends half of it as if it were all, `reset` half before a TCP reset."""
        body = json.dumps(value, ensure_ascii=False).encode()
        half = body[: len(body) // 2]
        if accident == "cut":
            body = half
        headers = [(b"content-length", str(len(body)).encode())]
        if status == 429:
            headers.append((b"retry-after", b"2"))
        await self._start(status, b"application/json", headers)
        if accident == "reset":
            await self._send({"type": "http.response.body", "body": half, "more_body": True})
            await asyncio.sleep(_FLUSH_S)
            await self._end_connection()
        else:
            await self._send({"type": "http.response.body", "body": body})

    async def send_stream(self, records: Iterator[bytes], delay_s: float, *, reset: bool) -> None:
        """SSE records at their pace, until the caller goes."""
        await self._start(200, b"text/event-stream; charset=utf-8", [(b"cache-control", b"no-cache")])
        for record in records:
            await self._send({"type": "http.response.body", "body": record, "more_body": True})
            if not await self.pause(delay_s):
                return
        if reset:
            await asyncio.sleep(_FLUSH_S)
            await self._end_connection()
        else:
            await self._send({"type": "http.response.body", "body": b""})

    async def _start(self, status: int, content_type: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        request_id = (self.family.request_id, self._id.encode())
        marks = [(b"content-type", content_type), (b"x-demo-model", b"anykey"), request_id]
        await self._send({"type": "http.response.start", "status": status, "headers": marks + headers})

    async def _end_connection(self) -> None:
        self._reset()
        # The server learns of the loss in a callback of its own; returning before it would be logged as a mistake.
        await asyncio.sleep(_FLUSH_S)


async def _body(receive: Receive) -> bytes | None:
    """The request body, or None when it is too large."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _LARGEST_BODY:
            return None
        if not message.get("more_body", False):
            return bytes(body)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _parsed(body: bytes) -> Object:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as wrong:
        raise BadRequestError(f"The request body is not JSON: {wrong}") from wrong
    if not isinstance(value, dict):
        raise BadRequestError("The request body is not a JSON object.")
    return value  # pyright: ignore[reportUnknownVariableType] - a parsed object has string keys
