"""`x-goog-api-key: <credential>`: Gemini's own."""

from anykey.providers.secret import Secret


def headers(credential: Secret) -> tuple[tuple[bytes, bytes], ...]:
    """Return the one header. The credential must be printable ASCII, which the settings have checked."""
    return ((b"x-goog-api-key", credential.reveal().encode("ascii")),)
