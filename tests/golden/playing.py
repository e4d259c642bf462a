"""Plays a case: the same calls that the journey makes, from the client's request to the client's answer, without a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from anykey.conversation.assembly import assemble
from anykey.conversation.events import StreamEvent
from anykey.conversation.failures import FailureError
from anykey.conversation.losses import Loss
from anykey.conversation.request import GenerateRequest
from anykey.conversation.verify import check_request, check_stream
from anykey.protocols.calls import CallMap
from anykey.protocols.catalog import CODECS, UPSTREAM_CODECS
from anykey.protocols.codec import HttpReply, RequestPath
from tests.golden.reading import Case

REQUEST_ID = "req_golden"
_PLAIN: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
_MINIMAL: dict[str, dict[str, Any]] = {
    "openai_chat": {**_PLAIN, "stream_options": {"include_usage": True}},
    "anthropic_messages": {**_PLAIN, "max_tokens": 100},
    "openai_responses": {"model": "m", "input": "Hi"},
    "gemini_generate": {
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
        "generationConfig": {"thinkingConfig": {"includeThoughts": True}},
    },
}
"""What is asked where a case is about the reply only; ``stream`` follows the reply."""


@dataclass
class Played:
    """``upstream_body``: what went out. ``reply``: the client's answer, its body JSON or a stream. ``folded``: the streamed
    answer as a whole one. ``losses``: of both sides."""

    upstream_body: bytes | None
    reply: HttpReply | None
    folded: bytes | None
    losses: list[Loss]


def play(case: Case, chunk_size: int | None = None) -> Played:
    """The case, its upstream stream fed whole or ``chunk_size`` bytes at a time."""
    played = Played(None, None, None, [])
    client = CODECS[case.client]
    try:
        _play(case, played, chunk_size)
    except FailureError as error:
        played.reply = client.encode_failure(error.failure, REQUEST_ID)
    return played


def _play(case: Case, played: Played, chunk_size: int | None) -> None:
    client, upstream = CODECS[case.client], UPSTREAM_CODECS[case.upstream]
    dialect = upstream.dialect(case.dialect)
    decoded = client.decode_request(_client_request(case), _path(case))
    request = decoded.value
    check_request(request)
    if "client request" in case.blocks:
        encoded = upstream.encode_request(request, dialect)
        played.upstream_body = encoded.body
        played.losses += (*decoded.losses, *encoded.losses)
    reply = case.blocks.get("upstream reply")
    if reply is None:
        return
    if reply.status >= 400:
        headers = [(name.encode(), value.encode()) for name, value in _headers(case).items()]
        failure = upstream.decode_failure(reply.status, headers, reply.wire())
        played.reply = client.encode_failure(failure, REQUEST_ID)
    elif reply.is_stream:
        _play_stream(case, request, played, chunk_size)
    else:
        answer, losses = upstream.decode_response(reply.wire(), dialect)
        answer, calls_losses = CallMap(request).response(answer)
        body, more_losses = client.encode_response(answer, request)
        played.reply = HttpReply(200, (), body)
        played.losses += (*losses, *calls_losses, *more_losses)


def _headers(case: Case) -> dict[str, str]:
    block = case.blocks.get("upstream reply headers")
    return block.json() if block else {}


def _client_request(case: Case) -> bytes:
    block = case.blocks.get("client request")
    if block is not None:
        return block.wire()
    if case.client == "gemini_generate":  # there the address says so
        return msgspec.json.encode(_MINIMAL[case.client])
    return msgspec.json.encode({**_MINIMAL[case.client], "stream": _is_stream(case)})


def _is_stream(case: Case) -> bool:
    return "upstream reply" in case.blocks and case.blocks["upstream reply"].is_stream


def _path(case: Case) -> RequestPath:
    """Google's paths name the model and the verb."""
    return RequestPath("m", _is_stream(case)) if case.client == "gemini_generate" else RequestPath()


def _play_stream(case: Case, request: GenerateRequest, played: Played, chunk_size: int | None) -> None:
    client, upstream = CODECS[case.client], UPSTREAM_CODECS[case.upstream]
    decoder = CallMap(request).stream_decoder(upstream.stream_decoder(upstream.dialect(case.dialect)))
    encoder = client.stream_encoder(request)
    wire = case.blocks["upstream reply"].wire()
    step = chunk_size or len(wire) or 1
    told: list[StreamEvent] = []
    out: list[bytes] = []
    reads = [decoder.feed(wire[start : start + step]) for start in range(0, len(wire), step)]
    for events in (*reads, decoder.close()):
        told += events
        out.append(encoder.feed(events))
    check_stream(told)
    played.reply = HttpReply(200, (), b"".join(out))
    played.losses += (*decoder.losses, *encoder.losses)
    if "client reply folded" in case.blocks:
        played.folded = client.encode_response(assemble(told), request).body
