"""RS256 (RFC 7518 §3.3): how Google wants an assertion signed.

Law: imported at its first use only. cryptography takes 40 ms to import, which no one pays who has no such credential.
"""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key


def is_rsa_key(pem: str) -> bool:
    """Whether `pem` is a sound RSA private key without a password. Takes 40 ms: its numbers are checked."""
    try:
        return isinstance(load_pem_private_key(pem.encode("utf-8"), None), RSAPrivateKey)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def sign(pem: str, data: bytes) -> bytes:
    """Return the signature of `data`; ValueError for a key that is none. Takes 1 ms."""
    try:
        # Its numbers were checked when the credential was read, and this runs in the event loop.
        key = load_pem_private_key(pem.encode("utf-8"), None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("the credential's private key cannot be used")  # noqa: TRY004 - its text is wrong, not its type
    return key.sign(data, PKCS1v15(), SHA256())
