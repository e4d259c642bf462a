"""Credential files of Google's as they look, with keys made here."""

import json
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from anykey.providers.secret import Secret


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    """One key for all tests: making it takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    """The key as Google's files hold it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")


def service_account(**changes: object) -> Secret:
    """A service account's file; a change of None takes the field out."""
    fields: dict[str, object] = {
        "type": "service_account",
        "project_id": "lab-1",
        "private_key_id": "kid-1",
        "private_key": pem_of(rsa_key()),
        "client_email": "gateway@lab-1.iam.gserviceaccount.com",
        "client_id": "1234",
        "token_uri": "https://oauth2.googleapis.com/token",
        "universe_domain": "googleapis.com",
        **changes,
    }
    return Secret(json.dumps({name: value for name, value in fields.items() if value is not None}, indent=2))


def authorized_user(**changes: object) -> Secret:
    """What a sign-in leaves behind."""
    fields: dict[str, object] = {
        "type": "authorized_user",
        "client_id": "c-1.apps.googleusercontent.com",
        "client_secret": "GOCSPX-s3cret",
        "refresh_token": "1//r3fresh",
        "quota_project_id": "lab-1",
        **changes,
    }
    return Secret(json.dumps({name: value for name, value in fields.items() if value is not None}))
