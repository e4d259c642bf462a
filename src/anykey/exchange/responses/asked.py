"""What a Responses request asks of our memory, read without parsing the rest of the body."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from anykey.conversation.failures import FailureError, invalid

REFERENCE = b'"item_reference"'
FIELD = " - at `$."
"""Stands in an error of msgspec before the field that is wrong; an error about the whole body has none."""


class _Named(msgspec.Struct):
    id: str


class _Fields(msgspec.Struct):
    model: str | None = None
    store: bool | None = None
    background: bool | None = None
    stream: bool | None = None
    previous_response_id: str | None = None
    conversation: str | _Named | None = None
    metadata: msgspec.Raw = msgspec.Raw()
    max_output_tokens: msgspec.Raw = msgspec.Raw()
    service_tier: msgspec.Raw = msgspec.Raw()


class Asked(NamedTuple):
    """``store`` is true unless the caller said false, as at OpenAI. ``references``: the input may name items by their ids.
    ``model`` and the fields from ``metadata`` on are read on the way, so that a body need not be gone through twice."""

    store: bool = True
    background: bool = False
    stream: bool = False
    previous_response_id: str | None = None
    conversation: str | None = None
    references: bool = False
    model: str | None = None
    metadata: msgspec.Raw = msgspec.Raw()
    max_output_tokens: msgspec.Raw = msgspec.Raw()
    service_tier: msgspec.Raw = msgspec.Raw()

    @property
    def continues(self) -> bool:
        """There is something to look up."""
        return self.previous_response_id is not None or self.conversation is not None or self.references

    @property
    def stateless(self) -> bool:
        """Nothing is asked of our memory."""
        return not (self.store or self.background or self.continues)


_DECODER = msgspec.json.Decoder(_Fields)


def read_asked(body: bytes) -> Asked | None:
    """What ``body`` asks for; None where it is no JSON object, which the journey refuses in its own words.

    FailureError 400: a field has the wrong type, or two ways to continue are named at once.
    """
    try:
        fields = _DECODER.decode(body)
    except msgspec.ValidationError as error:
        if FIELD not in str(error) or str(error).endswith("model`"):
            return None
        raise _wrong_type(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    conversation = fields.conversation
    asked = Asked(
        fields.store is not False,
        bool(fields.background),
        bool(fields.stream),
        fields.previous_response_id or None,
        conversation.id if isinstance(conversation, _Named) else conversation or None,
        body.rfind(REFERENCE) >= 0,  # from the end CPython searches twice as fast, and a body may be large
        fields.model,
        fields.metadata,
        fields.max_output_tokens,
        fields.service_tier,
    )
    if asked.previous_response_id is not None and asked.conversation is not None:
        raise invalid("cannot be used together with conversation", "previous_response_id")
    if asked.background and not asked.store:
        raise invalid("a background response must be stored; leave out store or set it to true", "background")
    return asked


def _wrong_type(error: msgspec.ValidationError) -> FailureError:
    what, _, where = str(error).partition(FIELD)
    return invalid(what, where.rstrip("`") or None)
