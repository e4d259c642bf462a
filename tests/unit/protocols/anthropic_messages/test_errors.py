import json
from typing import Any

import pytest

from anykey.conversation.failures import Failure, FailureKind
from anykey.protocols.anthropic_messages.errors import (
    decode_failure,
    encode_failure,
    encode_stream_failure,
    failure_of_event,
)


@pytest.mark.parametrize(
    ("status", "body", "kind", "message", "code"),
    [
        (
            400,
            {"type": "error", "error": {"type": "invalid_request_error", "message": "no"}},
            "invalid_request",
            "no",
            None,
        ),
        (
            400,
            {"error": {"type": "invalid_request_error", "message": "prompt is too long: 9 tokens > 5 maximum"}},
            "context_too_long",
            "prompt is too long: 9 tokens > 5 maximum",
            None,
        ),
        (
            400,
            {"error": {"message": "m", "type": "x", "param": "p", "code": "context_length_exceeded"}},
            "context_too_long",
            "m",
            "context_length_exceeded",
        ),
        (400, {"error": {"message": "m", "code": "content_filter"}}, "content_blocked", "m", "content_filter"),
        (
            401,
            {"detail": "account 42 has no key"},
            "upstream_refused_credential",
            "The gateway's credential for this provider was refused (HTTP 401).",
            None,
        ),
        (
            403,
            {"error": "forbidden for org 7"},
            "upstream_refused_credential",
            "The gateway's credential for this provider was refused (HTTP 403).",
            None,
        ),
        (
            404,
            {"error": {"type": "not_found_error", "message": "model: x"}},
            "model_not_found",
            "model: x",
            None,
        ),
        (404, {"error": "no such path"}, "not_found", "no such path", None),
        (409, {}, "conflict", "The provider answered HTTP 409 without saying why.", None),
        (413, {"error": {"message": "big"}}, "too_large", "big", None),
        (422, {"detail": [{"loc": ["body"], "msg": "bad"}]}, "invalid_request", '[{"loc":["body"],"msg":"bad"}]', None),
        (
            429,
            {"error": {"message": "slow", "code": 429, "status": "RESOURCE_EXHAUSTED"}},
            "rate_limited",
            "slow",
            None,
        ),
        (
            429,
            {"error": {"message": "pay", "code": "insufficient_quota"}},
            "quota_exhausted",
            "The gateway's account at this provider has no quota left (HTTP 429).",
            None,
        ),
        (418, {"error": {"message": "tea"}}, "invalid_request", "tea", None),
        (500, {"object": "error", "message": "oops", "type": "t"}, "upstream_error", "oops", None),
        (503, {"error": {"message": "The model is overloaded."}}, "overloaded", "The model is overloaded.", None),
        (503, {"error": {"message": "down"}}, "unavailable", "down", None),
        (504, [{"error": {"message": "late"}}], "upstream_timeout", "late", None),
        (529, {"error": {"type": "overloaded_error", "message": "busy"}}, "overloaded", "busy", None),
        (200, {"code": "x", "error": "text"}, "upstream_error", "text", "x"),
        (200, {"error": {"type": "rate_limit_error", "message": "slow"}}, "rate_limited", "slow", None),
        (
            402,
            {"error": {"type": "billing_error", "message": "Your credit balance is too low"}},
            "upstream_refused_credential",
            "The gateway's credential for this provider was refused (HTTP 402).",
            None,
        ),
    ],
)
def test_every_shape_is_understood(status: int, body: Any, kind: str, message: str, code: str | None) -> None:
    failure = decode_failure(status, (), json.dumps(body).encode())
    assert (failure.kind, failure.message, failure.code) == (kind, message, code)
    assert failure.upstream_status == status


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "without saying why"),
        (b"<html>502</html>", "web page"),
        (b"Bad gateway", "Bad gateway"),
        (b"\xff", "\ufffd"),
    ],
)
def test_bodies_that_are_no_json(body: bytes, message: str) -> None:
    failure = decode_failure(502, (), body)
    assert failure.kind == "upstream_error"
    assert message in failure.message


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([(b"retry-after", b"7")], 7),
        ([(b"retry-after", b"7"), (b"retry-after-ms", b"250")], 0.25),
        ([(b"retry-after", b"Sat, 21 Nov 2026 10:00:30 GMT"), (b"date", b"Sat, 21 Nov 2026 10:00:00 GMT")], 30),
        ([(b"retry-after", b"Sat, 21 Nov 2026 10:00:30 GMT")], None),
        ([(b"retry-after", b"soon")], None),
        ([(b"retry-after", b"nan")], None),
        ([], None),
    ],
)
def test_when_to_come_back(headers: list[tuple[bytes, bytes]], seconds: float | None) -> None:
    assert decode_failure(429, headers, b"{}").retry_after_s == seconds


def test_google_tells_the_delay_in_the_body() -> None:
    body = {
        "error": {"message": "m", "details": [{"@type": "QuotaFailure"}, {"@type": "RetryInfo", "retryDelay": "48s"}]}
    }
    assert decode_failure(429, (), json.dumps(body).encode()).retry_after_s == 48
    assert failure_of_event(body).retry_after_s == 48


def test_the_upstreams_wish_is_heard() -> None:
    assert decode_failure(500, [(b"x-should-retry", b"false")], b"").should_retry is False
    assert decode_failure(500, [(b"x-should-retry", b"true")], b"").should_retry is True
    assert decode_failure(500, (), b"").should_retry is None


REPLIES: list[tuple[FailureKind, int, str, bool]] = [
    ("invalid_request", 400, "invalid_request_error", False),
    ("authentication", 401, "authentication_error", True),
    ("payment_required", 402, "billing_error", True),
    ("permission", 403, "permission_error", True),
    ("model_not_found", 404, "not_found_error", True),
    ("too_large", 413, "request_too_large", False),
    ("unprocessable", 422, "invalid_request_error", True),
    ("rate_limited", 429, "rate_limit_error", False),
    ("quota_exhausted", 429, "rate_limit_error", True),
    ("client_gone", 499, "api_error", False),
    ("internal", 500, "api_error", False),
    ("upstream_error", 502, "api_error", False),
    ("upstream_refused_credential", 502, "api_error", True),
    ("unavailable", 503, "api_error", False),
    ("upstream_timeout", 504, "timeout_error", False),
    ("overloaded", 529, "overloaded_error", False),
]


@pytest.mark.parametrize(("kind", "status", "word", "permanent"), REPLIES)
def test_replies(kind: FailureKind, status: int, word: str, permanent: bool) -> None:
    reply = encode_failure(Failure(kind, "why", retry_after_s=1.2), "req_1")
    headers = dict(reply.headers)
    assert reply.status == status
    assert json.loads(reply.body) == {"type": "error", "error": {"type": word, "message": "why"}, "request_id": "req_1"}
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"request-id"] == headers[b"x-anykey-request-id"] == b"req_1"
    assert headers[b"retry-after"] == b"2"
    assert headers.get(b"x-should-retry") == (b"false" if permanent else None)


def test_a_wish_of_the_upstream_is_passed_on() -> None:
    assert (
        dict(encode_failure(Failure("upstream_error", "m", should_retry=True), "r").headers)[b"x-should-retry"]
        == b"true"
    )
    assert (
        dict(encode_failure(Failure("upstream_error", "m", should_retry=False), "r").headers)[b"x-should-retry"]
        == b"false"
    )


def test_an_overflow_is_told_in_the_words_clients_know_and_other_texts_stay() -> None:
    def told(failure: Failure) -> dict[str, Any]:
        return json.loads(encode_failure(failure, "r").body)["error"]

    assert (
        told(Failure("context_too_long", "maximum context length is 9"))["message"]
        == "maximum context length is 9 (prompt is too long)"
    )
    exact = "prompt is too long: 9 tokens > 5 maximum"
    assert told(Failure("context_too_long", exact))["message"] == exact
    assert told(Failure("invalid_request", "m", detail={"details": {"error_code": "x"}}))["details"] == {
        "error_code": "x"
    }
    assert "details" not in told(Failure("upstream_refused_credential", "m", detail={"details": {"account": "x"}}))


def test_the_error_of_a_stream() -> None:
    failure = failure_of_event({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}})
    assert (failure.kind, failure.message) == ("overloaded", "busy")
    assert failure_of_event({"type": "error"}).kind == "upstream_error"
    refused = failure_of_event({"error": {"type": "authentication_error", "message": "org 7"}})
    assert "org 7" not in refused.message
    head, data, end = encode_stream_failure(failure, "req_1").split(b"\n", 2)
    assert (head, end) == (b"event: error", b"\n")
    assert json.loads(data[6:]) == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "busy"},
        "request_id": "req_1",
    }
