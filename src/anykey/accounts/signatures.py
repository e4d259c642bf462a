"""How a body is signed that travels between us and another server: with a shared secret, and the moment it was sent.

    x-anykey-signature: t=1800000000,v1=<64 hex digits>

`v1` is HMAC-SHA256, under the secret, of the digits of `t`, a point, and the body as it is. A signature older than five minutes
is refused, so that what is overheard cannot be sent again for long; within them, an id in the body makes it count once.
"""

import hmac
import re

HEADER = "x-anykey-signature"
OLDEST_S = 300

_FORM = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


class SignatureRefused(ValueError):
    """`code` says why: no_signature, wrong_signature or too_old."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def sign(secret: bytes, body: bytes, at_s: int) -> str:
    """The header's value for a body that is sent at `at_s` (Unix seconds)."""
    return f"t={at_s},v1={hmac.digest(secret, b'%d.' % at_s + body, 'sha256').hex()}"


def check(secret: bytes, header: str | None, body: bytes, now_s: float) -> None:
    """Raise SignatureRefused unless the header is this body's, and fresh. An empty secret signs nothing: ValueError."""
    if not secret:
        raise ValueError("no secret")
    found = _FORM.fullmatch(header or "")
    if found is None:
        raise SignatureRefused("no_signature")
    at_s = int(found[1])
    expected = hmac.digest(secret, b"%d." % at_s + body, "sha256")
    if not hmac.compare_digest(expected, bytes.fromhex(found[2])):
        raise SignatureRefused("wrong_signature")
    if abs(now_s - at_s) > OLDEST_S:
        raise SignatureRefused("too_old")
