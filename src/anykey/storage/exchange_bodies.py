"""What was asked and what was answered, word for word, of the calls of keys that are logged in full: sealed, and for some days.

Law: neither text ever stands in the database in the clear. Each is packed, then sealed (AES-256-GCM) under a key made of the
pepper, which lies outside the database, for this row and this side alone: a copied database shows no prompt, and bytes that
were changed, or moved to another row, key or organisation, do not open. These are functions on an open connection.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from typing import Literal

import msgspec

from anykey.storage.database import Connection
from anykey.storage.packing import pack, unpack

_LABEL = b"anykey exchange bodies 1\0"
_NONCE_BYTES = 12
DELETE_ROWS = 200
"""Rows deleted in one transaction, so that other writers get their turn."""
ALL_TIMES_MS = 2**63 - 1

Side = Literal["request", "answer"]


class BrokenBodiesError(ValueError):
    """The bytes were changed, moved, or sealed under another pepper."""


class ExchangeBodies(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides of one call. `at` is Unix milliseconds, `expires_at` Unix seconds; `status` and `content_type` are the answer's.
    `request_bytes` and `answer_bytes` are how long they were: what is kept may be only their beginning."""

    id: str
    key_id: str
    organisation: str
    at: int
    expires_at: int
    status: int
    content_type: str
    request_bytes: int
    answer_bytes: int
    request: bytes
    answer: bytes

    def __repr__(self) -> str:
        return f"ExchangeBodies(id={self.id!r}, key_id={self.key_id!r}, request=***, answer=***)"

    def is_cut(self, side: Side) -> bool:
        """Whether only the beginning of this side is kept."""
        return len(self.request) < self.request_bytes if side == "request" else len(self.answer) < self.answer_bytes


_FIELDS = ExchangeBodies.__struct_fields__
_PUT = f"""INSERT INTO exchange_bodies ({", ".join(_FIELDS)}) VALUES ({", ".join("?" * len(_FIELDS))})
ON CONFLICT (id) DO NOTHING"""  # noqa: S608 - our own names
_FIND = f"SELECT {', '.join(_FIELDS)} FROM exchange_bodies WHERE id = ? AND expires_at > ?"  # noqa: S608 - our own names
_SWEEP = """DELETE FROM exchange_bodies WHERE id IN
(SELECT id FROM exchange_bodies WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)"""
_FORGET = """DELETE FROM exchange_bodies WHERE id IN
(SELECT id FROM exchange_bodies WHERE (? OR key_id = ?) AND at < ? LIMIT ?)"""


def sealed(bodies: ExchangeBodies, pepper: bytes) -> ExchangeBodies:
    """The same with both texts packed and sealed, as it is written."""
    return msgspec.structs.replace(
        bodies, request=_seal(bodies, "request", pepper), answer=_seal(bodies, "answer", pepper)
    )


def opened(bodies: ExchangeBodies, pepper: bytes) -> ExchangeBodies:
    """The same with both texts as they were. Raises BrokenBodiesError."""
    return msgspec.structs.replace(
        bodies, request=_open(bodies, "request", pepper), answer=_open(bodies, "answer", pepper)
    )


def put_bodies(connection: Connection, rows: Iterable[ExchangeBodies]) -> None:
    """Write what is sealed; those that are there already stay."""
    for row in rows:
        connection.execute(_PUT, msgspec.structs.astuple(row))


def find_bodies(connection: Connection, request_id: str, now_s: int) -> ExchangeBodies | None:
    """Those of a call, sealed; None: nothing is kept of it, or its time is over."""
    row = connection.execute(_FIND, (request_id, now_s)).fetchone()
    if row is None:
        return None
    return ExchangeBodies(**dict(zip(_FIELDS, row, strict=True)))


def sweep_bodies(connection: Connection, now_s: int) -> int:
    """Delete some whose time is over; returns how many."""
    return connection.execute(_SWEEP, (now_s, DELETE_ROWS)).rowcount


def forget_bodies(connection: Connection, key_id: str | None, before_ms: int) -> int:
    """Delete some of a key (None: of every key) that are older; returns how many."""
    return connection.execute(_FORGET, (key_id is None, key_id or "", before_ms, DELETE_ROWS)).rowcount


def _seal(bodies: ExchangeBodies, side: Side, pepper: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - 7 MB that few gateways need

    nonce = secrets.token_bytes(_NONCE_BYTES)
    text = bodies.request if side == "request" else bodies.answer
    return nonce + AESGCM(_key(bodies, pepper)).encrypt(nonce, pack(text), _binding(bodies, side))


def _open(bodies: ExchangeBodies, side: Side, pepper: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    kept = bodies.request if side == "request" else bodies.answer
    nonce, text = kept[:_NONCE_BYTES], kept[_NONCE_BYTES:]
    try:
        return unpack(AESGCM(_key(bodies, pepper)).decrypt(nonce, text, _binding(bodies, side)))
    except (InvalidTag, ValueError):
        raise BrokenBodiesError("changed, moved, or sealed under another pepper") from None


def _key(bodies: ExchangeBodies, pepper: bytes) -> bytes:
    """Each row has a key of its own, so that no nonce can come twice under one."""
    return hmac.digest(pepper, _LABEL + bodies.id.encode(), "sha256")


def _binding(bodies: ExchangeBodies, side: Side) -> bytes:
    """What is authenticated with the text: whose it is, which side, and how long it was."""
    size = bodies.request_bytes if side == "request" else bodies.answer_bytes
    return msgspec.json.encode((bodies.id, bodies.key_id, bodies.organisation, side, size))
