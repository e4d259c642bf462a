"""A whole answer, both ways."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.assembly import assemble
from anykey.conversation.failures import Failure, FailureError
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import Choice, GenerateResponse
from anykey.protocols.codec import Decoded, Encoded
from anykey.protocols.gemini_generate.answer_decoding import AnswerDecoder
from anykey.protocols.gemini_generate.candidates_encoding import (
    AnswerParts,
    add_service_tier,
    end_of_candidate,
    head_of_answer,
    shows_thoughts,
)
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.extras import NAME, write_extras
from anykey.protocols.gemini_generate.spelling import is_array
from anykey.protocols.gemini_generate.usage import encode_usage


def decode_response(body: bytes, dialect: Dialect) -> Decoded[GenerateResponse]:
    """The neutral answer. FailureError if the body is an error in the clothes of a success, or no answer at all."""
    del dialect  # answers are spelled alike everywhere
    try:
        value: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _unreadable("it is not JSON") from None
    log = LossLog("response")
    decoder = AnswerDecoder(log, patient=True)
    for chunk in value if is_array(value) else (value,):
        decoder.read(chunk)
    if not decoder.has_answer():
        raise _unreadable("it holds no candidates")
    decoder.end()
    return Decoded(assemble(decoder.take()), tuple(log.losses))


def _unreadable(reason: str) -> FailureError:
    return FailureError(Failure("upstream_error", f"The provider sent an answer that cannot be read: {reason}"))


def encode_response(response: GenerateResponse, request: GenerateRequest | None = None) -> Encoded:
    """The body a Gemini client reads. Thoughts are told to those who asked for them; without a ``request`` they are."""
    log = LossLog("response")
    body: Json = {}
    shows = shows_thoughts(request)
    if not _is_blocked(response):
        body["candidates"] = [
            _encode_candidate(choice, f"choices[{n}]", log, shows=shows) for n, choice in enumerate(response.choices)
        ]
    if response.usage is not None:
        body["usageMetadata"] = encode_usage(response.usage, log)
    if response.service_tier is not None:
        add_service_tier(body.setdefault("usageMetadata", {}), response.service_tier, log)
    model = response.model or (request.model if request else "")
    body.update(head_of_answer(response.id, model, response.created, response.choices))
    if response.extras:
        write_extras(body, response.extras, "", log)
    return Encoded(msgspec.json.encode(body), tuple(log.losses))


def _is_blocked(response: GenerateResponse) -> bool:
    """The answer of a prompt that the provider blocked, which has no candidate."""
    feedback: Any = response.extras.get(NAME, {}).get("promptFeedback")
    return bool(feedback) and not any(choice.parts for choice in response.choices)


def _encode_candidate(choice: Choice, path: str, log: LossLog, *, shows: bool) -> Json:
    parts = AnswerParts(path, log, shows_thoughts=shows)
    for index, part in enumerate(choice.parts):
        parts.add(part, f"{path}.content[{index}]")
    out: Json = {"content": {"parts": parts.entries(), "role": "model"}}
    out.update(end_of_candidate(choice, parts.texts, path, log))
    return out
