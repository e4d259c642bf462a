"""How the demo model knows its own reasoning again: marks made with a secret of the process.

Law: the same words in the same answer have the same mark, so that answers repeat; no other process can make one, and one
that was altered, moved to other words or taken from another protocol is not known.
"""

import base64
import hashlib
import hmac
import secrets
from typing import Literal

Kind = Literal["thinking", "encrypted_content", "thought_signature"]

_SECRET = secrets.token_bytes(32)
_MARK_LENGTH = 24


def sign(kind: Kind, digest: str, said: str = "") -> str:
    """The mark, in base64, of words said in the answer to the request `digest`."""
    return base64.b64encode(digest.encode() + _mark(kind, digest, said)).decode()


def signed_answer(kind: Kind, signature: str, said: str = "") -> str | None:
    """The digest of the request in whose answer these words were signed, or None when the mark is not one of ours.

    Both alphabets of base64 are read: the Gemini SDK holds signatures as bytes and spells them anew.
    """
    letters = signature.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        whole = base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True)
        digest = whole[:-_MARK_LENGTH].decode()
    except ValueError:
        return None
    return digest if hmac.compare_digest(whole[-_MARK_LENGTH:], _mark(kind, digest, said)) else None


def _mark(kind: Kind, digest: str, said: str) -> bytes:
    return hmac.digest(_SECRET, f"{kind}\0{digest}\0{said}".encode(), hashlib.sha256)[:_MARK_LENGTH]
