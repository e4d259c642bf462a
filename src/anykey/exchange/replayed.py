"""A whole answer where a stream was asked for: decode it, tell it as a stream. Some servers ignore ``stream``."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.assembly import replay
from anykey.conversation.estimate import answer_bytes
from anykey.conversation.failures import Failure, FailureError
from anykey.conversation.response import GenerateResponse
from anykey.conversation.usage import Usage
from anykey.exchange.exchange import Exchange
from anykey.exchange.mishaps import AttemptFailed
from anykey.protocols.codec import Decoded, StreamEncoder, UpstreamCodec
from anykey.protocols.tiers import tier_of_usage, tier_word


def read_answer(codec: UpstreamCodec, body: bytes, dialect: Any) -> Decoded[GenerateResponse]:
    """The upstream's whole answer. AttemptFailed: it is an error in the clothes of a success, or cannot be read."""
    try:
        return codec.decode_response(body, dialect)
    except FailureError as error:
        found = error.failure
        if found.kind == "invalid_request":  # a codec blames the body it reads; this body is the upstream's
            found = Failure("upstream_error", f"The provider sent an answer that cannot be read: {found.message}")
        raise AttemptFailed(found) from None


def note_answer(exchange: Exchange, answer: GenerateResponse) -> None:
    """What a whole answer told about itself, for the usage row."""
    exchange.usage = answer.usage
    exchange.tier = tier_word(answer.service_tier) or tier_of_usage(answer.usage)
    if uncounted(answer.usage):
        exchange.said_bytes = answer_bytes(answer)
    exchange.model_answered = answer.model or None
    finish = answer.choices[0].finish if answer.choices else None
    exchange.finish = finish.reason if finish else None


def uncounted(usage: Usage | None) -> bool:
    """No usage, or one that counts nothing of the answer."""
    return usage is None or not (usage.output_tokens or usage.total_output())  # the sum takes longer


def replay_whole(exchange: Exchange, codec: UpstreamCodec, body: bytes, dialect: Any, encoder: StreamEncoder) -> bytes:
    """The client's stream for the upstream's whole ``body``."""
    answer, losses = read_answer(codec, body, dialect)
    if answer.created is None:
        answer = msgspec.structs.replace(answer, created=exchange.at_ms // 1000)
    note_answer(exchange, answer)
    told = encoder.feed(replay(answer))
    exchange.response_losses = [*losses, *encoder.losses]
    return told
