"""The four protocols as the crossing tests need them: recorded bodies, the dialects of the catalogue, and a crossing made of the
same steps that the gateway takes, without a network."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import msgspec

from anykey.conversation import events as ev
from anykey.conversation.losses import Loss
from anykey.conversation.parts import Json, ProtocolName
from anykey.conversation.request import GenerateRequest, Reasoning
from anykey.exchange.state import Sealer, open_states
from anykey.exchange.unthought import go_on_without
from anykey.protocols.catalog import CODECS
from anykey.protocols.codec import RequestPath
from anykey.protocols.envelope import Maker
from anykey.providers.load import catalogue
from tests.conformance.recordings import captured, exchanges

CORPUS_NAMES = {"gemini_generate": "gemini"}
PATH_ENDS = {
    "openai_chat": ("/chat/completions",),
    "openai_responses": ("/responses",),
    "anthropic_messages": ("/messages",),
    "gemini_generate": (":generateContent", ":streamGenerateContent"),
}
PROTOCOLS: tuple[ProtocolName, ...] = tuple(codec.name for codec in CODECS.values())
"""Those that clients speak."""
PAIRS = [(client, upstream) for client in PROTOCOLS for upstream in PROTOCOLS]
CROSSINGS = [pair for pair in PAIRS if pair[0] != pair[1]]
SECRET = b"only the tests of crossings seal with this"


def pair_id(pair: tuple[str, str]) -> str:
    return " to ".join(pair)


class Sent(NamedTuple):
    """A request that an upstream accepted, and where it is recorded."""

    identity: str
    body: Json
    path: RequestPath


def maker_of(protocol: str) -> Maker:
    return Maker(protocol, "lab", f"lab/{protocol}")


@cache
def requests(protocol: str) -> tuple[Sent, ...]:
    """Every recorded request of one protocol, and all that client programs were captured with, each body once."""
    recorded = [
        (row["id"], row["url_path"], row["request"]["body"])
        for row in exchanges(CORPUS_NAMES.get(protocol, protocol))
        if row["request"] and isinstance(row["request"].get("body"), dict) and (row["status"] or 200) < 400
    ]
    programs = [
        (f"{row['client']}-{row['scenario']}-{row['index']}", row["request"]["path"], row["request"]["body"])
        for end in PATH_ENDS[protocol]
        for row in captured(end)
    ]
    found: dict[str, Sent] = {}
    for identity, path, body in (*recorded, *programs):
        found.setdefault(json.dumps(body, sort_keys=True), Sent(identity, body, path_of(protocol, path)))
    return tuple(found.values())


def path_of(protocol: str, path: str) -> RequestPath:
    """What the URL of a recorded call says of it."""
    if protocol != "gemini_generate":
        return RequestPath()
    model, _, verb = path.partition("models/")[2].rpartition(":")
    return RequestPath(model, verb.startswith("stream"))


def answers(protocol: str, kind: str) -> Iterator[tuple[str, Any]]:
    """Recorded answers: ``body`` (whole) or ``sse`` (streamed)."""
    for row in exchanges(CORPUS_NAMES.get(protocol, protocol)):
        if (row["status"] or 200) < 400 and kind in row["response"]:
            yield row["id"], row["response"][kind]


@cache
def dialects(protocol: ProtocolName) -> tuple[Any, ...]:
    """Every dialect that an upstream of the catalogue has, the protocol's default first."""
    tables: dict[str, Json] = {"{}": {}}
    for kind in catalogue().values():
        if any(endpoint.protocol == protocol for endpoint in kind.endpoints):
            globs = (glob for row in kind.dialect_by_model for glob in row.match)
            for model in ("", *kind.models, *(glob.replace("*", "") for glob in globs)):
                table: Json = dict(kind.dialect_of(protocol, model))
                tables.setdefault(json.dumps(table, sort_keys=True), table)
    return tuple(CODECS[protocol].dialect(table) for table in tables.values())


class Crossed(NamedTuple):
    """A request as its upstream gets it."""

    body: bytes
    losses: tuple[Loss, ...]


def read(protocol: str, sent: Sent) -> tuple[GenerateRequest, tuple[Loss, ...]]:
    return CODECS[protocol].decode_request(dumps(sent.body), sent.path)


def send(request: GenerateRequest, client: ProtocolName, upstream: ProtocolName, dialect: Any) -> Crossed:
    """``request`` in the upstream's protocol; FailureError when it cannot be told there."""
    opened = open_states(request, client, maker_of(upstream), SECRET)
    if client != upstream:
        opened = go_on_without(opened, dialect)
    body, losses = CODECS[upstream].encode_request(opened.request, dialect)
    return Crossed(body, (*opened.losses, *losses))


def sealer(client: ProtocolName, upstream: ProtocolName) -> Sealer | None:
    return Sealer(client, maker_of(upstream), SECRET) if client != upstream else None


def asking(*, stream: bool) -> GenerateRequest:
    """A client that wants to see all there is: usage in a stream, thoughts."""
    return GenerateRequest(
        "test-model", (), stream=stream, include_usage=True, reasoning=Reasoning(display="summarized")
    )


def heard(protocol: str, sse: bytes) -> list[ev.StreamEvent]:
    """What a stream of ``protocol`` says."""
    codec = CODECS[protocol]
    decoder = codec.stream_decoder(codec.dialect({}))
    return [*decoder.feed(sse), *decoder.close()]


def dumps(value: Any) -> bytes:
    return msgspec.json.encode(value)
