"""Google's generateContent as a Codec.

A body that is decoded and encoded again says the same, in one spelling. These are the differences, for a dialect that takes
everything. In a request:

- keys are camelCase (not those inside parts of Google's own tools), nulls are dropped, a content says its role, ``function``
  is ``user``, and contents of one role in a row are one; the system instruction has no role; base64 is in the standard alphabet
  with padding;
- calls have ids, also those that came without; a result has the id of its call; absent ``args`` are ``{}``;
- a result's ``{"result": text}`` is ``{"output": text}``, an error's text that is a JSON object is the object;
- all functions stand in one tool, where the first of them stood, Google's own tools in one tool each; ``parameters`` and
  ``responseSchema`` are ``parametersJsonSchema`` and ``responseJsonSchema`` with lower-case types, properties in their
  ``propertyOrdering``;
- ``ANY`` with an empty list of names has none; ``AUTO`` with names, which Google refuses, is ``VALIDATED``;
- thinking is asked for by a level or by a budget, as the dialect says, ``includeThoughts`` is always said beside it, a level
  that is ``THINKING_LEVEL_UNSPECIFIED`` is not; ``standard`` is a tier in any case of letters;
- empty texts without a signature, and empty stop sequences, are not sent; nor are thoughts without a signature (a Loss says so).

In an answer finish reasons given as numbers are words, an absent ``index`` is counted, and usage totals are counted anew from
disjoint buckets.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec

from anykey.conversation.failures import Failure, invalid
from anykey.conversation.parts import Json, ProtocolName
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import GenerateResponse
from anykey.protocols.codec import (
    Decoded,
    Encoded,
    Headers,
    HttpReply,
    Peek,
    PreparedBody,
    RequestPath,
    StreamDecoder,
    StreamEncoder,
    Tap,
)
from anykey.protocols.fields import parse_json, peek_json
from anykey.protocols.gemini_generate import dialect as dialects
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.errors import decode_failure, encode_failure, encode_stream_failure
from anykey.protocols.gemini_generate.request import decode_request, encode_request
from anykey.protocols.gemini_generate.response import decode_response, encode_response
from anykey.protocols.gemini_generate.stream_decoding import StreamDecoder as GeminiStreamDecoder
from anykey.protocols.gemini_generate.stream_encoding import HEARTBEAT
from anykey.protocols.gemini_generate.stream_encoding import StreamEncoder as GeminiStreamEncoder
from anykey.protocols.gemini_generate.tap import StreamTap, WholeTap

_COLLECTIONS = ("models/", "tunedModels/")


class _Head(msgspec.Struct):
    """What may have to change in a caller's own body, and what it is sold by; the URL says the rest."""

    model: str | None = None
    serviceTier: msgspec.Raw = msgspec.Raw()  # noqa: N815 - the wire's name


_HEAD = msgspec.json.Decoder(_Head)
_RAW = msgspec.json.Decoder(dict[str, msgspec.Raw])


class GeminiCodec:
    """See ``protocols.codec.Codec`` for the verbs."""

    name: ProtocolName = "gemini_generate"
    request_id_header: bytes = b"x-request-id"
    reads_comments: bool = False

    def dialect(self, table: Json) -> Dialect:
        return dialects.dialect(table)

    def call_url(self, url: str, model: str, *, stream: bool) -> str:
        """``url`` ends in ``/models``; a model may name its collection (``tunedModels/x``). The verb of a stream asks for SSE."""
        collection = next((word for word in _COLLECTIONS if model.startswith(word)), "")
        name = model.removeprefix(collection)
        if any(step in ("", ".", "..") for step in name.split("/")):
            raise invalid(f"{model!r} is no name of a model", "model")
        place = f"{url.removesuffix('/models')}/tunedModels" if collection == "tunedModels/" else url
        verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
        return f"{place}/{quote(name, safe='/')}:{verb}"

    def peek(self, body: bytes, path: RequestPath) -> Peek:
        """The model and the verb are in the path; only a body without one names the model itself."""
        head: _Head = peek_json(_HEAD, body)
        model = path.model or (head.model or "").removeprefix("models/")
        if not model:
            raise invalid("this field is required", "model")
        return Peek(model, bool(path.stream), service_tier=head.serviceTier)

    def fits_verbatim(self, body: bytes, dialect: Dialect) -> bool:
        return True

    def prepare_verbatim(self, body: bytes, model: str, dialect: Dialect) -> PreparedBody:
        """The same bytes; only a body that names a model gets the upstream's name for it, in the form it had."""
        head: _Head = peek_json(_HEAD, body)
        if head.model is None:
            return PreparedBody(body, hide_usage=False)
        name = model if model.startswith(_COLLECTIONS) or not head.model.startswith("models/") else f"models/{model}"
        if name == head.model:
            return PreparedBody(body, hide_usage=False)
        try:
            fields: dict[str, Any] = dict(_RAW.decode(body))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            parse_json(body)
            raise invalid("expected an object") from None
        fields["model"] = name
        return PreparedBody(msgspec.json.encode(fields), hide_usage=False)

    def request_headers(
        self, client_headers: Headers, dialect: Dialect, *, verbatim: bool, asked: GenerateRequest | bytes = b""
    ) -> tuple[tuple[bytes, bytes], ...]:
        """None: the protocol has no headers of its own besides the credential."""
        del client_headers, dialect, verbatim, asked
        return ()

    def decode_request(self, body: bytes, path: RequestPath) -> Decoded[GenerateRequest]:
        return decode_request(body, path)

    def encode_request(self, request: GenerateRequest, dialect: Dialect) -> Encoded:
        return encode_request(request, dialect)

    def decode_response(self, body: bytes, dialect: Dialect) -> Decoded[GenerateResponse]:
        return decode_response(body, dialect)

    def encode_response(
        self,
        response: GenerateResponse,
        request: GenerateRequest | None = None,
        body: bytes = b"",
    ) -> Encoded:
        return encode_response(response, request)

    def stream_decoder(self, dialect: Dialect) -> StreamDecoder:
        return GeminiStreamDecoder(dialect)

    def stream_encoder(self, request: GenerateRequest, body: bytes = b"") -> StreamEncoder:
        return GeminiStreamEncoder(request)

    def tap(self, dialect: Dialect, *, stream: bool, hide_usage: bool) -> Tap:
        return StreamTap() if stream else WholeTap()

    def decode_failure(self, status: int, headers: Headers, body: bytes) -> Failure:
        return decode_failure(status, headers, body)

    def encode_failure(self, failure: Failure, request_id: str) -> HttpReply:
        return encode_failure(failure, request_id)

    def encode_stream_failure(self, failure: Failure, request_id: str) -> bytes:
        return encode_stream_failure(failure, request_id)

    def heartbeat(self) -> bytes:
        return HEARTBEAT


CODEC = GeminiCodec()
