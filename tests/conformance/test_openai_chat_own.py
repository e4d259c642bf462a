"""Recorded Chat traffic read and told again in Chat: it says the same, up to what `openai_chat.codec` documents."""

import json
from typing import Any

import msgspec
import pytest

from anykey.conversation import events as ev
from anykey.conversation.assembly import assemble
from anykey.conversation.failures import FailureError
from anykey.conversation.parts import ReasoningPart, ToolCallPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import Choice, GenerateResponse
from anykey.conversation.usage import Usage
from anykey.conversation.verify import check_request, check_stream
from anykey.protocols.codec import RequestPath
from anykey.protocols.openai_chat.codec import CODEC
from anykey.protocols.openai_chat.dialect import Dialect
from tests.conformance.recordings import captured, exchanges

pytestmark = pytest.mark.corpus

FULL = Dialect(
    hosted_tools="web_search",
    echo_reasoning="always",
    reasoning_details=True,
    tool_result_images="native",
    cache_control=True,
    custom_tools=True,
    service_tier=True,
    metadata=True,
    prompt_cache_key=True,
    verbosity=True,
    strict_tools=True,
)
replace = msgspec.structs.replace

NO_ANSWERS = {
    "31ddcd746c42487c": "an echo server: a JSON object that is no answer",
    "85d65c69bcd34bf3": "the prompt was filtered: an error object under HTTP 200",
}
BROKEN_STREAMS = {
    "c8c475a3ea9a08cc": "the server reports a failed tool call in the stream",
    "aefe2b2639dcc63e": "the server reports a failed tool call in the stream",
    "d0f1be6617f2e614": "the aggregator's provider fails in the stream",
}


def dump(value: Any) -> bytes:
    return json.dumps(value).encode()


def is_whole(row: dict[str, Any]) -> bool:
    """Its body was written down; of repeated ones the captures keep only that they repeat."""
    body: dict[str, Any] = row["request"]["body"]
    return b'"_elided"' not in dump(body)


ROWS = exchanges("openai_chat")
BODIES = {
    **{
        row["id"]: row["request"]["body"]
        for row in ROWS
        if row["request"] and "messages" in (row["request"]["body"] or ())
    },
    **{f"captured-{n}": row["request"]["body"] for n, row in enumerate(captured("/chat/completions")) if is_whole(row)},
}
ANSWERED = [row for row in ROWS if (row["status"] or 200) < 400]
REFUSED = [row for row in ROWS if (row["status"] or 200) >= 400]
WHOLE = {row["id"]: row["response"]["body"] for row in ANSWERED if row["response"].get("body") is not None}
STREAMS = {row["id"]: row["response"]["sse"] for row in ANSWERED if row["response"].get("sse")}


def same_spelling(value: Any) -> Any:
    """A request body in the one spelling of `encode_request`."""
    body = {key: item for key, item in value.items() if item is not None and key != "top_k"}
    if "max_tokens" in body:
        body.setdefault("max_completion_tokens", body.pop("max_tokens"))
        body.pop("max_tokens", None)
    if isinstance(body.get("stop"), str):
        body["stop"] = [body["stop"]]
    if "functions" in body:
        body["tools"] = [{"type": "function", "function": tool} for tool in body.pop("functions")]
    if "function_call" in body:
        wish = body.pop("function_call")
        body["tool_choice"] = wish if isinstance(wish, str) else {"type": "function", "function": wish}
    if body.get("stream"):
        body["stream_options"] = {"include_usage": True, **body.get("stream_options", {})} | {"include_usage": True}
    else:
        body.pop("stream", None)
        body.pop("stream_options", None)
    for key in ("reasoning_effort", "thinking", "enable_thinking", "thinking_budget", "reasoning"):
        body.pop(key, None)  # compared as decoded values
    for key in ("stop", "tools"):
        if not body.get(key):
            body.pop(key, None)
    body["tools"] = [{"type": "function", **tool} for tool in body.get("tools", ())]
    body["messages"] = [message(item) for item in body["messages"]]
    return without_nulls(body)


def objects(value: Any) -> list[dict[str, Any]]:
    """`value`, which is an array of objects."""
    return value


def message(value: dict[str, Any]) -> dict[str, Any]:
    """A message in the one spelling of `encode_request`."""
    out = {key: item for key, item in value.items() if item is not None}
    for key in ("reasoning_content", "reasoning", "reasoning_details"):
        out.pop(key, None)  # compared as decoded values
    content: Any = out.get("content")
    if isinstance(content, list):
        content = [part for part in objects(content) if part.get("type") != "thinking"]  # reasoning, too
        if len(content) == 1 and set(content[0]) == {"type", "text"}:
            content = content[0]["text"]
        out["content"] = content or ""
    if out["role"] == "assistant":
        for key in ("annotations", "tool_calls", "refusal", "images", "audio"):
            if not out.get(key):
                out.pop(key, None)
        for call in out.get("tool_calls", ()):
            call.pop("index", None)
            call.get("function", {})["arguments"] = call.get("function", {}).get("arguments") or "{}"
        if not out.get("content"):
            out.pop("content", None)
    elif out.get("content") is None:
        out["content"] = ""
    return out


def without_nulls(value: Any) -> Any:
    """Objects inside a request without their null fields."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}  # pyright: ignore[reportUnknownVariableType] - parsed JSON
    if isinstance(value, list):
        return [without_nulls(item) for item in value]  # pyright: ignore[reportUnknownVariableType] - parsed JSON
    return value


@pytest.mark.parametrize("name", BODIES)
def test_a_request_comes_back(name: str) -> None:
    body = BODIES[name]
    request, _ = CODEC.decode_request(dump(body), RequestPath())
    check_request(request)
    marks = b"prompt_cache_breakpoint" in dump(body)
    again, losses = CODEC.encode_request(request, replace(FULL, cache_breakpoints=marks, cache_control=not marks))
    assert {loss.code for loss in losses} <= EXPECTED_LOSSES
    told = CODEC.decode_request(again, RequestPath()).value
    assert settled(told) == settled(request)
    if not losses:
        assert same_spelling(json.loads(again)) == same_spelling(json.loads(dump(body)))


EXPECTED_LOSSES = {
    "approximated:user",
    "approximated:reasoning.mode",
    "dropped:reasoning.budget_tokens",
    "dropped:top_k",
    "dropped:stream_options",
    "approximated:messages.content",  # a file by id
}


def settled(request: GenerateRequest) -> GenerateRequest:
    """``request`` without what is respelled on purpose."""
    messages = tuple(replace(item, parts=tuple(map(full_arguments, item.parts))) for item in request.messages)
    return replace(request, messages=messages, include_usage=None, top_k=None, reasoning=None, end_user=None)


def full_arguments(part: Any) -> Any:
    return replace(part, arguments="{}") if isinstance(part, ToolCallPart) and part.arguments == "" else part


def settled_answer(answer: GenerateResponse) -> GenerateResponse:
    """``answer`` without what `encode_response` respells: odd finish words, the absent id and time."""
    return replace(answer, id="", created=answer.created or 0, choices=tuple(map(settled_choice, answer.choices)))


def settled_choice(choice: Choice) -> Choice:
    parts = tuple(settled_part(part) for part in choice.parts)
    reason = choice.finish.reason if choice.finish else "stop"
    return replace(choice, parts=parts, finish=None, extras={**choice.extras, "reason": {"is": reason}})


def settled_part(part: Any) -> Any:
    part = full_arguments(part)
    return (
        replace(part, extras={}) if isinstance(part, ReasoningPart) else part
    )  # a format may come too late to be told


@pytest.mark.parametrize("name", WHOLE)
def test_an_answer_comes_back(name: str) -> None:
    body = WHOLE[name]
    if name in NO_ANSWERS:
        with pytest.raises(FailureError):
            CODEC.decode_response(dump(body), FULL)
        return
    answer, losses = CODEC.decode_response(dump(body), FULL)
    again, more_losses = CODEC.encode_response(answer)
    assert not losses
    assert not more_losses
    assert settled_answer(CODEC.decode_response(again, FULL).value) == settled_answer(answer)
    check_usage(answer.usage, body.get("usage"))


def check_usage(usage: Usage | None, reported: dict[str, Any] | None) -> None:
    """Every bucket is a count and together they are what the provider says."""
    if usage is None or not reported:
        return
    assert all(getattr(usage, name) >= 0 for name in usage.__struct_fields__ if name != "extras")
    assert usage.total_input() == reported["prompt_tokens"]
    if reported.get("total_tokens") is not None:
        assert usage.total_input() + usage.total_output() == reported["total_tokens"]


def events_of(data: bytes, size: int) -> list[ev.StreamEvent]:
    decoder = CODEC.stream_decoder(FULL)
    events: list[ev.StreamEvent] = []
    for start in range(0, len(data), size):
        events += decoder.feed(data[start : start + size])
    return events + decoder.close()


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_comes_back(name: str) -> None:
    data = STREAMS[name].encode()
    events = events_of(data, len(data))
    check_stream(events)
    assert events_of(data, 61) == events
    if name in BROKEN_STREAMS:
        assert isinstance(events[-1], ev.Broke)
        return
    answer = assemble(events)
    assert answer.choices
    encoder = CODEC.stream_encoder(GenerateRequest("m", (), include_usage=True))
    again = events_of(encoder.feed(events), 4096)
    check_stream(again)
    assert settled_answer(assemble(again)) == settled_answer(answer)


@pytest.mark.parametrize("name", STREAMS)
def test_a_relayed_stream_is_heard(name: str) -> None:
    data = STREAMS[name].encode()
    for hide in (False, True):
        tap = CODEC.tap(FULL, stream=True, hide_usage=hide)
        relayed = b"".join([tap.feed(data[start : start + 997]) for start in range(0, len(data), 997)]) + tap.close()
        if name in BROKEN_STREAMS:
            assert tap.report.failure is not None
            continue
        answer = assemble(events_of(data, len(data)))
        assert tap.report.complete
        assert tap.report.content or not any(choice.parts for choice in answer.choices)
        assert tap.report.usage == (answer.usage and replace(answer.usage, extras={}))
        assert assemble(events_of(relayed, len(relayed))).choices == answer.choices


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row["id"])
def test_a_refusal_is_read(row: dict[str, Any]) -> None:
    body = row["response"].get("body")
    failure = CODEC.decode_failure(
        row["status"], (), row["response"].get("text", "").encode() if body is None else dump(body)
    )
    assert failure.upstream_status == row["status"]
    if body and failure.kind != "upstream_refused_credential":
        assert json.loads(json.dumps(body)).get("error", {}).get("message", failure.message) in failure.message
