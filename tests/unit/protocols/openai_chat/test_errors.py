import json
from typing import Any

import pytest

from anykey.conversation.failures import Failure, FailureKind
from anykey.protocols.openai_chat.codec import CODEC
from anykey.protocols.openai_chat.errors import failure_in_answer
from tests.unit.protocols.openai_chat.samples import dump

SHAPES: list[tuple[int, bytes, FailureKind, str]] = [
    (
        400,
        dump({"error": {"message": "bad", "type": "invalid_request_error", "param": "n", "code": None}}),
        "invalid_request",
        "bad",
    ),
    (400, dump({"error": "bad", "code": "x"}), "invalid_request", "bad"),
    (422, dump({"detail": "bad"}), "invalid_request", "bad"),
    (422, dump({"detail": [{"loc": ["body"], "msg": "bad"}]}), "invalid_request", '[{"loc":["body"],"msg":"bad"}]'),
    (400, dump({"object": "error", "message": "bad", "code": 40001}), "invalid_request", "bad"),
    (400, dump([{"error": {"code": 400, "message": "bad", "status": "INVALID_ARGUMENT"}}]), "invalid_request", "bad"),
    (502, b"<html><h1>Bad gateway</h1></html>", "upstream_error", "The provider answered HTTP 502 without saying why."),
    (500, b"", "upstream_error", "The provider answered HTTP 500 without saying why."),
    (500, b"plain words", "upstream_error", "plain words"),
    (500, b"\xff\xfe", "upstream_error", "��"),
    (400, dump({"error": {"message": "x", "code": "context_length_exceeded"}}), "context_too_long", "x"),
    (
        400,
        dump({"error": {"message": "prompt is too long: 9 tokens > 8 maximum"}}),
        "context_too_long",
        "prompt is too long: 9 tokens > 8 maximum",
    ),
    (400, dump({"error": {"message": "filtered", "code": "content_filter"}}), "content_blocked", "filtered"),
    (
        404,
        dump({"error": {"message": "The model `x` does not exist", "code": "model_not_found"}}),
        "model_not_found",
        "The model `x` does not exist",
    ),
    (404, dump({"error": {"message": "no such path"}}), "not_found", "no such path"),
    (413, b"", "too_large", "The provider answered HTTP 413 without saying why."),
    (429, dump({"error": {"message": "slow down", "code": "rate_limit_exceeded"}}), "rate_limited", "slow down"),
    (
        429,
        dump({"error": {"message": "pay", "code": "insufficient_quota"}}),
        "quota_exhausted",
        "The gateway's account at this provider has no quota left (HTTP 429).",
    ),
    (408, b"", "upstream_timeout", "The provider answered HTTP 408 without saying why."),
    (504, b"", "upstream_timeout", "The provider answered HTTP 504 without saying why."),
    (409, b"", "conflict", "The provider answered HTTP 409 without saying why."),
    (503, dump({"error": {"message": "The engine is overloaded"}}), "overloaded", "The engine is overloaded"),
    (503, b"", "unavailable", "The provider answered HTTP 503 without saying why."),
    (529, b"", "overloaded", "The provider answered HTTP 529 without saying why."),
    (
        429,
        dump({"error": {"message": "Provider returned error", "metadata": {"raw": "busy"}}}),
        "rate_limited",
        "Provider returned error: busy",
    ),
    (
        400,
        dump({"error": {"message": "Unknown parameter: timeout", "param": "timeout"}}),
        "invalid_request",
        "Unknown parameter: timeout",
    ),
]


@pytest.mark.parametrize(("status", "body", "kind", "message"), SHAPES)
def test_every_shape_of_error_is_read(status: int, body: bytes, kind: str, message: str) -> None:
    failure = CODEC.decode_failure(status, (), body)
    assert (failure.kind, failure.message, failure.upstream_status) == (kind, message, status)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "key sk-secret is wrong"),
        (403, "org-1 may not"),
        (402, "pay"),
        (400, "Incorrect API key provided: sk-secret"),
    ],
)
def test_a_refused_credential_says_nothing_of_the_account(status: int, message: str) -> None:
    failure = CODEC.decode_failure(status, (), dump({"error": {"message": message}}))
    assert failure.kind == "upstream_refused_credential"
    assert failure.message == f"The gateway's credential for this provider was refused (HTTP {status})."
    assert failure.detail == {"message": message}
    reply = CODEC.encode_failure(failure, "req_1")
    assert b"secret" not in reply.body
    assert (b"x-should-retry", b"false") in reply.headers


def test_the_field_and_the_code_are_kept() -> None:
    failure = CODEC.decode_failure(
        400, (), dump({"error": {"message": "m", "param": "tools", "code": "c", "type": "t"}})
    )
    assert (failure.param, failure.code) == ("tools", "c")


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ([(b"retry-after", b"7")], b"", 7.0),
        ([(b"retry-after", b"7"), (b"retry-after-ms", b"1500")], b"", 1.5),
        ([(b"retry-after", b"-7")], b"", None),
        ([(b"retry-after", b"soon")], b"", None),
        (
            [(b"retry-after", b"Sat, 21 Nov 2026 09:00:30 GMT"), (b"date", b"Sat, 21 Nov 2026 09:00:00 GMT")],
            b"",
            30.0,
        ),
        ([(b"retry-after", b"Sat, 21 Nov 2026 09:00:30 GMT")], b"", None),
        ([], dump({"error": {"details": [{"retryDelay": "48s"}]}}), 48.0),
        ([], dump({"error": {"details": [{"retryDelay": 48}]}}), None),
    ],
)
def test_how_long_to_wait(headers: list[tuple[bytes, bytes]], body: bytes, seconds: float | None) -> None:
    assert CODEC.decode_failure(429, headers, body).retry_after_s == seconds


@pytest.mark.parametrize(("value", "wish"), [(b"true", True), (b"false", False), (b"x", None)])
def test_the_upstreams_wish_about_retries_is_kept(value: bytes, wish: bool | None) -> None:
    assert CODEC.decode_failure(500, [(b"x-should-retry", value)], b"").should_retry is wish


@pytest.mark.parametrize(
    ("value", "kind", "status"),
    [
        ({"error": {"message": "slow", "code": 429}}, "rate_limited", 429),
        ({"error": {"message": "busy", "type": "overloaded_error"}}, "overloaded", None),
        ({"error": {"message": "x", "status_code": 400, "code": "tool_use_failed"}}, "invalid_request", 400),
        ({"error": {"message": "x", "type": "server_error"}}, "upstream_error", None),
        ({"error": {"message": "The request timed out"}}, "upstream_timeout", None),
        ({"type": "error", "message": "x"}, "upstream_error", None),
        ("Internal error", "upstream_error", None),
    ],
)
def test_an_error_under_http_200(value: Any, kind: str, status: int | None) -> None:
    failure = failure_in_answer(value)
    assert failure is not None
    assert (failure.kind, failure.upstream_status) == (kind, status)


@pytest.mark.parametrize("value", [{"choices": [], "error": None}, {"choices": [], "detail": "x"}, {}, None, 3])
def test_what_is_no_error(value: Any) -> None:
    assert failure_in_answer(value) is None


STATUSES: dict[FailureKind, int] = {
    "invalid_request": 400, "context_too_long": 400, "content_blocked": 400, "authentication": 401, "payment_required": 402,
    "permission": 403, "not_found": 404, "model_not_found": 404, "method_not_allowed": 405, "request_timeout": 408,
    "conflict": 409, "too_large": 413, "unprocessable": 422, "rate_limited": 429, "quota_exhausted": 429, "client_gone": 499,
    "internal": 500, "upstream_error": 502,
    "upstream_refused_credential": 502, "upstream_timeout": 504, "unavailable": 503, "overloaded": 503,
}  # fmt: skip


@pytest.mark.parametrize(("kind", "status"), STATUSES.items())
def test_a_failure_is_told_in_the_clients_shape(kind: FailureKind, status: int) -> None:
    failure = Failure(kind, "words", "tools")
    reply = CODEC.encode_failure(failure, "req_1")
    headers, body = dict(reply.headers), json.loads(reply.body)
    assert reply.status == status
    assert headers[b"x-request-id"] == headers[b"x-anykey-request-id"] == b"req_1"
    assert headers[b"content-type"] == b"application/json"
    assert body["request_id"] == "req_1"
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert body["error"]["message"].startswith("words")
    assert body["error"]["param"] == "tools"
    if failure.retryable:
        assert b"x-should-retry" not in headers


def test_waiting_and_retrying_are_told() -> None:
    headers = dict(
        CODEC.encode_failure(Failure("rate_limited", "m", retry_after_s=1.2, should_retry=True), "r").headers
    )
    assert headers[b"retry-after"] == b"2"
    assert headers[b"x-should-retry"] == b"true"
    assert (
        dict(CODEC.encode_failure(Failure("internal", "m", should_retry=False), "r").headers)[b"x-should-retry"]
        == b"false"
    )


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("This model's maximum context length is 9 tokens", "This model's maximum context length is 9 tokens"),
        ("too much", "too much (The prompt is too long for this model's maximum context length.)"),
    ],
)
def test_an_overflow_is_recognised_by_clients(message: str, told: str) -> None:
    error = json.loads(CODEC.encode_failure(Failure("context_too_long", message, code="other"), "r").body)["error"]
    assert (error["message"], error["code"]) == (told, "context_length_exceeded")


def test_the_in_band_error_names_the_request() -> None:
    data = CODEC.encode_stream_failure(Failure("upstream_error", "gone", code="c"), "req_1")
    assert data.startswith(b"data: ")
    assert data.endswith(b"\n\n")
    assert json.loads(data[6:])["error"] == {
        "message": "gone",
        "type": "server_error",
        "param": None,
        "code": "c",
        "request_id": "req_1",
    }
