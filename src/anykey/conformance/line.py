"""The way to the gateway under test: addresses, credentials, and one call. The key is sent there and nowhere else."""

from __future__ import annotations

import re

import msgspec

from anykey.conversation.parts import ProtocolName
from anykey.providers.configured import Timeouts
from anykey.upstream.client import UpstreamClient
from anykey.upstream.records import Call

BODY_LIMIT = 16 * 1024 * 1024
ANTHROPIC_VERSION = b"2023-06-01"
WRONG_KEY = "ak-this-key-was-never-issued"

_VERSION = re.compile(r"/v\d+[a-z0-9]*$")
_PATHS: dict[ProtocolName, str] = {
    "openai_chat": "/chat/completions",
    "openai_responses": "/responses",
    "anthropic_messages": "/messages",
    "gemini_generate": "/models",
}
_REQUEST_IDS = ("x-anykey-request-id", "x-request-id", "request-id")


class Heard(msgspec.Struct, frozen=True):
    """One answer over HTTP. Header names are lower-case; the first of a name counts."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def request_id(self) -> str | None:
        return next((self.headers[name] for name in _REQUEST_IDS if name in self.headers), None)

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Line:
    """``url``: where the gateway is, with or without ``/v1``. ``timeout_s`` bounds each call. UpstreamError: no whole answer."""

    def __init__(self, client: UpstreamClient, url: str, key: str, timeout_s: float) -> None:
        self.url = url
        bare = url.rstrip("/")
        self._home = _VERSION.sub("", bare)
        self._versioned = bare if bare != self._home else f"{bare}/v1"
        self._client = client
        self._key = key
        limit_s = min(timeout_s, Timeouts().connect_s)
        self._timeouts = Timeouts(connect_s=limit_s, first_byte_s=timeout_s, idle_s=timeout_s, total_s=timeout_s)
        self.calls = 0
        """How many calls went out."""

    def address(self, protocol: ProtocolName) -> str:
        """Where the protocol is spoken, as ``Codec.call_url`` takes it."""
        return self._root(protocol) + _PATHS[protocol]

    def models_address(self, protocol: ProtocolName) -> str:
        return f"{self._root(protocol)}/models"

    async def post(self, protocol: ProtocolName, url: str, body: bytes, key: str | None = None) -> Heard:
        """POST ``body`` as a client of the protocol would; ``key`` in place of the line's own."""
        return await self._call(
            "POST", url, (*self._headers(protocol, key), (b"content-type", b"application/json")), body
        )

    async def get(self, protocol: ProtocolName, url: str) -> Heard:
        return await self._call("GET", url, self._headers(protocol, None), b"")

    async def _call(self, method: str, url: str, headers: tuple[tuple[bytes, bytes], ...], body: bytes) -> Heard:
        self.calls += 1
        reply = await self._client.send(Call(method, url, headers, body, self._timeouts, decode=True))
        try:
            whole = await reply.read(BODY_LIMIT)
        finally:
            reply.abort()
        told = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(reply.headers)}
        return Heard(reply.status, told, whole)

    def _root(self, protocol: ProtocolName) -> str:
        """Google's own version of the path stands in place of the others'."""
        if protocol != "gemini_generate" or "/v1beta" in self._versioned:
            return self._versioned
        return f"{self._home}/v1beta"

    def _headers(self, protocol: ProtocolName, key: str | None) -> tuple[tuple[bytes, bytes], ...]:
        secret = (key or self._key).encode()
        match protocol:
            case "anthropic_messages":
                return ((b"x-api-key", secret), (b"anthropic-version", ANTHROPIC_VERSION))
            case "gemini_generate":
                return ((b"x-goog-api-key", secret),)
            case _:
                return ((b"authorization", b"Bearer " + secret),)
