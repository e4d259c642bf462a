"""``POST /v1/messages/count_tokens``: a Messages body without ``max_tokens``, answered by ``{"input_tokens": n}``."""

from __future__ import annotations

import msgspec

from anykey.conversation.request import GenerateRequest
from anykey.protocols.anthropic_messages.dialect import Dialect
from anykey.protocols.anthropic_messages.request import decode_count_request, encode_request
from anykey.protocols.codec import Decoded, Encoded, RequestPath
from anykey.protocols.counting import only, read_count, with_model

_ASKED = frozenset(
    {"cache_control", "messages", "mcp_servers", "model", "output_config", "system", "thinking", "tool_choice", "tools"}
)
"""The keys that the endpoint takes (types of the official SDK)."""


class MessagesCounter:
    """See ``protocols.counting.TokenCounter`` for what each verb promises."""

    def decode_count_request(self, body: bytes, path: RequestPath) -> Decoded[GenerateRequest]:  # noqa: ARG002 - see the Protocol
        return decode_count_request(body)

    def prepare_count(self, body: bytes, model: str) -> bytes:
        return with_model(body, model)

    def encode_count_request(self, request: GenerateRequest, dialect: Dialect) -> Encoded:
        return only(encode_request(request, dialect), _ASKED)

    def count_url(self, url: str, model: str) -> str:  # noqa: ARG002 - the model is in the body
        return f"{url}/count_tokens"

    def decode_count(self, body: bytes) -> int | None:
        return read_count(body, "input_tokens")

    def encode_count(self, count: int) -> bytes:
        return msgspec.json.encode({"input_tokens": count})


COUNTER = MessagesCounter()
