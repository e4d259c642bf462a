"""`x-api-key: <credential>`: Anthropic's own. Where both are sent, Anthropic takes this one and not the bearer."""

from anykey.providers.secret import Secret


def headers(credential: Secret) -> tuple[tuple[bytes, bytes], ...]:
    """Return the one header. The credential must be printable ASCII, which the settings have checked."""
    return ((b"x-api-key", credential.reveal().encode("ascii")),)
