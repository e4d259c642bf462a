"""What the journey needs of a way across, whether it is verbatim or translated."""

from __future__ import annotations

from typing import Protocol

from anykey.conversation.failures import Failure
from anykey.exchange.exchange import Exchange
from anykey.exchange.ports import Headers


class Pipe(Protocol):
    """Turns the upstream's stream into the client's. ``content``: real content passed. ``complete``: the protocol's end was
    heard. ``failure``: the answer broke, and the bytes just returned tell the client so in its own protocol."""

    @property
    def content(self) -> bool: ...
    @property
    def complete(self) -> bool: ...
    @property
    def failure(self) -> Failure | None: ...
    @property
    def refused(self) -> bool:
        """The upstream itself told of the failure."""
        ...

    def feed(self, chunk: bytes) -> bytes: ...
    def close(self) -> bytes:
        """The upstream closed its side: what is left to say. Sets ``failure`` if the answer is not complete."""
        ...

    def may_beat(self) -> bool:
        """A keep-alive may be written now: no event is half relayed."""
        ...

    def beat(self) -> bytes: ...
    def settle(self, exchange: Exchange) -> None:
        """Write down what was heard: usage, finish, model, losses."""
        ...


class Crossing(Protocol):
    """One attempt's way to an endpoint and back. ``decoded``: the answer must be read, so compressed bodies are welcome.
    ``copies``: the upstream is called so many times for the one call (``fanned``)."""

    body: bytes
    headers: Headers
    decoded: bool
    copies: int

    @property
    def carries_state(self) -> bool:
        """Reasoning state goes to the upstream. Asked only when an upstream refused the call."""
        ...

    def pipe(self) -> Pipe: ...
    def whole(self, body: bytes) -> bytes:
        """The client's body for the upstream's whole answer. AttemptFailed: it is no answer."""
        ...

    def whole_as_stream(self, body: bytes) -> bytes:
        """The client's stream for an upstream that answered whole although a stream was asked for."""
        ...
