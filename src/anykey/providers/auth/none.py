"""No authentication: servers of one's own that ask for no key."""

from anykey.providers.auth.scheme import HeaderPairs, Scheme
from anykey.providers.secret import Secret


def headers(_credential: Secret) -> HeaderPairs:
    """Return no header; a credential that was given all the same is not sent anywhere."""
    return ()


def fault(_text: str) -> str | None:
    """Return None: what is not sent may be anything."""
    return None


SCHEME = Scheme(headers, fault)
