"""Where the admin and user API hang in the raw ASGI application.

Law: a key is verified here, on the event loop, before anything else is done or loaded, and by the same function as for calls to
models, so that every spelling of a key gets the same answer. What it may do is decided behind this, by the matched route.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from anykey.accounts.keys import ApiKey
from anykey.conversation.failures import Failure, FailureError
from anykey.exchange.ports import Reply
from anykey.exchange.steps import authenticate
from anykey.protocols.codec import Headers, header
from anykey.server.admin.caller import Premises
from anykey.server.admin.refusals import Refusal, told
from anykey.server.admin.signed import answer_signed
from anykey.server.body import ClientGone, Receive, drain, read_body
from anykey.server.connection import CONNECTION_KEY, peer_of
from anykey.telemetry.identity import new_request_id

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = logging.getLogger(__name__)

BODY_BYTES_MAX = 1024 * 1024
SIGNED_PATH, SIGNED_BYTES_MAX, SIGNATURE = "/admin/v1/topups/signed", 16 * 1024, b"x-anykey-signature"
KEY_KEY, REQUEST_ID_KEY = "anykey.key", "anykey.request_id"
"""Where the application finds the verified key and the id of the call in the ASGI scope."""
STATUSES = {
    "authentication": (401, "authentication_failed"),
    "permission": (403, "address_not_allowed"),
    "request_timeout": (408, "body_too_slow"),
    "too_large": (413, "body_too_large"),
}
ALWAYS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
"""Headers of every answer: some hold a secret, none is a page."""


class AdminMount:
    """An ASGI application that loads the real one when it is first needed. One per process."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises
        self._loading = asyncio.Lock()
        self._application: Application | None = None

    async def __call__(self, scope: Scope, receive: Receive, reply: Reply, path: str) -> None:
        """Answer the call as if it had asked for ``path``, the canonical one."""
        request_id = new_request_id()
        headed = _Headed(reply, request_id)
        try:
            if path == SIGNED_PATH:
                await self._signed(scope, receive, headed)
                return
            key = await self._admit(scope, receive)
            body = await _body(scope, receive, BODY_BYTES_MAX)
            application = self._application or await self._load()
            inner = scope | {
                "path": path,
                "raw_path": path.encode(),
                "root_path": "",
                "headers": _plain(scope["headers"]),
            }
            inner |= {KEY_KEY: key, REQUEST_ID_KEY: request_id}
            await application(inner, _given(body), headed)
        except Refusal as refusal:
            await _refuse(refusal, request_id, headed)
        except ClientGone:
            raise
        except Exception:  # noqa: BLE001 - whatever it was, the caller is told so without its details
            _log.exception("admin request %s failed inside the gateway", request_id)
            if not reply.started:
                message = "The gateway failed; its log has the details."
                await _refuse(Refusal(500, "internal", message), request_id, headed)

    async def _signed(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The one call here that comes without a key: its body is signed with a secret that the operator shares with a server."""
        if scope["method"] != "POST":
            await drain(receive)
            raise Refusal(405, "method_not_allowed", "Use POST.")
        body = await _body(scope, receive, SIGNED_BYTES_MAX)
        signature = header(scope["headers"], SIGNATURE)
        answer = await asyncio.to_thread(answer_signed, self._premises, signature, body)
        await _answer(200, answer, send)

    async def _admit(self, scope: Scope, receive: Receive) -> ApiKey:
        """The key of the call. A stranger hears so before his body is read."""
        try:
            return authenticate(scope["headers"], self._premises.gateway, peer_of(scope))
        except FailureError as error:
            if not scope[CONNECTION_KEY].body_complete and not await drain(receive):
                scope[CONNECTION_KEY].end_with_answer()
            raise _refusal(error.failure) from None

    async def _load(self) -> Application:
        """In a thread: it takes half a second, which calls to models must not wait for."""
        async with self._loading:
            if self._application is None:
                self._application = await asyncio.to_thread(_make, self._premises)
        return self._application


class _Headed:
    """A ``send`` on ``reply``, with the headers that every answer has."""

    def __init__(self, reply: Reply, request_id: str) -> None:
        self._reply = reply
        self._more = ((b"x-anykey-request-id", request_id.encode()), *ALWAYS)

    async def __call__(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            await self._reply.start(message["status"], (*message["headers"], *self._more))
        else:
            if message.get("more_body") and self._reply.gone:
                raise ClientGone  # nobody needs the rest of a file
            await self._reply.write(message["body"])
            if not message.get("more_body"):
                await self._reply.end()


def _make(premises: Premises) -> Application:
    made: Application = importlib.import_module("anykey.server.admin.application").make_application(premises)
    return made


async def _body(scope: Scope, receive: Receive, bytes_max: int) -> bytes:
    """The body, whole, in JSON or empty."""
    headers: Headers = scope["headers"]
    try:
        body = await read_body(receive, dict(headers), bytes_max)
    except FailureError as error:
        if not await drain(receive):
            scope[CONNECTION_KEY].end_with_answer()
        raise _refusal(error.failure) from None
    kind = (header(headers, b"content-type") or b"").partition(b";")[0].strip().lower()
    if body and kind != b"application/json":
        raise Refusal(415, "not_json", "Send the body as JSON, with 'content-type: application/json'.")
    return body


def _refusal(failure: Failure) -> Refusal:
    status, code = STATUSES.get(failure.kind, (400, failure.code or "body_unreadable"))
    return Refusal(status, code, failure.message)


def _plain(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Without what was undone already, and without the key: nothing behind this needs it, or may repeat it."""
    done = (b"content-encoding", b"authorization", b"x-api-key", b"x-goog-api-key", b"x-portkey-api-key", b"cookie")
    return [pair for pair in headers if pair[0] not in done]


def _given(body: bytes) -> Receive:
    """A ``receive`` that has the whole body."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


async def _refuse(refusal: Refusal, request_id: str, send: Send) -> None:
    more = [(b"www-authenticate", b"Bearer")] if refusal.status == 401 else []
    await _answer(refusal.status, told(refusal, request_id), send, more)


async def _answer(status: int, body: bytes, send: Send, more: Sequence[tuple[bytes, bytes]] = ()) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
