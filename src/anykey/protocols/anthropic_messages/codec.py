"""The Messages codec: the verbs of ``protocols.codec.Codec`` for ``POST /v1/messages``.

A request decoded and encoded by this codec is the same JSON except for this, which changes no meaning: ``null`` is left out;
one plain text block stands as a string (``content``, ``system``, a tool result); empty text blocks, empty ``content`` of a tool
result, empty ``citations``, unsigned thinking, ``is_error: false``, ``stream: false`` and the type ``custom`` of a tool are left
out; ``output_format`` stands in ``output_config``; ``metadata`` is its ``user_id``; neighbouring messages of one role are one
message with its tool results first; a tool without schema gets an empty one, one without a type at its root ``object``; schemas
of the output close their objects and say their bounds in words; the order of keys is ours. What a dialect forbids is gone
with a Loss: an effort without ``thinking`` also switches thinking on, as it does in other protocols.

An answer is the same JSON except: ``null``, empty text and thinking blocks, empty ``citations`` and zero details of the usage
are left out; the four counts of the usage are always there; ids that do not begin with ``msg_`` are made anew.
A stream: a block that is not text, thinking or a call comes whole in its start; padding and ``estimated_tokens`` go.
"""

from __future__ import annotations

import msgspec

from anykey.conversation.failures import Failure, invalid
from anykey.conversation.parts import Json, ProtocolName
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import GenerateResponse
from anykey.protocols import codec as shared
from anykey.protocols.anthropic_messages import dialect as dialects
from anykey.protocols.anthropic_messages import errors
from anykey.protocols.anthropic_messages.dialect import Dialect
from anykey.protocols.anthropic_messages.extras import NAME
from anykey.protocols.anthropic_messages.messages_encoding import BILLING_HEADER
from anykey.protocols.anthropic_messages.request import decode_request, encode_request
from anykey.protocols.anthropic_messages.response import decode_response, encode_response
from anykey.protocols.anthropic_messages.stream_decoding import StreamDecoder
from anykey.protocols.anthropic_messages.stream_encoding import PING, StreamEncoder
from anykey.protocols.anthropic_messages.tap import StreamTap, WholeTap
from anykey.protocols.codec import (
    Decoded,
    Encoded,
    Headers,
    HttpReply,
    Peek,
    PreparedBody,
    RequestPath,
    Tap,
)
from anykey.protocols.fields import peek_json

_peek_decoder = msgspec.json.Decoder(Peek)
_raw_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_VERSION = b"anthropic-version"
_BETA = b"anthropic-beta"
_RAW = ":rawPredict"


class _Head(msgspec.Struct):
    text: str = ""


_blocks_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_head_decoder = msgspec.json.Decoder(_Head)


def _unbilled(system: msgspec.Raw | None) -> msgspec.Raw | None:
    """``system`` without Claude Code's billing line, which would make each prompt a new prefix for the upstream's cache; None
    where there is none. All other bytes stay."""
    if system is None or BILLING_HEADER.encode() not in bytes(system):
        return None
    try:
        blocks = _blocks_decoder.decode(system)
        kept = [block for block in blocks if not _head_decoder.decode(block).text.startswith(BILLING_HEADER)]
    except msgspec.DecodeError:
        return None  # one string, or no blocks: the upstream's to judge
    return msgspec.Raw(msgspec.json.encode(kept)) if len(kept) < len(blocks) else None


class MessagesCodec:
    """See ``protocols.codec.Codec`` for what each verb promises."""

    name: ProtocolName = NAME
    request_id_header: bytes = b"request-id"
    reads_comments: bool = True

    def dialect(self, table: Json) -> Dialect:
        return dialects.dialect(table)

    def call_url(self, url: str, model: str, *, stream: bool) -> str:
        """Only where the URL names the model does it name the verb as well."""
        return f"{url.removesuffix(_RAW)}:streamRawPredict" if stream and url.endswith(_RAW) else url

    def peek(self, body: bytes, path: RequestPath) -> Peek:
        return peek_json(_peek_decoder, body)

    def fits_verbatim(self, body: bytes, dialect: Dialect) -> bool:
        return True

    def prepare_verbatim(self, body: bytes, model: str, dialect: Dialect) -> PreparedBody:
        fields: dict[str, msgspec.Raw] = peek_json(_raw_decoder, body)
        if "model" not in fields:
            raise invalid("Field required", "model")
        name = msgspec.json.encode(model)
        system = None if dialect.billing_header else _unbilled(fields.get("system"))
        if dialect.body_version:
            del fields["model"]
            fields["anthropic_version"] = msgspec.Raw(msgspec.json.encode(dialect.body_version))
        elif bytes(fields["model"]) == name and system is None:
            return PreparedBody(body, hide_usage=False)
        else:
            fields["model"] = msgspec.Raw(name)
        if system is not None:
            fields["system"] = system
        return PreparedBody(msgspec.json.encode(fields), hide_usage=False)

    def request_headers(
        self, client_headers: Headers, dialect: Dialect, *, verbatim: bool, asked: GenerateRequest | bytes = b""
    ) -> tuple[tuple[bytes, bytes], ...]:
        """Verbatim: the version and betas of the client, whose body was written for them. Translated: the dialect's."""
        del asked
        version = dialect.version.encode()
        if not verbatim:
            return ((_VERSION, version),)
        version = shared.header(client_headers, _VERSION) or version
        betas = [value for name, value in client_headers if name == _BETA]
        return ((_VERSION, version), *([(_BETA, b",".join(betas))] if betas else []))

    def decode_request(self, body: bytes, path: RequestPath) -> Decoded[GenerateRequest]:
        return decode_request(body)

    def encode_request(self, request: GenerateRequest, dialect: Dialect) -> Encoded:
        return encode_request(request, dialect)

    def decode_response(self, body: bytes, dialect: Dialect) -> Decoded[GenerateResponse]:
        return decode_response(body)

    def encode_response(
        self,
        response: GenerateResponse,
        request: GenerateRequest | None = None,
        body: bytes = b"",
    ) -> Encoded:
        return encode_response(response)

    def stream_decoder(self, dialect: Dialect) -> StreamDecoder:
        return StreamDecoder()

    def stream_encoder(self, request: GenerateRequest, body: bytes = b"") -> StreamEncoder:
        return StreamEncoder()

    def tap(self, dialect: Dialect, *, stream: bool, hide_usage: bool) -> Tap:
        return StreamTap() if stream else WholeTap()

    def decode_failure(self, status: int, headers: Headers, body: bytes) -> Failure:
        return errors.decode_failure(status, headers, body)

    def encode_failure(self, failure: Failure, request_id: str) -> HttpReply:
        return errors.encode_failure(failure, request_id)

    def encode_stream_failure(self, failure: Failure, request_id: str) -> bytes:
        return errors.encode_stream_failure(failure, request_id)

    def heartbeat(self) -> bytes:
        return PING


CODEC = MessagesCodec()
