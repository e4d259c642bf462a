"""What a call is marked with, for usage queries and conditions: texts by name.

The client says it in a header, or in its body (`metadata` of OpenAI's protocols, and of Messages, where it holds `user_id`);
its key may bring more. The header wins over the body, the body over the key. As at OpenAI there are at most 16 pairs, of 64
and 512 characters: a header beyond that is refused; a body is cut, for it was not written for us, and goes upstream whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from anykey.conversation.failures import invalid

MOST_PAIRS = 16
LONGEST_NAME = 64
LONGEST_VALUE = 512
NO_METADATA: Mapping[str, str] = {}

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder(order="sorted").encode


def header_metadata(header: str, text: str) -> Mapping[str, str]:
    """The metadata of a header: a JSON object of texts, numbers and booleans. FailureError 400 names the header."""
    try:
        said = _decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise invalid('it must be a JSON object of texts, such as {"user": "jo"}', header) from None
    if len(said) > MOST_PAIRS:
        raise invalid(f"at most {MOST_PAIRS} pairs, not {len(said)}", header)
    found: dict[str, str] = {}
    for name, value in said.items():
        if value is None:
            continue
        worded = _worded(value)
        if worded is None or not name or len(name) > LONGEST_NAME or len(worded) > LONGEST_VALUE:
            what = f"{name[:LONGEST_NAME]!r} must be a text of at most {LONGEST_VALUE} characters"
            raise invalid(f"{what}, its name of at most {LONGEST_NAME}", header)
        found[name] = worded
    return found


def body_metadata(said: bytes | msgspec.Raw) -> Mapping[str, str]:
    """The metadata of a body, from the JSON text of its field (empty: it has none); what is no text by name is left out, and what
    is too long is cut."""
    if len(bytes(said)) <= 4:  # nothing, {}, null or true
        return NO_METADATA
    try:
        fields = _decode(said)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return NO_METADATA
    found: dict[str, str] = {}
    for name, value in fields.items():
        worded = _worded(value)
        if worded is not None and name and len(found) < MOST_PAIRS:
            found[name[:LONGEST_NAME]] = worded[:LONGEST_VALUE]
    return found


def merged(header: Mapping[str, str], body: Mapping[str, str], key: Mapping[str, str] | None) -> Mapping[str, str]:
    """One mapping of the three; the same object where only one says anything."""
    if not key:
        return {**body, **header} if header and body else header or body
    return {**key, **body, **header} if header or body else key


def metadata_text(metadata: Mapping[str, str]) -> str | None:
    """How the usage row keeps it: a JSON object, None for nothing."""
    return _encode(metadata).decode() if metadata else None


def _worded(value: Any) -> str | None:
    """A scalar as text; None for what is none."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            return None
