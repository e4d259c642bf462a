"""``:countTokens``: contents alone, or a whole request under ``generateContentRequest``, answered by ``{"totalTokens": n}``."""

from __future__ import annotations

import msgspec

from anykey.conversation.request import GenerateRequest
from anykey.protocols.codec import Decoded, Encoded, RequestPath
from anykey.protocols.counting import only, read_count, with_model
from anykey.protocols.fields import peek_json
from anykey.protocols.gemini_generate.codec import CODEC
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.request import decode_count_request, encode_request

_WHOLE = "generateContentRequest"
_ASKED = frozenset(
    {
        "cachedContent",
        "contents",
        "generationConfig",
        "model",
        "safetySettings",
        "systemInstruction",
        "toolConfig",
        "tools",
    }
)
"""The keys of a ``GenerateContentRequest`` that the endpoint takes (reference of the API)."""

_raw_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


class GeminiCounter:
    """See ``protocols.counting.TokenCounter`` for what each verb promises."""

    def decode_count_request(self, body: bytes, path: RequestPath) -> Decoded[GenerateRequest]:
        return decode_count_request(body, path)

    def prepare_count(self, body: bytes, model: str) -> bytes:
        """The URL names the model; only a whole request names it again."""
        fields: dict[str, msgspec.Raw] = peek_json(_raw_decoder, body)
        for key in (_WHOLE, "generate_content_request"):
            if key in fields:
                fields[key] = msgspec.Raw(with_model(bytes(fields[key]), _resource(model)))
                return msgspec.json.encode(fields)
        return body

    def encode_count_request(self, request: GenerateRequest, dialect: Dialect) -> Encoded:
        """The whole request: instructions and tools are counted only so."""
        encoded = encode_request(request, dialect)
        named = Encoded(with_model(encoded.body, _resource(request.model)), encoded.losses)
        asked = only(named, _ASKED)
        return Encoded(b'{"' + _WHOLE.encode() + b'":' + asked.body + b"}", asked.losses)

    def count_url(self, url: str, model: str) -> str:
        return f"{CODEC.call_url(url, model, stream=False).rpartition(':')[0]}:countTokens"

    def decode_count(self, body: bytes) -> int | None:
        return read_count(body, "totalTokens")

    def encode_count(self, count: int) -> bytes:
        return msgspec.json.encode({"totalTokens": count})


def _resource(model: str) -> str:
    """The model's name in its collection, as the endpoint demands it."""
    return model if model.startswith(("models/", "tunedModels/")) else f"models/{model}"


COUNTER = GeminiCounter()
