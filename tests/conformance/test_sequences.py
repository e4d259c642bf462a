"""A second turn after a recorded first one: what a client of any protocol sends after it was told the answer in its own, and
what the upstream gets of that: the calls and the state that it gave, under the ids it gave them.
"""

from typing import Any, NamedTuple

import msgspec
import pytest

from anykey.conversation.assembly import assemble
from anykey.conversation.failures import FailureError
from anykey.conversation.message import Message
from anykey.conversation.parts import OpaquePart, Part, ProtocolName, ReasoningPart, TextPart, ToolCallPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import GenerateResponse
from anykey.protocols.calls import CallMap
from anykey.protocols.catalog import CODECS
from anykey.protocols.codec import RequestPath
from tests.conformance.crossing_losses import STORED
from tests.conformance.echoes import NEXT_TURN, RESULT
from tests.conformance.recordings import exchanges
from tests.conformance.sides import (
    CORPUS_NAMES,
    PAIRS,
    Sent,
    asking,
    dumps,
    heard,
    pair_id,
    path_of,
    read,
    sealer,
    send,
)
from tests.conformance.test_crossing import BROKEN, UNREADABLE, check_known_refusal
from tests.conformance.wire_rules import CHECKS
from tests.properties.answers import arguments_of

pytestmark = pytest.mark.corpus

GENEROUS: dict[ProtocolName, dict[str, Any]] = {
    "openai_chat": {"echo_reasoning": "always", "reasoning_details": True, "custom_tools": True},
    "openai_responses": {},
    "anthropic_messages": {"output_format": True},
    "gemini_generate": {"thought_signatures": "required"},
}
"""Upstreams that take their own state back."""


class Turn(NamedTuple):
    """A recorded call and what was answered, as the neutral model has it."""

    identity: str
    request: GenerateRequest
    answer: GenerateResponse


def turns(protocol: ProtocolName) -> list[Turn]:
    """Every recorded call with an answer that calls tools or holds state. Calls of the time before tools had no ids."""
    codec, found = CODECS[protocol], list[Turn]()
    for row in exchanges(CORPUS_NAMES.get(protocol, protocol)):
        identity, asked, response = row["id"], row["request"], row["response"]
        if not asked or not isinstance(asked.get("body"), dict) or (row["status"] or 200) >= 400:
            continue
        if identity in {*UNREADABLE, *BROKEN} or "several_answers_joined" in row["fidelity"]:
            continue
        try:
            request, _ = read(protocol, Sent(identity, asked["body"], path_of(protocol, row["url_path"])))
            if "sse" in response:
                answer = assemble(heard(protocol, response["sse"].encode()))
            else:
                answer = codec.decode_response(dumps(response["body"]), codec.dialect({})).value
        except FailureError as error:
            if not any(reason in error.failure.message for reason in STORED):
                assert "output" not in response.get("body", {"output": 1}), identity
            continue
        if answer.choices and any(_counts(part) for part in answer.choices[0].parts):
            found.append(Turn(identity, request, answer))
    return found


def _counts(part: Part) -> bool:
    return bool(isinstance(part, ReasoningPart) and part.state) or _is_call(part)


def _is_call(part: Part) -> bool:
    return isinstance(part, ToolCallPart) and part.kind not in ("hosted", "legacy_function")


def _client_body(turn: Turn, client: ProtocolName, upstream: ProtocolName) -> dict[str, Any] | None:
    """The first call as a client of this protocol makes it; None when it cannot."""
    codec = CODECS[client]
    try:
        body, _ = send(turn.request, upstream, client, codec.dialect(GENEROUS[client]))
    except FailureError as error:
        check_known_refusal(error.failure)
        return None
    return msgspec.json.decode(body)


def _told(turn: Turn, client: ProtocolName, upstream: ProtocolName, calls: CallMap) -> dict[str, Any]:
    """The answer as the client has it."""
    seal = sealer(client, upstream)
    answer = calls.response(seal.response(turn.answer) if seal else turn.answer).value
    one = msgspec.structs.replace(answer, choices=answer.choices[:1])
    return msgspec.json.decode(CODECS[client].encode_response(one, asking(stream=False)).body)


def _last_said(request: GenerateRequest) -> tuple[Part, ...]:
    """All that the model said since the user's word before the last."""
    said: list[Part] = []
    for message in reversed(request.messages):
        if message.role == "assistant":
            said = [*message.parts, *said]
        elif said and not _is_result(message):
            break
    return tuple(said)


def _is_result(message: Message) -> bool:
    return message.role == "tool"


def _returnable(parts: tuple[Part, ...], client: ProtocolName) -> tuple[Part, ...]:
    """What a client of this protocol is given to send back. A seal after the last word is kept from Messages clients, since
    Claude Code would print that in place of the word; no upstream demands it."""
    if client != "anthropic_messages" or not any(isinstance(part, TextPart) and part.text for part in parts):
        return parts
    return parts if not (isinstance(parts[-1], ReasoningPart) and parts[-1].redacted) else parts[:-1]


def facts(parts: tuple[Part, ...], *, with_ids: bool) -> dict[str, list[Any]]:
    """What must come back as it was given."""
    calls = [
        (part.id if with_ids else None, part.name, arguments_of(part))
        for part in parts
        if isinstance(part, ToolCallPart) and part.kind != "hosted"
    ]
    return {
        "calls": calls,
        "states": [part.state.data for part in parts if isinstance(part, ReasoningPart) and part.state],
    }


@pytest.mark.parametrize("pair", PAIRS, ids=pair_id)
def test_what_an_upstream_gave_comes_back_to_it(pair: tuple[ProtocolName, ProtocolName]) -> None:
    client, upstream = pair
    dialect = CODECS[upstream].dialect(GENEROUS[upstream])
    count = states = 0
    for turn in turns(upstream):
        body = _client_body(turn, client, upstream)
        if body is None:
            continue
        path = RequestPath(turn.request.model, stream=False)
        first = CODECS[client].decode_request(dumps(body), path).value
        second = NEXT_TURN[client](body, _told(turn, client, upstream, CallMap(first)))
        request, _ = CODECS[client].decode_request(dumps(second), path)
        try:
            sent = send(request, client, upstream, dialect).body
        except FailureError as error:
            check_known_refusal(error.failure)
            continue
        wire = msgspec.json.decode(sent)
        CHECKS[upstream](wire)
        back, _ = CODECS[upstream].decode_request(sent, path)
        names = CallMap(request)
        said = tuple(_renamed(part, names) for part in _last_said(back))
        given = _returnable(turn.answer.choices[0].parts, client)
        kept = facts(said, with_ids=upstream != "gemini_generate")
        wanted = facts(given, with_ids=upstream != "gemini_generate")
        extra = len(kept["calls"]) - len(wanted["calls"])
        assert kept["calls"][extra:] == wanted["calls"], turn.identity
        if not any(isinstance(part, OpaquePart) for part in given):
            assert kept["states"][len(kept["states"]) - len(wanted["states"]) :] == wanted["states"], turn.identity
        count += 1
        states += bool(wanted["states"])
        assert sent.count(RESULT.encode()) >= len(wanted["calls"])
    print(f"\n{pair_id(pair)}: {count} turns, {states} with state")
    assert count > 20


def _renamed(part: Part, names: CallMap) -> Part:
    return msgspec.structs.replace(part, name=names.original(part.name)[1]) if isinstance(part, ToolCallPart) else part
