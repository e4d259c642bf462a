"""What a caller says: one request and how long it may take; and what it is told while it waits."""

from typing import Protocol

import msgspec

from anykey.providers.configured import Timeouts


class Call(msgspec.Struct, frozen=True):
    """One request. `url` is absolute http or https.

    `headers` exclude host, content-length, connection, transfer-encoding and accept-encoding: the client sets them.
    `decode=False` asks for an identity body, `decode=True` for a compressed one; the body that comes out is identity
    in both cases, for some servers compress unasked. `public_only` refuses to connect to an address that is not of the public
    internet, whatever the host's name resolves to, and goes through no proxy, which would resolve it itself.
    """

    method: str
    url: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes = b""
    timeouts: Timeouts = Timeouts()
    decode: bool = False
    public_only: bool = False

    def __repr__(self) -> str:
        """The method and the size only: headers, query and body hold secrets."""
        return f"Call({self.method}, {len(self.body)} bytes)"


class Asker(Protocol):
    """Whoever waits for the answer. ``asking``: the request is written, or may be in part. False again where the connection
    that it was written to was dead: it was not taken."""

    @property
    def asking(self) -> bool: ...
    @asking.setter
    def asking(self, written: bool) -> None: ...


class Nobody:
    """An asker who does not want to know."""

    asking = False
