"""What can go wrong while calling out.

UpstreamError
├── NameNotResolved      no address for the host
├── ConnectFailed        refused, unreachable
├── ConnectTimeout       no connection (name, TCP, tunnel and TLS together) within `connect_s`
├── TlsFailed            certificate not trusted, wrong name, or the handshake broke
├── ProxyFailed          the proxy itself refused or did not speak HTTP
├── FirstByteTimeout     no response head within `first_byte_s` of the request being written
├── IdleTimeout          silence in the middle of the exchange for `idle_s`
├── TotalTimeout         the whole call took longer than `total_s`
├── ConnectionLost       closed or reset before the response was whole, or given up by us
├── FramingBroken        not HTTP, or a body that contradicts its own headers
├── HeadersTooLarge      response head over 64 KiB or 200 fields
└── BodyTooLarge         more than the caller's limit, or more than `decoded_limit` after decoding

Messages name what happened and host:port, never a path, a query, a header or a credential.
"""


class UpstreamError(Exception):
    """A call that did not give a whole response. `response_started`: at least one byte of a response had arrived. `retried`: it
    failed on a new connection, after a kept-alive one had turned out to be dead."""

    retried = False

    def __init__(self, message: str, *, response_started: bool) -> None:
        super().__init__(message)
        self.response_started = response_started


class NameNotResolved(UpstreamError):
    """The host has no address, or the resolver failed."""


class ConnectFailed(UpstreamError):
    """No address of the host accepted a connection."""


class ConnectTimeout(UpstreamError):
    """There was no usable connection within `connect_s`."""


class TlsFailed(UpstreamError):
    """The TLS handshake failed; nothing was sent."""


class ProxyFailed(UpstreamError):
    """The proxy refused the call or answered nonsense."""


class FirstByteTimeout(UpstreamError):
    """The request was written, and no response head came within `first_byte_s`."""


class IdleTimeout(UpstreamError):
    """The upstream was silent, or took no byte of the request, for `idle_s`."""


class TotalTimeout(UpstreamError):
    """The call was still going on after `total_s`."""


class ConnectionLost(UpstreamError):
    """The connection ended before the response did."""


class FramingBroken(UpstreamError):
    """What came cannot be read as the HTTP it claims to be."""


class HeadersTooLarge(UpstreamError):
    """The response head is over the cap."""


class BodyTooLarge(UpstreamError):
    """The body is over the cap."""
