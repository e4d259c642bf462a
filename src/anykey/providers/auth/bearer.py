"""`Authorization: Bearer <credential>` (RFC 6750): OpenAI and nearly all who follow it, and every OAuth access token."""

from anykey.providers.auth import visible
from anykey.providers.auth.scheme import HeaderPairs, Scheme
from anykey.providers.secret import Secret


def headers(credential: Secret) -> HeaderPairs:
    """Return the one header. The credential must be printable ASCII, which the settings have checked."""
    return ((b"authorization", b"Bearer " + credential.reveal().encode("ascii")),)


SCHEME = Scheme(headers, visible.fault)
