import json
from typing import Any

import pytest

from anykey.conversation.failures import Failure, FailureKind
from anykey.protocols.openai_responses.errors import (
    decode_failure,
    encode_failure,
    encode_stream_failure,
    failed_response,
    failure_in_answer,
    failure_of_event,
)
from tests.unit.protocols.openai_responses.wire import dump, response

KINDS: list[tuple[str, FailureKind]] = [
    ("server_error", "upstream_error"),
    ("rate_limit_exceeded", "rate_limited"),
    ("context_length_exceeded", "context_too_long"),
    ("invalid_prompt", "invalid_request"),
    ("invalid_image_url", "invalid_request"),
    ("bio_policy", "content_blocked"),
    ("model_not_found", "model_not_found"),
    ("server_is_overloaded", "overloaded"),
    ("vector_store_timeout", "upstream_timeout"),
]


@pytest.mark.parametrize(("code", "kind"), KINDS)
def test_a_failed_response_is_told_by_its_code(code: str, kind: FailureKind) -> None:
    failure = failure_in_answer(response(status="failed", error={"code": code, "message": "words"}))
    assert failure is not None
    assert (failure.kind, failure.message, failure.code) == (kind, "words", code)
    assert failed_response(failure) == {"code": code, "message": "words"}


@pytest.mark.parametrize("code", ["insufficient_quota", "usage_limit_reached"])
def test_the_gateway_s_own_account_is_not_spoken_of(code: str) -> None:
    failure = failure_of_event({"type": "error", "code": code, "message": "pay up, org-1"})
    assert failure.kind == "quota_exhausted"
    assert "org-1" not in failure.message
    assert failed_response(failure)["code"] == "insufficient_quota"


@pytest.mark.parametrize(
    "event",
    [
        {
            "type": "error",
            "sequence_number": 2,
            "error": {"type": "x", "code": "server_error", "message": "w", "param": None},
        },
        {"type": "error", "sequence_number": 2, "code": "server_error", "message": "w", "param": None},
    ],
)
def test_an_error_event_is_nested_or_flat(event: dict[str, Any]) -> None:
    failure = failure_in_answer(event)
    assert failure is not None
    assert (failure.kind, failure.message) == ("upstream_error", "w")


def test_a_silent_error_event_is_a_failure() -> None:
    assert failure_of_event({"type": "error"}).kind == "upstream_error"


def test_an_answer_is_no_failure() -> None:
    assert failure_in_answer(response(error=None)) is None
    assert failure_in_answer({"error": {"message": "x", "code": "content_filter"}}) is not None
    assert failure_in_answer({"detail": "no"}) is not None


def test_http_errors_have_openai_s_shape() -> None:
    failure = decode_failure(400, (), dump({"error": {"message": "bad", "param": "n", "code": None, "type": "t"}}))
    reply = encode_failure(failure, "r1")
    assert reply.status == 400
    assert json.loads(reply.body)["error"] == {
        "message": "bad",
        "type": "invalid_request_error",
        "param": "n",
        "code": None,
    }
    assert (b"x-request-id", b"r1") in reply.headers


def test_a_429_always_says_when_to_come_back() -> None:
    assert (b"retry-after", b"5") in encode_failure(Failure("rate_limited", "x"), "r").headers
    assert (b"retry-after", b"2") in encode_failure(Failure("rate_limited", "x", retry_after_s=1.5), "r").headers


def test_a_lasting_failure_is_no_5xx() -> None:
    reply = encode_failure(Failure("upstream_refused_credential", "x"), "r")
    assert reply.status == 424
    assert (b"x-should-retry", b"false") in reply.headers


def test_a_broken_relay_ends_with_a_failed_response() -> None:
    data = encode_stream_failure(Failure("rate_limited", "Slow down.", retry_after_s=2), "req_1")
    name, _, line = data.decode().partition("\n")
    record = json.loads(line.removeprefix("data: "))
    assert name == "event: response.failed"
    assert record["type"] == "response.failed"
    assert record["response"]["status"] == "failed"
    assert record["response"]["error"] == {
        "code": "rate_limit_exceeded",
        "message": "Slow down. Please try again in 2s.",
    }
    assert record["response"]["id"].startswith("resp_")


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("upstream_refused_credential", "invalid_prompt"),
        ("unavailable", "server_error"),
        ("overloaded", "server_error"),
    ],
)
def test_codes_tell_codex_whether_to_ask_again(kind: FailureKind, code: str) -> None:
    assert failed_response(Failure(kind, "x", code="strange"))["code"] == code
