import json
from typing import Any, get_args

import pytest

from anykey.conversation.failures import Failure, FailureKind
from anykey.protocols.gemini_generate.errors import (
    decode_failure,
    encode_failure,
    encode_stream_failure,
    failure_in_answer,
)
from tests.unit.protocols.gemini_generate.answers import dump

RPC = "type.googleapis.com/google.rpc."


def error(code: int, status: str, message: str, *details: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


def quota(name: str) -> dict[str, Any]:
    return {"@type": f"{RPC}QuotaFailure", "violations": [{"quotaId": name}]}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (error(400, "INVALID_ARGUMENT", "Please use a valid role: user, model."), "invalid_request"),
        (
            error(400, "INVALID_ARGUMENT", "no", {"@type": f"{RPC}ErrorInfo", "reason": "API_KEY_INVALID"}),
            "upstream_refused_credential",
        ),
        (error(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key."), "upstream_refused_credential"),
        (
            error(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
            "upstream_refused_credential",
        ),
        (
            error(
                400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number of tokens allowed (8)."
            ),
            "context_too_long",
        ),
        (error(500, "INTERNAL", "Your input context is too long."), "context_too_long"),
        (error(400, "INVALID_ARGUMENT", "The prompt contains PROHIBITED_CONTENT"), "content_blocked"),
        (error(401, "UNAUTHENTICATED", "no"), "upstream_refused_credential"),
        (error(403, "PERMISSION_DENIED", "no"), "upstream_refused_credential"),
        (error(404, "NOT_FOUND", "models/x is not found for API version v1beta"), "model_not_found"),
        (error(404, "NOT_FOUND", "Publisher Model `projects/p/models/x` not found."), "model_not_found"),
        (error(404, "NOT_FOUND", "cached content is gone"), "not_found"),
        (
            error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", quota("PerMinutePerModel")),
            "rate_limited",
        ),
        (
            error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", quota("PerDayPerModel")),
            "quota_exhausted",
        ),
        (error(499, "CANCELLED", "no"), "upstream_error"),
        (error(500, "INTERNAL", "An internal error has occurred."), "upstream_error"),
        (error(503, "UNAVAILABLE", "The model is overloaded. Please try again later."), "overloaded"),
        (error(503, "UNAVAILABLE", "The service is unavailable."), "unavailable"),
        (error(504, "DEADLINE_EXCEEDED", "no"), "upstream_timeout"),
    ],
)
def test_what_google_says(body: dict[str, Any], kind: FailureKind) -> None:
    status = body["error"]["code"]
    failure = decode_failure(status, (), dump(body))
    assert failure.kind == kind
    assert failure.upstream_status == status
    assert failure.detail == body["error"]
    hidden = kind in ("upstream_refused_credential", "quota_exhausted")
    assert (body["error"]["message"] == failure.message) is not hidden
    assert decode_failure(status, (), dump([body])) == failure
    assert decode_failure(status, (), b"data: " + dump(body) + b"\r\n\r\n") == failure
    assert failure_in_answer(body) == failure


def test_how_long_to_wait() -> None:
    body = error(429, "RESOURCE_EXHAUSTED", "x", {"@type": f"{RPC}RetryInfo", "retryDelay": "48.5s"})
    assert decode_failure(429, (), dump(body)).retry_after_s == 48.5
    assert decode_failure(429, ((b"retry-after", b"3"),), dump(body)).retry_after_s == 3
    assert decode_failure(503, ((b"x-should-retry", b"false"),), b"").should_retry is False


def test_the_field_at_fault() -> None:
    violation = {"field": "contents[0].role", "description": "odd"}
    detail = {"@type": f"{RPC}BadRequest", "fieldViolations": [violation]}
    failure = decode_failure(400, (), dump(error(400, "INVALID_ARGUMENT", "x", 3, detail)))
    assert failure.param == "contents[0].role"
    told = json.loads(encode_failure(failure, "q").body)["error"]["details"]
    assert told == [detail, {"@type": f"{RPC}RequestInfo", "requestId": "q"}]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The provider answered HTTP 400 without saying why."),
        (b"<html>no</html>", "The provider answered HTTP 400 without saying why."),
        (b"[]", "The provider answered HTTP 400 without saying why."),
        (b"3", "The provider answered HTTP 400 without saying why."),
        (b"plain words", "plain words"),
        (b'{"error":"words"}', "words"),
        (b'{"message":"words"}', "words"),
    ],
)
def test_other_shapes(body: bytes, message: str) -> None:
    failure = decode_failure(400, (), body)
    assert (failure.kind, failure.message) == ("invalid_request", message)


@pytest.mark.parametrize("value", [None, 3, [], {}, {"error": None}, {"candidates": []}, ["x"]])
def test_an_answer_is_no_failure(value: Any) -> None:
    assert failure_in_answer(value) is None


def test_an_error_without_a_code_is_the_upstreams() -> None:
    failure = failure_in_answer({"error": {"message": "odd"}})
    assert failure is not None
    assert (failure.kind, failure.message) == ("upstream_error", "odd")


@pytest.mark.parametrize("kind", get_args(FailureKind))
def test_every_failure_has_a_spelling(kind: FailureKind) -> None:
    reply = encode_failure(Failure(kind, "m"), "req_1")
    told = json.loads(reply.body)["error"]
    assert told["code"] == reply.status >= 400
    assert told["message"] == "m"
    assert told["status"].isupper()
    assert {"@type": f"{RPC}RequestInfo", "requestId": "req_1"} in told["details"]
    assert dict(reply.headers)[b"x-request-id"] == b"req_1"


def test_a_rate_limit_says_when_to_come_back() -> None:
    reply = encode_failure(Failure("rate_limited", "m", retry_after_s=2.5), "q")
    assert reply.status == 429
    assert dict(reply.headers)[b"retry-after"] == b"3"
    told = json.loads(reply.body)["error"]
    assert told["status"] == "RESOURCE_EXHAUSTED"
    assert told["details"][0] == {"@type": f"{RPC}RetryInfo", "retryDelay": "2.5s"}
    whole = json.loads(encode_failure(Failure("unavailable", "m", retry_after_s=3.0), "q").body)["error"]["details"]
    assert whole[0]["retryDelay"] == "3s"


def test_a_permanent_failure_is_not_to_be_repeated() -> None:
    assert dict(encode_failure(Failure("authentication", "m"), "q").headers)[b"x-should-retry"] == b"false"
    assert b"x-should-retry" not in dict(encode_failure(Failure("overloaded", "m"), "q").headers)


def test_a_wrong_key_is_named_as_google_names_it() -> None:
    details = json.loads(encode_failure(Failure("authentication", "m"), "").body)["error"]["details"]
    assert details == [{"@type": f"{RPC}ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}]


def test_the_field_of_our_own_refusal() -> None:
    details = json.loads(encode_failure(Failure("invalid_request", "m", param="contents"), "").body)["error"]["details"]
    assert details == [{"@type": f"{RPC}BadRequest", "fieldViolations": [{"field": "contents", "description": "m"}]}]


def test_details_of_the_gateways_own_account_are_not_told() -> None:
    body = error(429, "RESOURCE_EXHAUSTED", "x", {"@type": f"{RPC}ErrorInfo", "metadata": {"consumer": "projects/1"}})
    assert b"projects/1" not in encode_failure(decode_failure(429, (), dump(body)), "q").body


def test_the_error_that_ends_a_stream() -> None:
    told = encode_stream_failure(Failure("upstream_error", "cut"), "q")
    assert told.startswith(b"data: {")
    assert told.endswith(b"}\r\n\r\n")
    assert json.loads(told[6:])["error"]["message"] == "cut"
