"""`Authorization: Bearer <credential>` (RFC 6750): OpenAI and nearly all who follow it."""

from anykey.providers.secret import Secret


def headers(credential: Secret) -> tuple[tuple[bytes, bytes], ...]:
    """Return the one header. The credential must be printable ASCII, which the settings have checked."""
    return ((b"authorization", b"Bearer " + credential.reveal().encode("ascii")),)
