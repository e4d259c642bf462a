"""OpenAI Responses as a Codec.

A body that is decoded and encoded again says the same, in one spelling. These are the differences, for a dialect that takes
everything. In a request:

- nulls, ``id`` of items, ``status: completed``, ``store`` and ``execution: client`` are not kept: they are the bookkeeping of a
  store that the gateway has itself; every item says its ``type``, and the dialect says ``store``;
- ``input`` is an array, a single plain text is a string, ``input_text`` and ``output_text`` have only what they must;
- neighbouring messages of the assistant that say nothing else of themselves are one; one without content, and reasoning that
  has neither text nor state, are left out;
- a function says ``strict`` and has parameters; the tools of one namespace stand together; a tool found twice is there once;
- ``user`` is ``safety_identifier``, ``generate_summary`` is ``summary``, a file without a name gets one, arguments ``""`` are
  ``"{}"``;
- ``configuration_update`` items are folded into the settings, a ``compaction_trigger`` is the request for a summary in words,
  and a compaction that this gateway made is its text;
- where reasoning is asked for, so is its encrypted form; ``top_logprobs`` asks for log probabilities.

``previous_response_id``, ``conversation``, ``background`` and ``item_reference`` are for the journey around the codec; here they
are refused. For an answer see ``response``.
"""

from __future__ import annotations

import msgspec

from anykey.conversation.failures import Failure, invalid
from anykey.conversation.parts import Json, ProtocolName
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import GenerateResponse
from anykey.protocols import codec
from anykey.protocols.codec import Decoded, Encoded, Headers, HttpReply, Peek, PreparedBody, RequestPath, Tap
from anykey.protocols.fields import parse_json, peek_json
from anykey.protocols.openai_responses import dialect as dialects
from anykey.protocols.openai_responses.dialect import Dialect
from anykey.protocols.openai_responses.errors import decode_failure, encode_failure, encode_stream_failure
from anykey.protocols.openai_responses.request import decode_request, encode_request
from anykey.protocols.openai_responses.response import decode_response, encode_response
from anykey.protocols.openai_responses.stream_decoding import StreamDecoder
from anykey.protocols.openai_responses.stream_encoding import StreamEncoder
from anykey.protocols.openai_responses.tap import StreamTap, WholeTap

HEARTBEAT = b": keep-alive\n\n"
_PEEK = msgspec.json.Decoder(Peek)
_RAW = msgspec.json.Decoder(dict[str, msgspec.Raw])


class ResponsesCodec:
    """See ``protocols.codec.Codec`` for the verbs."""

    name: ProtocolName = "openai_responses"
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
        return dialect.verbatim

    def prepare_verbatim(self, body: bytes, model: str, dialect: Dialect) -> PreparedBody:
        """The same bytes when the model's name does not change; else inner bytes and key order stay as they are."""
        head: Peek = peek_json(_PEEK, body)
        if head.model == model:
            return PreparedBody(body, hide_usage=False)
        try:
            fields = _RAW.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            parse_json(body)
            raise invalid("expected an object") from None
        fields["model"] = msgspec.Raw(msgspec.json.encode(model))
        return PreparedBody(msgspec.json.encode(fields), hide_usage=False)

    def request_headers(
        self, client_headers: Headers, dialect: Dialect, *, verbatim: bool, asked: GenerateRequest | bytes = b""
    ) -> tuple[tuple[bytes, bytes], ...]:
        """None: Responses has no headers of its own besides the credential."""
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
        return encode_response(response, request, body)

    def stream_decoder(self, dialect: Dialect) -> codec.StreamDecoder:
        return StreamDecoder(dialect)

    def stream_encoder(self, request: GenerateRequest, body: bytes = b"") -> codec.StreamEncoder:
        return StreamEncoder(request, body)

    def tap(self, dialect: Dialect, *, stream: bool, hide_usage: bool) -> Tap:
        """``hide_usage`` is for protocols whose usage must be asked for."""
        del hide_usage
        return StreamTap(dialect) if stream else WholeTap(dialect)

    def decode_failure(self, status: int, headers: Headers, body: bytes) -> Failure:
        return decode_failure(status, headers, body)

    def encode_failure(self, failure: Failure, request_id: str) -> HttpReply:
        return encode_failure(failure, request_id)

    def encode_stream_failure(self, failure: Failure, request_id: str) -> bytes:
        return encode_stream_failure(failure, request_id)

    def heartbeat(self) -> bytes:
        return HEARTBEAT


CODEC = ResponsesCodec()
