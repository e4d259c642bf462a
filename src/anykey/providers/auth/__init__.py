"""How a credential is shown to an upstream: one scheme a file, a table of all here, and to whom it may go at all.

scheme.py           what a scheme is
visible.py          credentials that are one word
binding.py          the origin a credential is bound to
bearer.py x_api_key.py x_goog_api_key.py azure_api_key.py     a header
query_key.py        the end of the URL
aws_sigv4.py        a signature over each call
google_oauth.py     an access token that is asked for first
rs256.py            the signature of its assertion
none.py             nothing
"""

from collections.abc import Mapping

from anykey.providers.auth import (
    aws_sigv4,
    azure_api_key,
    bearer,
    google_oauth,
    none,
    query_key,
    x_api_key,
    x_goog_api_key,
)
from anykey.providers.auth.scheme import AccessToken, HeaderPairs, Scheme, SignedCall, TokenRequest
from anykey.providers.secret import Secret

__all__ = ["SCHEMES", "AccessToken", "HeaderPairs", "Scheme", "SignedCall", "TokenRequest", "auth_headers"]

SCHEMES: Mapping[str, Scheme] = {
    "bearer": bearer.SCHEME,
    "x_api_key": x_api_key.SCHEME,
    "x_goog_api_key": x_goog_api_key.SCHEME,
    "query_key": query_key.SCHEME,
    "azure_api_key": azure_api_key.SCHEME,
    "aws_sigv4": aws_sigv4.SCHEME,
    "google_oauth": google_oauth.SCHEME,
    "none": none.SCHEME,
}


def auth_headers(scheme: str, credential: Secret | None) -> HeaderPairs:
    """Return the headers of `scheme` that are the same for every call; none when there is no credential."""
    return SCHEMES[scheme].headers(credential) if credential is not None else ()
