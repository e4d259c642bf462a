"""The Converse codec: the verbs of ``protocols.codec.UpstreamCodec`` for ``POST /model/{modelId}/converse`` and
``…/converse-stream``. Source of all shapes: the service model of ``bedrock-runtime`` 2023-09-30.

What a conversation must be for the service, and is made by the encoder: roles alternate and the user is first; results of tools
stand first in their message; text is not blank; a document has a plain name of its own and text beside it; a history with calls
has tools. Media are bytes. What only some models take is a field of the Dialect.
"""

from __future__ import annotations

from urllib.parse import quote

from anykey.conversation.failures import Failure
from anykey.conversation.parts import Json, ProtocolName
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import GenerateResponse
from anykey.protocols.bedrock_converse import dialect as dialects
from anykey.protocols.bedrock_converse import errors
from anykey.protocols.bedrock_converse.dialect import Dialect
from anykey.protocols.bedrock_converse.extras import NAME
from anykey.protocols.bedrock_converse.request import encode_request
from anykey.protocols.bedrock_converse.response import decode_response
from anykey.protocols.bedrock_converse.stream_decoding import StreamDecoder
from anykey.protocols.codec import Decoded, Encoded, Headers


class ConverseCodec:
    """See ``protocols.codec.UpstreamCodec`` for what each verb promises."""

    name: ProtocolName = NAME

    def dialect(self, table: Json) -> Dialect:
        return dialects.dialect(table)

    def call_url(self, url: str, model: str, *, stream: bool) -> str:
        """``url`` ends in ``/model``. A model's id may be an ARN, whose colons and slashes are encoded: it is one segment."""
        return f"{url}/{quote(model, safe='')}/{'converse-stream' if stream else 'converse'}"

    def request_headers(
        self, client_headers: Headers, dialect: Dialect, *, verbatim: bool, asked: GenerateRequest | bytes = b""
    ) -> tuple[tuple[bytes, bytes], ...]:
        return ()

    def encode_request(self, request: GenerateRequest, dialect: Dialect) -> Encoded:
        return encode_request(request, dialect)

    def decode_response(self, body: bytes, dialect: Dialect) -> Decoded[GenerateResponse]:
        return decode_response(body)

    def stream_decoder(self, dialect: Dialect) -> StreamDecoder:
        return StreamDecoder()

    def decode_failure(self, status: int, headers: Headers, body: bytes) -> Failure:
        return errors.decode_failure(status, headers, body)


CODEC = ConverseCodec()
