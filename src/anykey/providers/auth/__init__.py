"""How a credential is shown to an upstream: one scheme a file, a table of all here.

A scheme is a pure function from the credential to the headers that carry it, names lower case, as bytes.
"""

from collections.abc import Callable, Mapping

from anykey.providers.auth import bearer, none, x_api_key, x_goog_api_key
from anykey.providers.secret import Secret

HeaderPairs = tuple[tuple[bytes, bytes], ...]

SCHEMES: Mapping[str, Callable[[Secret], HeaderPairs]] = {
    "bearer": bearer.headers,
    "x_api_key": x_api_key.headers,
    "x_goog_api_key": x_goog_api_key.headers,
    "none": none.headers,
}


def auth_headers(scheme: str, credential: Secret | None) -> HeaderPairs:
    """Return the headers that carry `credential` under `scheme`; none when there is no credential."""
    return SCHEMES[scheme](credential) if credential is not None else ()
