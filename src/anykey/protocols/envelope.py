"""Reasoning state of one protocol inside the state field of another: the sealed envelope.

A client echoes the state that came with an answer (a signature, encrypted content) and never looks into it; only the model's
maker can read it. So what a model of another protocol made travels as one text that says who made it and is sealed with a
secret of this gateway: it comes back whole, goes to nobody but its maker, and no caller can forge one. Nothing is stored.

The text is base64, which is legal in every slot, and always begins with ``PREFIX``. It holds the magic with the version of the
format, the fields of ``_Content`` as MessagePack, and 16 bytes of HMAC-SHA256 over both. It is not encrypted: the state was the
client's to see anyway.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac

import msgspec

from anykey.conversation.parts import Json, OpaqueState, ReasoningPart

_MAGIC = b"AK1 reasoning state: "
"""Its length is a multiple of three, so that base64 of it is a prefix of base64 of the whole. The longer it is, the faster a
search for it: every verbatim call is searched."""
PREFIX = binascii.b2a_base64(_MAGIC, newline=False).decode()
_QUOTED_PREFIX = b'"' + PREFIX.encode()
_SEAL_LENGTH = 16
_SECRET_LABEL = b"anykey state envelope v1"


class Maker(msgspec.Struct, frozen=True):
    """Who made a state: the protocol it was spoken in, the provider by its configured name, the deployment's id."""

    protocol: str
    provider: str
    deployment: str


class Sealed(msgspec.Struct, frozen=True):
    """An opened envelope. ``part`` is the reasoning as its maker gave it, state included; ``has_text`` False: its readable text
    is not in the envelope but beside it, in the part that carried it."""

    maker: Maker
    part: ReasoningPart
    has_text: bool


class Tampered(msgspec.Struct, frozen=True):
    """The text has the form of an envelope, but its seal is not of this gateway or does not fit its content."""


class _Content(msgspec.Struct, array_like=True):
    maker: Maker
    origin: str
    place: str
    data: str
    redacted: bool
    text: str | None
    extras: Json


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(_Content)


def derive_secret(pepper: bytes) -> bytes:
    """The secret that seals envelopes, from the gateway's pepper: all processes of one installation have the same."""
    return hmac.digest(pepper, _SECRET_LABEL, hashlib.sha256)


def seal(part: ReasoningPart, maker: Maker, secret: bytes, *, with_text: bool = False) -> str:
    """``part.state`` (it must have one) as an envelope. ``with_text``: the client's slot has no place for the readable text,
    without which some makers refuse their own state, so that it goes along."""
    state = part.state
    if state is None:
        raise ValueError("the part has no state")
    text = part.text if with_text and not part.redacted else None
    extras = part.extras.get(maker.protocol, {})
    content = _MAGIC + _encode(_Content(maker, state.origin, state.place, state.data, part.redacted, text, extras))
    return binascii.b2a_base64(content + _seal_of(content, secret), newline=False).decode()


def unseal(text: str, secret: bytes) -> Sealed | Tampered | None:
    """What ``text`` holds; None when it is no envelope at all. Both alphabets of base64 are read, padded or not: SDKs that
    hold such a field as bytes spell it anew."""
    if not text.startswith(PREFIX):
        return None
    letters = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        whole = binascii.a2b_base64(letters + "=" * (-len(letters) % 4), strict_mode=True)
    except ValueError:
        return Tampered()
    content, mark = whole[:-_SEAL_LENGTH], whole[-_SEAL_LENGTH:]
    if not hmac.compare_digest(mark, _seal_of(content, secret)):
        return Tampered()
    return _open(content[len(_MAGIC) :])


def holds_envelope(body: bytes) -> bool:
    """Some string of the JSON ``body`` begins like an envelope. One search, no parse."""
    return _QUOTED_PREFIX in body


def newest_maker(body: bytes, secret: bytes) -> Maker | None:
    """Who made the last state of the JSON ``body`` that is in a good envelope of ours; None if the last one is not."""
    start = body.rfind(_QUOTED_PREFIX) + 1
    end = body.find(b'"', start)
    if start == 0 or end < 0:
        return None
    found = unseal(body[start:end].decode("latin-1"), secret)
    return found.maker if isinstance(found, Sealed) else None


def _open(packed: bytes) -> Sealed | Tampered:
    try:
        content = _decoder.decode(packed)
    except msgspec.DecodeError:
        return Tampered()  # sealed by another version of the gateway that knew other fields
    maker = content.maker
    part = ReasoningPart(
        content.text or "",
        OpaqueState(content.origin, content.data, content.place),
        content.redacted,
        {maker.protocol: content.extras} if content.extras else {},
    )
    return Sealed(maker, part, content.text is not None or content.redacted)


def _seal_of(content: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, content, hashlib.sha256)[:_SEAL_LENGTH]
