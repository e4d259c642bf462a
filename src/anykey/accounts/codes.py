"""Codes that can be redeemed for credit: their text and its digest.

    ac-XXXXX-XXXXX-XXXXX-XXXXX-CCCCC

Twenty characters of Crockford's base 32 (100 secret bits) and five of a checksum, made to be printed and typed: case, spaces and
dashes do not matter, nor whether an O is a zero or an I a one. The text is reckoned from the code's id under the pepper, so that
a batch can be printed again without being stored; what is stored is an HMAC of the text under the same pepper, so a stolen
database redeems nothing.
"""

import hmac
import zlib

PREFIX = "ac-"
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SECRET_LENGTH, CHECKSUM_LENGTH, GROUP = 20, 5, 5
SHOWN_LENGTH = 4

_READ = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
_TEXT, _DIGEST = b"anykey code text\0", b"anykey code digest\0"


def code_text(code_id: str, pepper: bytes) -> str:
    """The code with this id, as it is printed."""
    number = int.from_bytes(hmac.digest(pepper, _TEXT + code_id.encode(), "sha256"))
    secret = _digits(number, SECRET_LENGTH)
    characters = secret + _checksum(secret)
    return PREFIX + "-".join(characters[at : at + GROUP] for at in range(0, len(characters), GROUP))


def parse_code(text: str) -> str | None:
    """The 25 characters of a code as somebody typed it; None where it is none, or mistyped."""
    typed = text.strip().upper()
    characters = typed.removeprefix(PREFIX.upper()).translate(_READ)
    if len(characters) != SECRET_LENGTH + CHECKSUM_LENGTH or not set(characters) <= set(ALPHABET):
        return None
    secret, checksum = characters[:SECRET_LENGTH], characters[SECRET_LENGTH:]
    return characters if checksum == _checksum(secret) else None


def code_digest(characters: str, pepper: bytes) -> bytes:
    """What is stored for a code whose 25 characters these are."""
    return hmac.digest(pepper, _DIGEST + characters.encode(), "sha256")


def _digits(number: int, length: int) -> str:
    return "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(length)))


def _checksum(secret: str) -> str:
    return _digits(zlib.crc32(secret.encode()), CHECKSUM_LENGTH)
