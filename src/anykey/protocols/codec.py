"""What every protocol can do. The same verbs stand in the same files of each protocol folder.

``decode_*`` reads the wire into the neutral model, ``encode_*`` writes it. Each verb returns its value together with the
losses it met; what the caller got wrong is raised as ``FailureError``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from anykey.conversation.events import StreamEvent
from anykey.conversation.failures import Failure
from anykey.conversation.losses import Loss
from anykey.conversation.parts import Json, ProtocolName
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import GenerateResponse
from anykey.conversation.usage import Usage

T = TypeVar("T")
Headers = Sequence[tuple[bytes, bytes]]
"""Header names lower-case."""


class RequestPath(NamedTuple):
    """What a URL itself says of a request, for protocols that put the model and the verb there."""

    model: str | None = None
    stream: bool | None = None


class Decoded(NamedTuple, Generic[T]):
    value: T
    losses: tuple[Loss, ...]


class Encoded(NamedTuple):
    body: bytes
    losses: tuple[Loss, ...]


class HttpReply(NamedTuple):
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Peek(msgspec.Struct):
    """The fields that routing, the usage row and the reservation of money need, read without parsing the rest of the body. Raw
    ones are the JSON text of the body's own, whatever it is, empty where it has none."""

    model: str
    stream: bool | None = None
    metadata: msgspec.Raw = msgspec.Raw()
    max_tokens: msgspec.Raw = msgspec.Raw()
    max_completion_tokens: msgspec.Raw = msgspec.Raw()
    max_output_tokens: msgspec.Raw = msgspec.Raw()
    n: msgspec.Raw = msgspec.Raw()
    service_tier: msgspec.Raw = msgspec.Raw()
    speed: msgspec.Raw = msgspec.Raw()


class PreparedBody(NamedTuple):
    """A caller's body made ready for an upstream of the same protocol. ``hide_usage``: the usage chunk was asked for by us,
    not by the caller, and must not reach him."""

    body: bytes
    hide_usage: bool


class TapReport(msgspec.Struct):
    """What a Tap heard so far of a relayed answer. ``content``: a byte of real content passed (lifecycle frames and empty
    deltas do not count). ``complete``: the protocol's end (finish reason or terminal event) was heard. ``failure``: the
    upstream reported an error in the stream. ``said_bytes``: of text, reasoning and arguments of calls, in a stream.
    ``early_usage``: ``usage`` is what was known at the beginning, before anything was said. ``tier``: the service tier that it
    names (``protocols/tiers.py``), the last word of it."""

    content: bool = False
    complete: bool = False
    finish: str | None = None
    model: str | None = None
    usage: Usage | None = None
    failure: Failure | None = None
    said_bytes: int = 0
    early_usage: bool = False
    tier: str | None = None


class Tap(Protocol):
    """Listens to a verbatim relay. ``feed`` returns the bytes to relay: the same object, unless the usage chunk is hidden.
    It never raises: a Tap can miss something but not break the relay."""

    report: TapReport

    def feed(self, chunk: bytes) -> bytes: ...
    def at_boundary(self) -> bool:
        """No event is half relayed, so a keep-alive may be written now."""
        ...

    def close(self) -> bytes:
        """The upstream ended cleanly: what is still held back, and the terminal marker if only that was missing."""
        ...


class StreamDecoder(Protocol):
    """Bytes in, events out; any cut of the same bytes gives the same events. After ``Ended`` or ``Broke`` it is silent."""

    losses: list[Loss]

    def feed(self, data: bytes) -> list[StreamEvent]: ...
    def close(self) -> list[StreamEvent]:
        """The upstream closed: ``Ended`` if the answer was complete, else ``Broke``."""
        ...


class StreamEncoder(Protocol):
    """Events in, bytes out. Legal events give a legal stream of the protocol, terminal event, finish and usage included."""

    losses: list[Loss]

    def feed(self, events: list[StreamEvent]) -> bytes: ...
    def heartbeat(self) -> bytes: ...


class UpstreamCodec(Protocol):
    """One protocol as we speak it to an upstream. ``dialect`` arguments take the protocol's own Dialect struct."""

    @property
    def name(self) -> ProtocolName: ...
    def dialect(self, table: Json) -> Any:
        """The Dialect of a catalogue row's table; ValueError names an unknown field or a wrong value."""
        ...

    def call_url(self, url: str, model: str, *, stream: bool) -> str:
        """Where a call goes: ``url`` is the endpoint's; protocols that name model and verb in the path add them."""
        ...

    def request_headers(
        self, client_headers: Headers, dialect: Any, *, verbatim: bool, asked: GenerateRequest | bytes = b""
    ) -> tuple[tuple[bytes, bytes], ...]:
        """Protocol headers of the upstream call (Messages: version and betas), credentials not included. ``asked``: the request
        that was encoded, perhaps without its messages, or the client's own bytes where those go out; for a server that takes in
        a header what the protocol has in the body."""
        ...

    def encode_request(self, request: GenerateRequest, dialect: Any) -> Encoded: ...
    def decode_response(self, body: bytes, dialect: Any) -> Decoded[GenerateResponse]: ...
    def stream_decoder(self, dialect: Any) -> StreamDecoder: ...
    def decode_failure(self, status: int, headers: Headers, body: bytes) -> Failure: ...


class Codec(UpstreamCodec, Protocol):
    """One protocol, both directions: clients speak it to us too."""

    request_id_header: bytes
    """Where this protocol's SDKs look for the request id: ``x-request-id`` or ``request-id``."""
    reads_comments: bool
    """Its SDKs pass over comments in a stream, as a reader of server-sent events does. Google's takes each line for JSON."""

    def peek(self, body: bytes, path: RequestPath) -> Peek: ...
    def fits_verbatim(self, body: bytes, dialect: Any) -> bool:
        """The caller's own bytes may go to an upstream of the same protocol: it knows whatever of the protocol they use."""
        ...

    def prepare_verbatim(self, body: bytes, model: str, dialect: Any) -> PreparedBody:
        """The caller's own bytes with only the model's name (and, for a Chat stream, the usage option) changed."""
        ...

    def decode_request(self, body: bytes, path: RequestPath) -> Decoded[GenerateRequest]: ...
    def encode_response(
        self, response: GenerateResponse, request: GenerateRequest | None = None, body: bytes = b""
    ) -> Encoded:
        """The client's answer. ``request`` holds the options asked for (no messages, no tools), ``body`` the client's own bytes
        for protocols whose answers repeat the request."""
        ...

    def stream_encoder(self, request: GenerateRequest, body: bytes = b"") -> StreamEncoder:
        """``request`` and ``body`` as in ``encode_response``."""
        ...

    def tap(self, dialect: Any, *, stream: bool, hide_usage: bool) -> Tap: ...
    def encode_failure(self, failure: Failure, request_id: str) -> HttpReply: ...
    def encode_stream_failure(self, failure: Failure, request_id: str) -> bytes:
        """The in-band error that ends a stream after content was relayed."""
        ...

    def heartbeat(self) -> bytes:
        """The keep-alive this protocol's clients accept, for a relay without an encoder."""
        ...


def header(headers: Headers, name: bytes) -> bytes | None:
    """The first value of ``name`` (lower-case), or None."""
    for key, value in headers:
        if key == name:
            return value
    return None
