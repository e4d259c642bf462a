"""Recorded traffic and real clients' requests in the other protocol: no crash, every loss named, what counts survives.

The report of what was lost, with counts, is printed by `pytest -s`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, NamedTuple

import msgspec
import pytest

from anykey.conversation import events as ev
from anykey.conversation.assembly import assemble
from anykey.conversation.failures import Failure, FailureError
from anykey.conversation.losses import Loss
from anykey.conversation.parts import TextPart, ToolCallPart, ToolResultPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import FinishReason, GenerateResponse
from anykey.conversation.verify import check_request, check_stream
from tests.conformance.crossing_losses import ANSWER, REFUSED, REQUEST
from tests.conformance.recordings import captured, exchanges
from tests.properties.answers import arguments_of, normal_answer, told
from tests.properties.equivalence import differences
from tests.properties.speakers import CHAT, CROSSINGS, HERE, MESSAGES, SPEAKERS, Speaker, decoded, pair_id
from tests.properties.strategies import asking
from tests.properties.words import Json, dumps

pytestmark = pytest.mark.corpus

PATHS = {CHAT.name: "/chat/completions", MESSAGES.name: "/messages"}
BILLING_HEADER = "x-anthropic-billing-header"

UNREADABLE = {
    "31ddcd746c42487c": "an answer without choices, made to test clients",
    "a8cd53dbdb6e8a69": "a null in place of an answer, made to test clients",
    "85d65c69bcd34bf3": "an error of a content filter under HTTP 200",
}
BROKEN = {
    "c8c475a3ea9a08cc": "an error event after the first chunks",
    "aefe2b2639dcc63e": "an error event in place of an answer",
    "d0f1be6617f2e614": "an error event after reasoning",
}

SAME_END: dict[FinishReason, FinishReason] = {
    "stop_sequence": "stop",
    "context_window": "length",
    "pause": "stop",
    "content_filter": "refusal",
    "other": "stop",
}
"""What a finish becomes in a protocol that has no word of its own for it."""

crossing = pytest.mark.parametrize("pair", CROSSINGS, ids=pair_id)


class Sent(NamedTuple):
    """A request that an upstream accepted, and where it is recorded."""

    identity: str
    body: Json


@cache
def requests(protocol: str) -> tuple[Sent, ...]:
    """Every recorded request of one protocol, and all that client programs were captured with."""
    recorded = [
        Sent(row["id"], row["request"]["body"])
        for row in exchanges(protocol)
        if row["request"] and isinstance(row["request"].get("body"), dict) and (row["status"] or 200) < 400
    ]
    programs = [
        Sent(f"{row['client']}-{row['scenario']}-{row['index']}", row["request"]["body"])
        for row in captured(PATHS[protocol])
    ]
    return (*recorded, *(sent for sent in programs if not _is_cut(sent.body)))


def _is_cut(body: Json) -> bool:
    """The capture left something out of this body."""
    return any(isinstance(value, dict) and "_elided" in value for value in body.values())


def answers(protocol: str, kind: str) -> Iterator[tuple[str, Any]]:
    """Recorded answers: ``body`` (whole) or ``sse`` (streamed)."""
    for row in exchanges(protocol):
        if (row["status"] or 200) < 400 and kind in row["response"]:
            yield row["id"], row["response"][kind]


def unexplained(losses: Iterable[Loss], known: dict[str, str], keys: set[str]) -> list[str]:
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
    assert any(reason in failure.message for reason in REFUSED), failure.message


def report(title: str, found: Counter[str]) -> None:
    print(f"\n{title}: {found.total()} losses")
    for code, count in found.most_common():
        print(f"  {count:5} {code}")


@crossing
def test_every_request_crosses_with_its_losses_named(pair: tuple[Speaker, Speaker]) -> None:
    source, target = pair
    found: Counter[str] = Counter()
    for identity, body in requests(source.name):
        request, read = source.read(body)
        check_request(request)
        for dialect in (target.codec.dialect({}), target.generous):
            try:
                sent, losses = target.codec.encode_request(request, dialect)
            except FailureError as error:
                check_known_refusal(error.failure)
                found["refused"] += 1
                continue
            target.check_request(msgspec.json.decode(sent))
            found.update(loss.code for loss in (*read, *losses))
            assert not unexplained([*read, *losses], REQUEST[source.name], keys_in(body)), identity
    report(f"requests, {pair_id(pair)}", found)


@pytest.mark.parametrize("speaker", SPEAKERS, ids=lambda speaker: speaker.name)
def test_every_request_obeys_the_rules_of_its_own_protocol_when_written_again(speaker: Speaker) -> None:
    for _, body in requests(speaker.name):
        sent, _ = speaker.codec.encode_request(speaker.read(body)[0], speaker.generous)
        speaker.check_request(msgspec.json.decode(sent))


@crossing
def test_words_and_calls_of_a_request_survive(pair: tuple[Speaker, Speaker]) -> None:
    source, target = pair
    calls = 0
    for identity, body in requests(source.name):
        request, _ = source.read(body)
        try:
            sent, _ = target.codec.encode_request(request, target.generous)
        except FailureError:
            continue
        crossed, _ = target.codec.decode_request(sent, HERE)
        assert crossed.model == request.model
        assert crossed.stream == request.stream
        assert _calls(crossed) == _calls(request), identity
        heard = "\n".join(_words(crossed))
        assert not [word for word in _words(request) if word.strip() not in heard], identity
        calls += len(_calls(request))
    assert calls > 100


def _calls(request: GenerateRequest) -> list[Any]:
    """Name and arguments of each call, in order, and how many results came."""
    parts = [part for message in request.messages for part in message.parts]
    calls: list[Any] = [(part.name, arguments_of(part)) for part in parts if isinstance(part, ToolCallPart)]
    return [*calls, sum(isinstance(part, ToolResultPart) for part in parts)]


def _words(request: GenerateRequest) -> list[str]:
    """Every text of the request, those of tool results included, but for what is meant for one provider."""
    groups: list[Any] = [request.instructions, *(message.parts for message in request.messages)]
    groups += [part.content for parts in groups for part in parts if isinstance(part, ToolResultPart)]
    texts = [part.text for parts in groups for part in parts if isinstance(part, TextPart)]
    return [text for text in texts if not text.startswith(BILLING_HEADER)]


def same_answer(sent: GenerateResponse, got: GenerateResponse) -> None:
    """Words, calls, finish and usage of the first choice are the same."""
    if sent.usage is not None:
        assert got.usage is not None
        assert got.usage.total_input() == sent.usage.total_input()
        assert got.usage.total_output() == sent.usage.total_output()
        assert got.usage.cache_read_tokens == sent.usage.cache_read_tokens
        assert got.usage.reasoning_tokens == sent.usage.reasoning_tokens
    if not sent.choices:
        return
    assert differences(told(sent), told(got)) == []
    finish, heard = sent.choices[0].finish, got.choices[0].finish
    if finish is not None:
        assert heard is not None
        assert SAME_END.get(heard.reason, heard.reason) == SAME_END.get(finish.reason, finish.reason)


@crossing
def test_every_answer_crosses_with_what_it_says(pair: tuple[Speaker, Speaker]) -> None:
    source, target = pair
    found: Counter[str] = Counter()
    for identity, body in answers(source.name, "body"):
        try:
            answer, _ = source.codec.decode_response(dumps(body), source.codec.dialect({}))
        except FailureError:
            assert identity in UNREADABLE
            continue
        sent, losses = target.codec.encode_response(answer)
        found.update(loss.code for loss in losses)
        assert not unexplained(losses, ANSWER[source.name], keys_in(body)), identity
        got, _ = target.codec.decode_response(sent, target.generous)
        same_answer(answer, got)
    report(f"answers, {pair_id(pair)}", found)


@crossing
def test_every_stream_becomes_a_legal_stream_that_folds_to_the_same_answer(pair: tuple[Speaker, Speaker]) -> None:
    source, target = pair
    found: Counter[str] = Counter()
    for identity, sse in answers(source.name, "sse"):
        events = decoded(source, sse.encode())
        check_stream(events)
        encoder = target.codec.stream_encoder(asking())
        read = decoded(target, b"".join(encoder.feed([event]) for event in events))
        check_stream(read)
        found.update(loss.code for loss in encoder.losses)
        assert not unexplained(encoder.losses, ANSWER[source.name], _keys_of_stream(sse)), identity
        if isinstance(events[-1], ev.Broke):
            assert identity in BROKEN, events[-1].failure
            assert isinstance(read[-1], ev.Broke)
            assert events[-1].failure.message in read[-1].failure.message
            continue
        answer, got = assemble(events), assemble(read)
        same_answer(answer, got)
        whole, _ = target.codec.decode_response(target.codec.encode_response(answer).body, target.generous)
        assert differences(normal_answer(whole), normal_answer(got)) == [], identity
    report(f"streams, {pair_id(pair)}", found)


def _keys_of_stream(sse: str) -> set[str]:
    lines = [line[5:].strip() for line in sse.splitlines() if line.startswith("data:")]
    return set[str]().union(*(keys_in(msgspec.json.decode(line)) for line in lines if line.startswith("{")))


@crossing
def test_a_conversation_goes_on_after_a_turn_in_the_other_protocol(pair: tuple[Speaker, Speaker]) -> None:
    """The answer of a recorded turn, as its client would have read it from an upstream of the other protocol, is sent back."""
    source, target = pair
    turns = 0
    replies = dict(answers(source.name, "body"))
    for identity, body in requests(source.name):
        if identity not in replies or identity in UNREADABLE:
            continue
        answer, _ = source.codec.decode_response(dumps(replies[identity]), source.generous)
        crossed = target.codec.encode_response(answer).body
        back, _ = source.codec.encode_response(target.codec.decode_response(crossed, target.generous).value)
        next_turn: Json = {**body, "messages": [*body["messages"], *_as_history(source, msgspec.json.decode(back))]}  # pyright: ignore[reportUnknownArgumentType] - parsed JSON
        request, _ = source.read(next_turn)
        try:
            sent, _ = target.codec.encode_request(request, target.codec.dialect({}))
        except FailureError as error:
            check_known_refusal(error.failure)
            continue
        target.check_request(msgspec.json.decode(sent))
        turns += 1
    assert turns > 50


def _as_history(speaker: Speaker, answer: Json) -> list[Json]:
    """An answer as its client sends it back, each call with a result."""
    if speaker is CHAT:
        message = answer["choices"][0]["message"]
        calls: list[Json] = message.get("tool_calls", [])
        results = [{"role": "tool", "tool_call_id": call["id"], "content": "done"} for call in calls]
        return [message, *(results or [{"role": "user", "content": "go on"}])]
    blocks: list[Json] = answer["content"] or [{"type": "text", "text": "."}]
    uses = [block["id"] for block in blocks if block["type"] == "tool_use"]
    replies: list[Json] = [{"type": "tool_result", "tool_use_id": use, "content": "done"} for use in uses]
    replies.append({"type": "text", "text": "go on"})
    return [{"role": "assistant", "content": blocks}, {"role": "user", "content": replies}]
