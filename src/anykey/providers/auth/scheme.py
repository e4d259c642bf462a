"""What a scheme is: the ways in which one credential becomes part of a call, and the records they take and give.

Law: everything here is a pure function of its arguments. The hour is an argument (`at_s`, seconds since 1970), and who
sends what was computed is `anykey.upstream`.
"""

from collections.abc import Callable
from typing import NamedTuple

from anykey.providers.secret import Secret

HeaderPairs = tuple[tuple[bytes, bytes], ...]
"""Names in lower case."""


class SignedCall(NamedTuple):
    """The call that a signature covers, exactly as it will be sent."""

    method: str
    url: str
    """Whole, its path percent-encoded as on the wire."""
    headers: HeaderPairs
    """Without those of the HTTP client (host, content-length …)."""
    body: bytes
    at_s: int
    region: str = ""
    """Empty: the one that the host names."""
    service: str = "bedrock"

    def __repr__(self) -> str:
        return f"SignedCall({self.method}, {len(self.body)} bytes)"


class TokenRequest(NamedTuple):
    """What to POST for an access token."""

    url: str
    headers: HeaderPairs
    body: bytes

    def __repr__(self) -> str:
        return f"TokenRequest({len(self.body)} bytes)"


class AccessToken(NamedTuple):
    """What came back: a token, and for how many seconds it is good."""

    secret: Secret
    lives_s: int


class Scheme(NamedTuple):
    """One way of showing a credential. A scheme with `grant` shows the token it is given as a bearer."""

    headers: Callable[[Secret], HeaderPairs]
    """The headers that are the same for every call."""
    fault: Callable[[str], str | None]
    """What is wrong with the text of a credential (a `settings.*` code), or None."""
    query: Callable[[Secret], str] | None = None
    """`name=value`, percent-encoded, for the end of the URL. To be joined at the moment of the call, and never logged."""
    sign: Callable[[Secret, SignedCall], HeaderPairs] | None = None
    """Further headers of one call."""
    grant: Callable[[Secret, int], TokenRequest] | None = None
    """The request for an access token, at a time in seconds since 1970."""
    token: Callable[[bytes], AccessToken] | None = None
    """Reads the reply to it; ValueError for one that holds no token."""
