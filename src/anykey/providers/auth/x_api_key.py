"""`x-api-key: <credential>`: Anthropic's own. Where both are sent, Anthropic takes this one and not the bearer."""

from anykey.providers.auth import visible
from anykey.providers.auth.scheme import HeaderPairs, Scheme
from anykey.providers.secret import Secret


def headers(credential: Secret) -> HeaderPairs:
    """Return the one header. The credential must be printable ASCII, which the settings have checked."""
    return ((b"x-api-key", credential.reveal().encode("ascii")),)


SCHEME = Scheme(headers, visible.fault)
