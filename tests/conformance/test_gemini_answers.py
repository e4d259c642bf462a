"""Recorded Gemini answers read and told again: they say the same, up to what `gemini_generate.codec` documents."""

import json
from typing import Any

import msgspec
import pytest

from anykey.conversation import events as ev
from anykey.conversation.assembly import assemble
from anykey.conversation.failures import FailureError
from anykey.conversation.request import GenerateRequest, Reasoning
from anykey.conversation.response import Choice, GenerateResponse
from anykey.conversation.usage import Usage
from anykey.conversation.verify import check_stream
from anykey.protocols.gemini_generate.codec import CODEC
from anykey.protocols.gemini_generate.dialect import Dialect
from tests.conformance.recordings import exchanges

pytestmark = pytest.mark.corpus

DIALECT = Dialect()
SHOWS = GenerateRequest("m", (), reasoning=Reasoning(display="summarized"))
replace = msgspec.structs.replace

NO_ANSWERS = {
    "7109771b8f62a7f1": "a malformed call and nothing else",
    "98251ffa44e60e32": "a cached content",
    "6848cb70d1128f50": "a cached content",
    "0a4ffbcc03c48ac0": "a cached content",
}
ODD_TOTALS = {"f48e7019f26eddcb", "a71e47895fbaa875"}
"""Written by hand: their totals do not add up."""


def dump(value: Any) -> bytes:
    return json.dumps(value).encode()


ROWS = exchanges("gemini")
ANSWERED = [row for row in ROWS if (row["status"] or 200) < 400]
REFUSED = [row for row in ROWS if (row["status"] or 200) >= 400]
WHOLE = {row["id"]: row["response"]["body"] for row in ANSWERED if isinstance(row["response"].get("body"), dict)}
STREAMS = {row["id"]: row["response"]["sse"] for row in ANSWERED if row["response"].get("sse")}


def settled(answer: GenerateResponse) -> GenerateResponse:
    """``answer`` without what `encode_response` respells: an absent id."""
    return replace(answer, id="", choices=tuple(map(settled_choice, answer.choices)))


def settled_choice(choice: Choice) -> Choice:
    """Arguments that were left out are an empty object."""
    parts = tuple(
        replace(part, arguments="{}") if getattr(part, "arguments", None) == "" else part for part in choice.parts
    )
    return replace(choice, parts=parts)


def check_usage(name: str, usage: Usage | None, reported: dict[str, Any] | None) -> None:
    """Every bucket is a count and together they are what the provider says."""
    if usage is None or not reported or name in ODD_TOTALS:
        return
    assert all(getattr(usage, field) >= 0 for field in usage.__struct_fields__ if field != "extras")
    assert usage.total_input() == reported["promptTokenCount"] + (reported.get("toolUsePromptTokenCount") or 0)
    assert usage.total_input() + usage.total_output() == reported["totalTokenCount"]


@pytest.mark.parametrize("name", WHOLE)
def test_an_answer_comes_back(name: str) -> None:
    body = WHOLE[name]
    if name in NO_ANSWERS:
        with pytest.raises(FailureError):
            CODEC.decode_response(dump(body), DIALECT)
        return
    answer, losses = CODEC.decode_response(dump(body), DIALECT)
    again, more_losses = CODEC.encode_response(answer)
    assert not losses
    assert not more_losses
    assert settled(CODEC.decode_response(again, DIALECT).value) == settled(answer)
    check_usage(name, answer.usage, body.get("usageMetadata"))
    told, told_body = json.loads(again), json.loads(dump(body))
    assert wire_parts(told) == wire_parts(told_body)


def wire_parts(body: dict[str, Any]) -> list[Any]:
    """The parts of every candidate; adjacent texts are one, empty ones and ids of calls are left out."""
    out: list[Any] = []
    for candidate in body.get("candidates", ()):
        parts: list[Any] = []
        content: dict[str, Any] = candidate.get("content") or {}
        read: list[dict[str, Any]] = content.get("parts") or []
        for part in read:
            if part == {"text": ""}:
                continue
            part.get("functionCall", {}).pop("id", None)
            if "functionCall" in part:
                part["functionCall"].setdefault("args", {})
            if parts and set(part) == {"text"} == set(parts[-1]):
                parts[-1]["text"] += part["text"]
            else:
                parts.append(part)
        out.append(parts)
    return out


def events_of(data: bytes, size: int) -> tuple[list[ev.StreamEvent], list[str]]:
    decoder = CODEC.stream_decoder(DIALECT)
    events: list[ev.StreamEvent] = []
    for start in range(0, len(data), size):
        events += decoder.feed(data[start : start + size])
    return events + decoder.close(), [loss.code for loss in decoder.losses]


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_comes_back(name: str) -> None:
    data = STREAMS[name].encode()
    events, losses = events_of(data, len(data))
    check_stream(events)
    assert losses == []
    assert events_of(data, 61)[0] == events
    answer = assemble(events)
    assert answer.choices
    encoder = CODEC.stream_encoder(SHOWS)
    again, _ = events_of(encoder.feed(events), 4096)
    check_stream(again)
    assert encoder.losses == []
    assert settled(assemble(again)) == settled(answer)
    whole = CODEC.decode_response(CODEC.encode_response(answer).body, DIALECT).value
    assert settled(whole) == settled(answer)
    check_usage(name, answer.usage, last_usage(data))


def last_usage(data: bytes) -> dict[str, Any] | None:
    chunks = [json.loads(line[6:]) for line in data.splitlines() if line.startswith(b"data: ")]
    return next((chunk["usageMetadata"] for chunk in reversed(chunks) if "usageMetadata" in chunk), None)


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_the_same_as_a_json_array(name: str) -> None:
    data = STREAMS[name].encode()
    chunks = [line[6:] for line in data.splitlines() if line.startswith(b"data: ")]
    array = b"[" + b"\n,\r\n".join(chunks) + b"\n]\n"
    assert events_of(array, 113)[0] == events_of(data, len(data))[0]


@pytest.mark.parametrize("name", STREAMS)
def test_a_relayed_stream_is_heard(name: str) -> None:
    data = STREAMS[name].encode()
    answer = assemble(events_of(data, len(data))[0])
    for size in (997, 61, len(data)):
        tap = CODEC.tap(DIALECT, stream=True, hide_usage=False)
        relayed = b"".join([tap.feed(data[start : start + size]) for start in range(0, len(data), size)]) + tap.close()
        assert relayed == data
        assert tap.report.complete
        assert tap.report.failure is None
        assert tap.report.content or not any(choice.parts for choice in answer.choices)
        assert tap.report.model == answer.model
        assert tap.report.usage == (answer.usage and replace(answer.usage, extras={}))


@pytest.mark.parametrize("name", WHOLE)
def test_a_relayed_answer_is_heard(name: str) -> None:
    tap = CODEC.tap(DIALECT, stream=False, hide_usage=False)
    tap.feed(dump(WHOLE[name]))
    tap.close()
    if name in NO_ANSWERS:
        assert not tap.report.content
        return
    answer = CODEC.decode_response(dump(WHOLE[name]), DIALECT).value
    assert tap.report.complete
    assert tap.report.usage == (answer.usage and replace(answer.usage, extras={}))
    assert answer.choices[0].finish is not None
    assert tap.report.finish in (answer.choices[0].finish.reason, None)


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row["id"])
def test_a_refusal_is_read(row: dict[str, Any]) -> None:
    body = row["response"]["body"]
    failure = CODEC.decode_failure(row["status"], (), dump(body))
    assert failure.upstream_status == row["status"]
    assert CODEC.decode_failure(row["status"], (), dump([body])) == failure
    if failure.kind != "upstream_refused_credential":
        assert failure.message == body["error"]["message"]
        assert body["error"]["status"] == json.loads(CODEC.encode_failure(failure, "r").body)["error"]["status"]
