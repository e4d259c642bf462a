"""Calls that the gateway makes to a provider on its own account: for its list of models, and to try a model.

Law: a credential travels as its scheme says and to its own provider alone; no error here repeats a URL, which may hold one.
"""

import time
from typing import Self

import msgspec

from anykey.providers.auth import SCHEMES, HeaderPairs, SignedCall
from anykey.providers.configured import ProviderSettings, Timeouts
from anykey.providers.records import EndpointRow
from anykey.providers.secret import Secret
from anykey.upstream.client import UpstreamClient
from anykey.upstream.records import Call
from anykey.upstream.tokens import TokenSource

_ANSWER_BYTES_MAX = 16 * 1024 * 1024
_LIST_TIMEOUTS = Timeouts(connect_s=5, first_byte_s=20, idle_s=15, total_s=45)


class Answer(msgspec.Struct, frozen=True):
    """What came back, whole."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class ProviderCaller:
    """Calls one configured provider over `client`."""

    def __init__(self, client: UpstreamClient, provider: ProviderSettings) -> None:
        self._client = client
        self._provider = provider
        self._tokens = TokenSource(client, time.time)

    async def get(self, door: EndpointRow, url: str, headers: HeaderPairs) -> Answer:
        """GET `url` as a caller of `door`; `headers` are those of its protocol.

        Raises UpstreamError, TokenRefused, or ValueError for a URL that cannot be called.
        """
        whole = self._headers(door, headers)
        return await self._send(door, Call("GET", url, whole, timeouts=_LIST_TIMEOUTS, decode=True))

    async def post(self, door: EndpointRow, url: str, headers: HeaderPairs, body: bytes) -> Answer:
        """POST a JSON body in the same way."""
        whole = self._headers(door, ((b"content-type", b"application/json"), *headers))
        return await self._send(door, Call("POST", url, whole, body, self._provider.timeouts, decode=True))

    def _headers(self, door: EndpointRow, headers: HeaderPairs) -> HeaderPairs:
        """The row's and the operator's own, which win over the protocol's."""
        own = {**door.headers, **dict(self._provider.headers)}
        taken = {name.lower().encode("ascii"): value.encode("ascii") for name, value in own.items()}
        return tuple({**dict(headers), **taken}.items())

    async def _send(self, door: EndpointRow, call: Call) -> Answer:
        reply = await self._client.send(await self._with_credential(door, call))
        try:
            return Answer(reply.status, tuple(reply.headers), await reply.read(_ANSWER_BYTES_MAX))
        finally:
            reply.abort()

    async def _with_credential(self, door: EndpointRow, call: Call) -> Call:
        chosen = _Credential.of(self._provider, door)
        if chosen is None:
            return call
        scheme, secret = SCHEMES[chosen.scheme], chosen.secret
        if scheme.grant is not None:
            token = await self._tokens.get(chosen.scheme, secret)
            shown = scheme.headers(secret) + SCHEMES["bearer"].headers(token)
            return msgspec.structs.replace(call, headers=(*call.headers, *shown))
        url = call.url
        if scheme.query is not None:
            url += ("&" if "?" in url else "?") + scheme.query(secret)
        headers = (*call.headers, *scheme.headers(secret))
        if scheme.sign is not None:
            region = "" if door.region == "global" else door.region
            signed = SignedCall(call.method, url, headers, call.body, int(time.time()), region)
            headers = (*headers, *scheme.sign(secret, signed))
        return msgspec.structs.replace(call, url=url, headers=headers)


class _Credential(msgspec.Struct, frozen=True):
    """The provider's first credential and how it is shown."""

    secret: Secret
    scheme: str

    @classmethod
    def of(cls, provider: ProviderSettings, door: EndpointRow) -> Self | None:
        """Return it, or None where there is none."""
        held = provider.all_credentials()
        scheme = provider.auth or door.auth or provider.kind.auth
        return cls(held[0].secret, held[0].auth or scheme) if held else None
