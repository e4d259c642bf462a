"""How a credential is sealed: AES-256-GCM under a key of its own, which is sealed in turn under the master key.

Law: pure functions, no clock, no file; randomness is an argument. They stand here and not in `storage` so that the store never
holds anything but sealed bytes. A sealed credential opens only for the row, provider and origin it was sealed for: those are
authenticated with it, so that exchanging two rows' bytes, or moving one to another host, makes it worthless.

    1 version | 8 which master key | 12 nonce | 48 the data key, sealed | 12 nonce | the text, sealed (16 more)

Because the text is sealed under the data key, a new master key means sealing 32 bytes anew, not reading any credential.
"""

from collections.abc import Callable

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from anykey.administration.master_key import KEY_BYTES, mark

TABLE = "credentials"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_MARK_BYTES = 9
_HEAD_BYTES = _MARK_BYTES + _NONCE_BYTES + KEY_BYTES + _TAG_BYTES

RandomBytes = Callable[[int], bytes]


class SealBrokenError(ValueError):
    """The bytes were changed, sealed for another row or origin, or under another master key."""


def binding(row_id: str, provider: str, origin: tuple[str, str, int]) -> bytes:
    """What a credential is sealed for: its row, its provider and the (scheme, host, port) it may be sent to."""
    return msgspec.json.encode((TABLE, row_id, provider, *origin))  # JSON: no two lists of texts read the same


def seal(master_key: bytes, text: str, bound: bytes, random: RandomBytes) -> bytes:
    """Seal `text` under `master_key` for `bound` (see binding)."""
    data_key, nonce = random(KEY_BYTES), random(_NONCE_BYTES)
    return _wrap(master_key, data_key, bound, random) + nonce + AESGCM(data_key).encrypt(nonce, text.encode(), bound)


def unseal(master_key: bytes, sealed: bytes, bound: bytes) -> str:
    """The text. Raises SealBrokenError."""
    data_key, rest = _unwrap(master_key, sealed, bound), sealed[_HEAD_BYTES:]
    return _opened(data_key, rest, bound).decode()


def rewrap(keys: tuple[bytes, bytes], sealed: bytes, bound: bytes, random: RandomBytes) -> bytes:
    """The same credential under another master key; `keys` are (old, new). Raises SealBrokenError."""
    old, new = keys
    return _wrap(new, _unwrap(old, sealed, bound), bound, random) + sealed[_HEAD_BYTES:]


def _wrap(master_key: bytes, data_key: bytes, bound: bytes, random: RandomBytes) -> bytes:
    head, nonce = mark(master_key), random(_NONCE_BYTES)
    return head + nonce + AESGCM(master_key).encrypt(nonce, data_key, head + bound)


def _unwrap(master_key: bytes, sealed: bytes, bound: bytes) -> bytes:
    head = mark(master_key)
    if not sealed.startswith(head):
        raise SealBrokenError("sealed under another master key")
    return _opened(master_key, sealed[_MARK_BYTES:_HEAD_BYTES], head + bound)


def _opened(key: bytes, nonce_and_sealed: bytes, authenticated: bytes) -> bytes:
    if len(nonce_and_sealed) < _NONCE_BYTES + _TAG_BYTES:
        raise SealBrokenError("cut short")
    nonce, sealed = nonce_and_sealed[:_NONCE_BYTES], nonce_and_sealed[_NONCE_BYTES:]
    try:
        return AESGCM(key).decrypt(nonce, sealed, authenticated)
    except InvalidTag:
        raise SealBrokenError("changed, or sealed for another row or origin") from None
