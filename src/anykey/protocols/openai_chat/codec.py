"""OpenAI Chat Completions as a Codec.

A body that is decoded and encoded again says the same, in one spelling. These are the differences, for a dialect that takes
everything. In a request:

- nulls, empty ``annotations`` and empty strings of an assistant are dropped: one that says nothing has ``content: null`` beside
  calls, else ``""``;
- a single plain text part is a string; ``stop`` is an array; refusal parts are ``refusal``; a file without a name gets one;
- the output limit stands under the dialect's ``max_tokens_field``; a stream asks for its usage;
- legacy ``functions`` are ``tools``; a tool without a type is a function; arguments ``""`` are ``"{}"``;
- reasoning is asked for and sent back in the dialect's spelling, text given twice once, the ``index`` of details counted anew;
- ``top_k``, which the protocol does not have, is read for other protocols and never sent.

In an answer text parts are joined, the finish reason beside calls is ``tool_calls`` and an odd one is the official word of its
meaning, an absent ``id`` is made up, ``created`` is a number, and usage totals are counted anew from disjoint buckets.
"""

from __future__ import annotations

from typing import Any

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
from anykey.protocols.openai_chat import dialect as dialects
from anykey.protocols.openai_chat.dialect import Dialect
from anykey.protocols.openai_chat.errors import decode_failure, encode_failure, encode_stream_failure
from anykey.protocols.openai_chat.fitting import cache_key_of, fits, header_value
from anykey.protocols.openai_chat.request import cache_key_for, decode_request, encode_request
from anykey.protocols.openai_chat.response import decode_response, encode_response
from anykey.protocols.openai_chat.stream_decoding import ChatStreamDecoder
from anykey.protocols.openai_chat.stream_encoding import HEARTBEAT, ChatStreamEncoder
from anykey.protocols.openai_chat.tap import StreamTap, WholeTap


class _Head(msgspec.Struct):
    """What may have to change in a caller's own body."""

    model: str
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None


_PEEK = msgspec.json.Decoder(Peek)
_HEAD = msgspec.json.Decoder(_Head)
_FIELDS: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode


class ChatCodec:
    """See ``protocols.codec.Codec`` for the verbs."""

    name: ProtocolName = "openai_chat"
    request_id_header: bytes = b"x-request-id"
    reads_comments: bool = True

    def dialect(self, table: Json) -> Dialect:
        return dialects.dialect(table)

    def call_url(self, url: str, model: str, *, stream: bool) -> str:
        return url

    def peek(self, body: bytes, path: RequestPath) -> Peek:
        found: Peek = peek_json(_PEEK, body)
        if path.model is not None:
            found.model = path.model
        return found

    def fits_verbatim(self, body: bytes, dialect: Dialect) -> bool:
        """Nothing in them must be said otherwise there, or left out (``fitting``)."""
        return fits(body, dialect)

    def prepare_verbatim(self, body: bytes, model: str, dialect: Dialect) -> PreparedBody:
        """The same bytes when nothing has to change; else inner bytes and key order stay as they are."""
        if b'"stream' not in body and not dialect.prompt_cache_header:
            return self._prepare_whole(body, model)
        head: _Head = peek_json(_HEAD, body)
        options, adds_usage = head.stream_options, False
        if head.stream and dialect.stream_options:
            adds_usage = not (options and options.get("include_usage"))
        moves_key = bool(dialect.prompt_cache_header) and b'"prompt_cache_key"' in body
        if head.model == model and not adds_usage and not moves_key:
            return PreparedBody(body, hide_usage=False)
        try:
            fields: dict[str, Any] = _FIELDS.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            parse_json(body)
            raise invalid("expected an object") from None
        fields["model"] = model
        if moves_key:  # to a header
            fields.pop("prompt_cache_key", None)
        if adds_usage:
            fields["stream_options"] = {**(options or {}), "include_usage": True}
        return PreparedBody(_encode(fields), hide_usage=adds_usage)

    def _prepare_whole(self, body: bytes, model: str) -> PreparedBody:
        """The same for a call that can be no stream, whose body is read once: this is done for every one of them."""
        try:
            fields = _FIELDS.decode(body)
            named: msgspec.Raw = fields["model"]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError):
            peek_json(_HEAD, body)
            raise invalid("expected an object") from None
        name, said = _encode(model), bytes(named)
        if said == name:
            return PreparedBody(body, hide_usage=False)
        if said[:1] != b'"':
            peek_json(_HEAD, body)
        fields["model"] = msgspec.Raw(name)
        return PreparedBody(_encode(fields), hide_usage=False)

    def request_headers(
        self, client_headers: Headers, dialect: Dialect, *, verbatim: bool, asked: GenerateRequest | bytes = b""
    ) -> tuple[tuple[bytes, bytes], ...]:
        """None besides the credential, but where a header takes the cache key."""
        del client_headers, verbatim
        if not dialect.prompt_cache_header:
            return ()
        key = cache_key_of(asked) if isinstance(asked, bytes) else cache_key_for(asked, dialect)
        return ((dialect.prompt_cache_header.encode(), header_value(key)),) if key else ()

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
        return encode_response(response)

    def stream_decoder(self, dialect: Dialect) -> StreamDecoder:
        return ChatStreamDecoder(dialect)

    def stream_encoder(self, request: GenerateRequest, body: bytes = b"") -> StreamEncoder:
        return ChatStreamEncoder(request)

    def tap(self, dialect: Dialect, *, stream: bool, hide_usage: bool) -> Tap:
        return StreamTap(dialect, hide_usage=hide_usage) if stream else WholeTap(dialect)

    def decode_failure(self, status: int, headers: Headers, body: bytes) -> Failure:
        return decode_failure(status, headers, body)

    def encode_failure(self, failure: Failure, request_id: str) -> HttpReply:
        return encode_failure(failure, request_id)

    def encode_stream_failure(self, failure: Failure, request_id: str) -> bytes:
        return encode_stream_failure(failure, request_id)

    def heartbeat(self) -> bytes:
        return HEARTBEAT


CODEC = ChatCodec()
