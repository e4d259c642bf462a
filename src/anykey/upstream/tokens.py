"""Access tokens: a credential that is no token itself (a Google account) is exchanged for one, which is kept while good.

Law: for one credential there is one request at a time, whoever waits for it and whoever stops waiting. No message here
repeats a word of a reply, which may hold a token, or of a credential.
"""

import asyncio
from collections.abc import Callable

import msgspec

from anykey.providers.auth import SCHEMES, AccessToken, Scheme
from anykey.providers.auth.binding import origin_of
from anykey.providers.configured import Timeouts
from anykey.providers.secret import Secret
from anykey.upstream.client import UpstreamClient
from anykey.upstream.records import Call

_EARLY_S = 60
"""A token is not used in its last minute: the call that carries it may take a while to be looked at."""
_REFUSED_FOR_S = 5
"""For so long a refusal is not asked again."""
_LARGEST_REPLY = 65_536
_MOST_KEPT = 1024
_TIMEOUTS = Timeouts(connect_s=5, first_byte_s=10, idle_s=10, total_s=15)

_REASONS = {
    "invalid_grant": "the account or its key is gone, the sign-in was revoked, or this machine's clock is wrong",
    "invalid_client": "the client of the sign-in is not known there any more",
    "invalid_request": "the request was not understood",
    "invalid_scope": "the account may not have the scope",
    "unauthorized_client": "the account may not ask for tokens in this way",
    "unsupported_grant_type": "this kind of account is not taken there",
    "access_denied": "access is denied",
    "admin_policy_enforced": "a policy of the organisation forbids it",
    "org_internal": "the account does not belong to the organisation",
    "temporarily_unavailable": "it is not available at the moment",
}
"""The error codes of RFC 6749 §5.2 and of Google's, with what they come down to."""


class TokenRefused(Exception):
    """No token for this credential. `status` is that of the reply, 0 where none was asked for; the message is for operators."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class _Kept(msgspec.Struct, frozen=True):
    """What the last request came to: a token or a refusal, and until when it stands (seconds since 1970)."""

    until_s: float
    token: Secret | None = None
    refusal: str = ""
    status: int = 0


class _Refusal(msgspec.Struct, frozen=True):
    error: str = ""


class TokenSource:
    """Gives access tokens, on one event loop. `wall_clock` is in seconds since 1970."""

    def __init__(self, client: UpstreamClient, wall_clock: Callable[[], float]) -> None:
        self._client = client
        self._wall_clock = wall_clock
        self._kept: dict[tuple[str, Secret], _Kept] = {}
        self._flights: dict[tuple[str, Secret], asyncio.Task[_Kept]] = {}

    async def get(self, scheme: str, credential: Secret) -> Secret:
        """Return a token for `credential`, good for another minute at least unless it never was.

        Raises TokenRefused, or UpstreamError when nobody answered; ValueError for a scheme that has no tokens.
        """
        key = (scheme, credential)
        kept = self._kept.get(key)
        if kept is None or self._wall_clock() >= kept.until_s:
            flight = self._flights.get(key)
            if flight is None:
                flight = self._start(key)
            kept = await asyncio.shield(flight)
        if kept.token is None:
            raise TokenRefused(kept.refusal, kept.status)
        return kept.token

    def forget(self, scheme: str, credential: Secret) -> None:
        """Drop the token that is kept: a provider said that it is not good."""
        self._kept.pop((scheme, credential), None)

    def _start(self, key: tuple[str, Secret]) -> asyncio.Task[_Kept]:
        """Begin a request of its own, which goes on when the caller that began it goes away."""
        grants = SCHEMES[key[0]]
        flight = self._flights[key] = asyncio.create_task(self._ask(grants, key), name="access token")
        flight.add_done_callback(lambda done: self._landed(key, done))
        return flight

    def _landed(self, key: tuple[str, Secret], flight: asyncio.Task[_Kept]) -> None:
        del self._flights[key]
        if flight.cancelled() or flight.exception() is not None:  # asked, so that asyncio does not report it as unseen
            self._kept.pop(key, None)
            return
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[key] = flight.result()

    async def _ask(self, scheme: Scheme, key: tuple[str, Secret]) -> _Kept:
        if scheme.grant is None or scheme.token is None:
            raise ValueError(f"{key[0]} has no access tokens")
        try:
            request = scheme.grant(key[1], int(self._wall_clock()))
        except ValueError as error:
            return self._refused(str(error))
        host = origin_of(request.url).authority
        reply = await self._client.send(Call("POST", request.url, request.headers, request.body, _TIMEOUTS))
        try:
            body = await reply.read(_LARGEST_REPLY)
        finally:
            reply.abort()
        if reply.status != 200:
            return self._refused(f"{host} gives no access token: {_reason(reply.status, body)}", reply.status)
        try:
            return self._granted(scheme.token(body))
        except ValueError as error:
            return self._refused(f"{host} gives no access token: {error}", reply.status)

    def _granted(self, token: AccessToken) -> _Kept:
        return _Kept(self._wall_clock() + token.lives_s - _EARLY_S, token.secret)

    def _refused(self, message: str, status: int = 0) -> _Kept:
        return _Kept(self._wall_clock() + _REFUSED_FOR_S, refusal=message, status=status)


def _reason(status: int, body: bytes) -> str:
    """Say what a refusal comes down to; of the reply only a known error code is repeated."""
    try:
        code = msgspec.json.decode(body, type=_Refusal).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        code = ""
    return f"{code}, {_REASONS[code]}" if code in _REASONS else f"it answers with status {status}"
