"""What a client sent and what it got, word for word, of the calls of keys that are logged in full, and of no others.

Law: it listens where the bytes leave the gateway, so what is kept is what the client got, whatever stood in between. It keeps no
header but the answer's content type, so no credential. A call that is not listened to pays for one comparison.
"""

from __future__ import annotations

from typing import Protocol

from anykey.exchange.exchange import Exchange
from anykey.exchange.gateway import Gateway
from anykey.exchange.ports import Headers
from anykey.protocols.codec import header
from anykey.storage.exchange_bodies import ExchangeBodies

FULL = "full"
DEFAULT_DAYS = 7
DAY_S = 86_400


class Transcript:
    """Both sides of a call, each up to ``most`` bytes."""

    __slots__ = ("_most", "_pieces", "_room", "answer_bytes", "content_type", "request", "request_bytes", "status")

    def __init__(self, request: bytes, most: int) -> None:
        self.request_bytes = len(request)
        self.request = request[:most]
        self._most = most
        self._begin_answer()

    def moved(self) -> Transcript:
        """One with the same request, whose answer is heard elsewhere."""
        other = Transcript(self.request, self._most)
        other.request_bytes = self.request_bytes
        return other

    def begin(self, status: int, headers: Headers) -> None:
        """The answer begins."""
        self.status = status
        self.content_type = (header(headers, b"content-type") or b"").decode("latin-1")

    def add(self, data: bytes) -> None:
        """More of the answer."""
        self.answer_bytes += len(data)
        if self._room > 0:
            self._pieces.append(data[: self._room])
            self._room -= len(data)

    @property
    def answer(self) -> bytes:
        """What was heard of it, as far as it is kept."""
        return b"".join(self._pieces)

    def _begin_answer(self) -> None:
        self.status = self.answer_bytes = 0
        self.content_type = ""
        self._pieces: list[bytes] = []
        self._room = self._most


class Outlet(Protocol):
    """Where an answer leaves the gateway."""

    def overhear(self, transcript: Transcript) -> None:
        """Tell it everything from now on, as it is told to the client."""
        ...


def listen(exchange: Exchange, gateway: Gateway) -> None:
    """Begin the transcript of a call, where there is somebody to keep it and it was not begun before."""
    bodies, outlet = gateway.bodies, exchange.outlet
    if bodies is None or outlet is None or exchange.transcript is not None:
        return
    exchange.transcript = Transcript(exchange.body if exchange.sent is None else exchange.sent, bodies.most_bytes)
    outlet.overhear(exchange.transcript)


def keep_transcript(exchange: Exchange, gateway: Gateway) -> None:
    """Hand over what was heard: the call is over, however it ended."""
    heard, key, bodies = exchange.transcript, exchange.key, gateway.bodies
    if heard is None or key is None or bodies is None:
        return
    exchange.transcript = None
    bodies.keep(
        ExchangeBodies(
            id=exchange.request_id,
            key_id=key.id,
            organisation=key.organisation,
            at=exchange.at_ms,
            expires_at=exchange.at_ms // 1000 + (key.logging_days or DEFAULT_DAYS) * DAY_S,
            status=heard.status,
            content_type=heard.content_type,
            request_bytes=heard.request_bytes,
            answer_bytes=heard.answer_bytes,
            request=heard.request,
            answer=heard.answer,
        )
    )
