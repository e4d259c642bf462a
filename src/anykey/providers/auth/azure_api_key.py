"""`api-key: <credential>`: the keys of an Azure resource. Its Entra ID tokens are plain bearers."""

from anykey.providers.auth import visible
from anykey.providers.auth.scheme import HeaderPairs, Scheme
from anykey.providers.secret import Secret


def headers(credential: Secret) -> HeaderPairs:
    """Return the one header. The credential must be printable ASCII, which the settings have checked."""
    return ((b"api-key", credential.reveal().encode("ascii")),)


SCHEME = Scheme(headers, visible.fault)
