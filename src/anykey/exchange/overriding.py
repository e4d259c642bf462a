"""Setting top-level fields of a client's request without decoding the rest of it.

An operator's config may say `temperature` for every call to a deployment. The values of all other fields stay as the client wrote
them, byte for byte, and in their order: a parse and a re-encoding would change numbers and texts nobody meant to touch.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode
_NULL = b"null"


def apply_overrides(body: bytes, overrides: Iterable[tuple[str, bytes]]) -> bytes:
    """`body`, a JSON object, with each named field set to a raw JSON value, or removed where that is `null`.

    New fields come last, in the order given; of a field that stands in the body several times the last counts, as it does for who
    reads it. A body that is no JSON object, and one in which nothing changes, is returned as it is.
    """
    try:
        fields = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body  # refused elsewhere, in its protocol's words
    changed = False
    for name, value in overrides:
        if value == _NULL:
            changed = fields.pop(name, None) is not None or changed
        elif name not in fields or bytes(fields[name]) != value:
            fields[name] = msgspec.Raw(value)
            changed = True
    return _encode(fields) if changed else body
