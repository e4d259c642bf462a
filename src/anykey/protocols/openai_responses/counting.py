"""``POST /v1/responses/input_tokens``: a Responses body, answered by an object with ``input_tokens``."""

from __future__ import annotations

import msgspec

from anykey.conversation.request import GenerateRequest
from anykey.protocols.codec import Decoded, Encoded, RequestPath
from anykey.protocols.counting import only, read_count, with_model
from anykey.protocols.fields import peek_json
from anykey.protocols.openai_responses.dialect import Dialect
from anykey.protocols.openai_responses.request import decode_request, encode_request

_ASKED = frozenset(
    {
        "input",
        "instructions",
        "model",
        "parallel_tool_calls",
        "personality",
        "reasoning",
        "text",
        "tool_choice",
        "tools",
        "truncation",
    }
)
"""The keys that the endpoint takes (types of the official SDK), but for what the gateway has resolved before."""

_raw_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


class ResponsesCounter:
    """See ``protocols.counting.TokenCounter`` for what each verb promises."""

    def decode_count_request(self, body: bytes, path: RequestPath) -> Decoded[GenerateRequest]:
        """Instructions and tools may be counted without any input."""
        fields: dict[str, msgspec.Raw] = peek_json(_raw_decoder, body)
        if bytes(fields.get("input", b"null")) == b"null":
            fields["input"] = msgspec.Raw(b"[]")
            body = msgspec.json.encode(fields)
        return decode_request(body, path)

    def prepare_count(self, body: bytes, model: str) -> bytes:
        return with_model(body, model)

    def encode_count_request(self, request: GenerateRequest, dialect: Dialect) -> Encoded:
        return only(encode_request(request, dialect), _ASKED)

    def count_url(self, url: str, model: str) -> str:  # noqa: ARG002 - the model is in the body
        return f"{url}/input_tokens"

    def decode_count(self, body: bytes) -> int | None:
        return read_count(body, "input_tokens")

    def encode_count(self, count: int) -> bytes:
        return msgspec.json.encode({"object": "response.input_tokens", "input_tokens": count})


COUNTER = ResponsesCounter()
