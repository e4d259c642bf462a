"""Recorded traffic and real clients' requests in every protocol: no crash, every loss named, what counts survives.

The report of what was lost, with counts, is printed by `pytest -s`.
"""

import re
from collections import Counter
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import msgspec
import pytest

from anykey.conversation import events as ev
from anykey.conversation.assembly import assemble
from anykey.conversation.failures import Failure, FailureError
from anykey.conversation.losses import Loss
from anykey.conversation.parts import MediaPart, ProtocolName, TextPart, ToolCallPart, ToolResultPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import Finish, GenerateResponse
from anykey.conversation.verify import check_request, check_stream
from anykey.protocols.calls import CallMap
from anykey.protocols.catalog import CODECS
from anykey.protocols.codec import RequestPath
from tests.conformance.crossing_losses import ANSWER, REFUSED, REQUEST, STORED
from tests.conformance.sides import (
    CROSSINGS,
    PAIRS,
    PROTOCOLS,
    answers,
    asking,
    dialects,
    dumps,
    heard,
    pair_id,
    read,
    requests,
    sealer,
    send,
)
from tests.conformance.wire_rules import CHECKS
from tests.properties.answers import arguments_of, normal_answer, told
from tests.properties.equivalence import differences
from tests.properties.words import Json

pytestmark = pytest.mark.corpus

BILLING_HEADER = "x-anthropic-billing-header"
MADE_A_MEDIUM = re.compile(r"\[The model made a medium of the kind \w+ here, which cannot be shown.\]")

UNREADABLE = {
    "31ddcd746c42487c": "an answer without choices, made to test clients",
    "a8cd53dbdb6e8a69": "a null in place of an answer, made to test clients",
    "85d65c69bcd34bf3": "an error of a content filter under HTTP 200",
    "7109771b8f62a7f1": "a call that the model garbled",
    "98251ffa44e60e32": "an answer without candidates, made to test clients",
    "6848cb70d1128f50": "an answer without candidates, made to test clients",
    "0a4ffbcc03c48ac0": "an answer without candidates, made to test clients",
}
BROKEN = {
    "c8c475a3ea9a08cc": "an error event after the first chunks",
    "aefe2b2639dcc63e": "an error event in place of an answer",
    "d0f1be6617f2e614": "an error event after reasoning",
    "a2636303141224a2": "no quota left: an error event under HTTP 200",
    "40ae65cd34f3a55c": "a rate limit: an error event under HTTP 200",
}
CITED_BEFORE_TEXT = "50e8bdb3ac328696"
"""A source at no place at all, before the first word: nothing, where a signature makes a part of the first word."""
NO_MODEL_ANSWER = {"response.input_tokens", "response.compaction", "list", "response.deleted"}
"""What endpoints beside `/responses` answer with, by `object`."""

SAME_END = {"stop_sequence": "stop", "context_window": "length", "pause": "stop", "content_filter": "refusal"}
"""What a finish becomes in a protocol that has no word of its own for it."""

all_pairs = pytest.mark.parametrize("pair", PAIRS, ids=pair_id)
crossings = pytest.mark.parametrize("pair", CROSSINGS, ids=pair_id)
Pair = tuple[ProtocolName, ProtocolName]


def unexplained(losses: Iterable[Loss], known: dict[str, str], keys: AbstractSet[str]) -> list[str]:
    """Codes that are in no table, unless they name a key that the wire really has: a field that the other protocol lacks."""
    return [
        loss.code
        for loss in losses
        if not any(fnmatchcase(loss.code, pattern) for pattern in known)
        and not (loss.kind == "dropped" and loss.path.rpartition(".")[2] in keys)
    ]


def keys_in(value: Any) -> set[str]:
    """Every key of a JSON value, however deep."""
    if isinstance(value, dict):
        inner: Json = value  # pyright: ignore[reportUnknownVariableType] - parsed JSON
        return set(inner).union(*map(keys_in, inner.values()))
    items: list[Any] = value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType] - parsed JSON
    return set[str]().union(*map(keys_in, items))


def check_known_refusal(failure: Failure) -> None:
    assert failure.kind == "invalid_request"
    assert any(reason in failure.message for reason in REFUSED), failure.message


def check_needs_storage(failure: Failure) -> None:
    assert any(reason in failure.message for reason in STORED), failure.message


def report(title: str, found: Counter[str]) -> None:
    print(f"\n{title}: {found.total()} losses")
    for code, count in found.most_common():
        print(f"  {count:5} {code}")


@cache
def decoded_requests(
    protocol: ProtocolName,
) -> tuple[tuple[str, GenerateRequest, tuple[Loss, ...], frozenset[str]], ...]:
    """All requests that need nothing the server keeps, what was lost on reading them, and the keys of their bodies."""
    found: list[tuple[str, GenerateRequest, tuple[Loss, ...], frozenset[str]]] = []
    for sent in requests(protocol):
        try:
            request, losses = read(protocol, sent)
        except FailureError as error:
            check_needs_storage(error.failure)
            continue
        check_request(request)
        found.append((sent.identity, request, losses, frozenset(keys_in(sent.body))))
    return tuple(found)


@all_pairs
def test_every_request_reaches_every_upstream_with_its_losses_named(pair: Pair) -> None:
    """Each dialect that the catalogue has is asked."""
    client, upstream = pair
    found: Counter[str] = Counter()
    for identity, request, decoding, keys in decoded_requests(client):
        for dialect in dialects(upstream):
            try:
                body, losses = send(request, client, upstream, dialect)
            except FailureError as error:
                check_known_refusal(error.failure)
                found["refused"] += 1
                continue
            CHECKS[upstream](msgspec.json.decode(body))
            all_losses = (*decoding, *losses)
            found.update(loss.code for loss in all_losses)
            assert not unexplained(all_losses, REQUEST[upstream], keys), identity
    report(f"requests, {pair_id(pair)}", found)


@crossings
def test_words_and_calls_of_a_request_survive(pair: Pair) -> None:
    client, upstream = pair
    codec, calls = CODECS[upstream], 0
    for identity, request, _, _ in decoded_requests(client):
        try:
            body, _ = send(request, client, upstream, codec.dialect({}))
        except FailureError:
            continue
        path = RequestPath(request.model, request.stream) if upstream == "gemini_generate" else RequestPath()
        crossed, _ = codec.decode_request(body, path)
        assert (crossed.model, crossed.stream) == (request.model, request.stream)
        assert _calls(crossed, CallMap(request)) == _calls(request, None), identity
        said = "\n".join(_words(crossed))
        assert not [word for word in _words(request) if word.strip() not in said], identity
        calls += len(_calls(request, None))
    assert calls > 100


def _calls(request: GenerateRequest, names: CallMap | None) -> list[Any]:
    """The caller's name and the arguments of each call, in order, and how many results came."""
    parts = [part for message in request.messages for part in message.parts]
    calls: list[Any] = [
        (names.original(part.name)[1] if names else part.name, arguments_of(part))
        for part in parts
        if isinstance(part, ToolCallPart) and part.kind != "hosted"
    ]
    return [*calls, sum(isinstance(part, ToolResultPart) for part in parts)]


def _words(request: GenerateRequest) -> list[str]:
    """Every text of the request, those of tool results included, but for what is meant for one provider."""
    groups: list[Any] = [request.instructions, *(message.parts for message in request.messages)]
    groups += [part.content for parts in groups for part in parts if isinstance(part, ToolResultPart)]
    texts = [part.text for parts in groups for part in parts if isinstance(part, TextPart)]
    return [text for text in texts if not text.startswith(BILLING_HEADER)]


def unlike(sent: GenerateResponse, got: GenerateResponse) -> list[str]:
    """Where usage, words, calls and the finish of the first choice are not the same."""
    found: list[str] = []
    if sent.usage is not None:
        assert got.usage is not None
        for name in ("cache_read_tokens", "reasoning_tokens"):
            found += differences(getattr(sent.usage, name), getattr(got.usage, name), name)
        found += differences(sent.usage.total_input(), got.usage.total_input(), "input")
        found += differences(sent.usage.total_output(), got.usage.total_output(), "output")
    if sent.choices:
        assert got.choices
        found += differences(_told(sent), _told(got))
        calls = any(isinstance(part, ToolCallPart) and part.kind != "hosted" for part in sent.choices[0].parts)
        ends = _end(sent.choices[0].finish, calls=calls), _end(got.choices[0].finish, calls=calls)
        found += differences(*ends, "end") if sent.choices[0].finish else []
    return found


def _told(answer: GenerateResponse) -> dict[str, Any]:
    """What is said, but for the note that stands where Messages cannot show a medium."""
    parts = answer.choices[0].parts
    clean = tuple(
        msgspec.structs.replace(part, text=MADE_A_MEDIUM.sub("", part.text)) if isinstance(part, TextPart) else part
        for part in parts
        if not isinstance(part, MediaPart)
    )
    return told(msgspec.structs.replace(answer, choices=(msgspec.structs.replace(answer.choices[0], parts=clean),)))


def _end(finish: Finish | None, *, calls: bool) -> str | None:
    """The reason, in words that every protocol has."""
    if finish is None:
        return None
    reason = SAME_END.get(finish.reason, finish.reason)
    return ("tool_calls" if calls else "stop") if reason == "other" else reason


@all_pairs
def test_every_answer_crosses_with_what_it_says(pair: Pair) -> None:
    client, upstream = pair
    found: Counter[str] = Counter()
    seal = sealer(client, upstream)
    for identity, body in answers(upstream, "body"):
        try:
            answer, _ = CODECS[upstream].decode_response(dumps(body), CODECS[upstream].dialect({}))
        except FailureError:
            assert identity in UNREADABLE or body["object"] in NO_MODEL_ANSWER or "error" in body, identity
            continue
        sent, losses = CODECS[client].encode_response(seal.response(answer) if seal else answer, asking(stream=False))
        found.update(loss.code for loss in losses)
        assert not unexplained(losses, ANSWER[client], keys_in(body)), identity
        got, _ = CODECS[client].decode_response(sent, CODECS[client].dialect({}))
        assert unlike(answer, got) == [], identity
    report(f"answers, {pair_id(pair)}", found)


@all_pairs
def test_every_stream_becomes_a_legal_stream_that_folds_to_the_same_answer(pair: Pair) -> None:
    client, upstream = pair
    found: Counter[str] = Counter()
    for identity, sse in answers(upstream, "sse"):
        events = heard(upstream, sse.encode())
        check_stream(events)
        seal = sealer(client, upstream)
        passed = [seal.event(event) for event in events] if seal else events
        encoder = CODECS[client].stream_encoder(asking(stream=True))
        got = heard(client, b"".join(encoder.feed([event]) for event in passed))
        check_stream(got)
        found.update(loss.code for loss in encoder.losses)
        assert not unexplained(encoder.losses, ANSWER[client], _keys_of_stream(sse)), identity
        if isinstance(events[-1], ev.Broke):
            assert identity in BROKEN, events[-1].failure
            assert isinstance(got[-1], ev.Broke)
            assert events[-1].failure.message in got[-1].failure.message
            continue
        answer, folded = assemble(passed), assemble(got)
        assert unlike(answer, folded) == [], identity
        body = CODECS[client].encode_response(answer, asking(stream=False)).body
        whole, _ = CODECS[client].decode_response(body, CODECS[client].dialect({}))
        unsaid = differences(_unsigned(whole), _unsigned(folded))
        assert not unsaid or (identity == CITED_BEFORE_TEXT and "citations" in unsaid[0]), identity
    report(f"streams, {pair_id(pair)}", found)


def _unsigned(answer: GenerateResponse) -> dict[str, Any]:
    """`normal_answer` without what is made up anew each time: the id of an answer that had none, keys that came too late."""
    value = normal_answer(answer)
    del value["id"], value["extras"]
    return value


def _keys_of_stream(sse: str) -> set[str]:
    lines = [line[5:].strip() for line in sse.splitlines() if line.startswith("data:")]
    return set[str]().union(*(keys_in(msgspec.json.decode(line)) for line in lines if line.startswith("{")))


@pytest.mark.parametrize("table", [REQUEST, ANSWER], ids=["requests", "answers"])
def test_the_lists_of_losses_name_every_protocol(table: dict[str, dict[str, str]]) -> None:
    assert tuple(table) == PROTOCOLS
    assert all(reason for patterns in table.values() for reason in patterns.values())
