"""How many tokens a request has, as a protocol asks and answers it. The same verbs stand in ``counting.py`` of each protocol that
has such an endpoint (Chat Completions has none); ``catalog.COUNTERS`` lists them.

A count request is a generate request without what concerns only the answer, so the codecs of requests do most of the work.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from anykey.conversation.request import GenerateRequest
from anykey.conversation.usage import token_count
from anykey.protocols.codec import Decoded, Encoded, RequestPath
from anykey.protocols.fields import peek_json

_raw_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


class TokenCounter(Protocol):
    """The counting endpoint of one protocol, from both sides. ``dialect`` is the protocol's own Dialect struct."""

    def decode_count_request(self, body: bytes, path: RequestPath) -> Decoded[GenerateRequest]:
        """The request whose tokens the client wants counted. FailureError (400) names the field at fault."""
        ...

    def prepare_count(self, body: bytes, model: str) -> bytes:
        """The client's own question for an upstream of the same protocol: only the model's name is changed."""
        ...

    def encode_count_request(self, request: GenerateRequest, dialect: Any) -> Encoded:
        """The question to an upstream."""
        ...

    def count_url(self, url: str, model: str) -> str:
        """Where the question goes: ``url`` is that of the endpoint, as in ``Codec.call_url``."""
        ...

    def decode_count(self, body: bytes) -> int | None:
        """All input tokens by the upstream's answer; None where it is no such answer."""
        ...

    def encode_count(self, count: int) -> bytes:
        """The client's answer."""
        ...


def read_count(body: bytes, key: str) -> int | None:
    """The number at ``key`` of the object in ``body`` if it can be a count of tokens."""
    try:
        return token_count(msgspec.json.decode(body, type=dict[str, Any]).get(key))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def with_model(body: bytes, model: str) -> bytes:
    """``body``, which names its model at the top, with another name there. FailureError (400): it is no JSON object."""
    fields: dict[str, msgspec.Raw] = peek_json(_raw_decoder, body)
    fields["model"] = msgspec.Raw(msgspec.json.encode(model))
    return msgspec.json.encode(fields)


def only(encoded: Encoded, keys: frozenset[str]) -> Encoded:
    """``encoded`` with only these keys of its object: the others concern the answer and are no part of the question. Losses of
    the request stay; they are about what is counted too."""
    fields = msgspec.json.decode(encoded.body, type=dict[str, msgspec.Raw])
    return Encoded(msgspec.json.encode({key: fields[key] for key in fields if key in keys}), encoded.losses)
