"""Signatures that the public key confirms, and keys that are none."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from anykey.providers.auth import rs256
from tests.unit.providers.auth.keys import pem_of, rsa_key


def test_the_public_key_confirms_it() -> None:
    pem = pem_of(rsa_key())
    assert rs256.is_rsa_key(pem)
    rsa_key().public_key().verify(rs256.sign(pem, b"said"), b"said", PKCS1v15(), SHA256())


@pytest.mark.parametrize("broken", ["", "no key", "curve", "cut"])
def test_what_is_no_rsa_key(broken: str) -> None:
    if broken == "curve":
        broken = pem_of(ec.generate_private_key(ec.SECP256R1()))
    elif broken == "cut":
        broken = pem_of(rsa_key())[:-200] + "-----END PRIVATE KEY-----\n"
    assert not rs256.is_rsa_key(broken)
    with pytest.raises(ValueError, match="private key cannot be used"):
        rs256.sign(broken, b"said")
