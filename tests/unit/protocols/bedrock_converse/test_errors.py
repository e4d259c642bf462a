import pytest

from anykey.protocols.bedrock_converse.errors import decode_failure, failure_of_exception, plain_name


def kind_of(status: int, name: str, message: str = "Told.") -> str:
    headers = ((b"x-amzn-errortype", name.encode()),) if name else ()
    return decode_failure(status, headers, b'{"message": "%s"}' % message.encode()).kind


@pytest.mark.parametrize(
    ("status", "name", "kind"),
    [
        (400, "ValidationException", "invalid_request"),
        (400, "ServiceQuotaExceededException", "quota_exhausted"),
        (403, "AccessDeniedException", "upstream_refused_credential"),
        (403, "ExpiredTokenException", "upstream_refused_credential"),
        (403, "ExpiredToken", "upstream_refused_credential"),
        (403, "UnrecognizedClientException", "upstream_refused_credential"),
        (403, "InvalidSignatureException", "upstream_refused_credential"),
        (404, "ResourceNotFoundException", "model_not_found"),
        (408, "ModelTimeoutException", "upstream_timeout"),
        (424, "ModelErrorException", "upstream_error"),
        (429, "ThrottlingException", "rate_limited"),
        (429, "ModelNotReadyException", "unavailable"),
        (500, "InternalServerException", "upstream_error"),
        (503, "ServiceUnavailableException", "unavailable"),
        (400, "", "invalid_request"),
        (403, "", "upstream_refused_credential"),
        (413, "", "too_large"),
        (429, "", "rate_limited"),
        (418, "", "invalid_request"),
        (502, "", "upstream_error"),
    ],
)
def test_the_exceptions_name_says_what_it_is_and_else_the_status(status: int, name: str, kind: str) -> None:
    assert kind_of(status, name) == kind


@pytest.mark.parametrize(
    ("status", "name", "message", "kind"),
    [
        (400, "ValidationException", "Input is too long for requested model.", "context_too_long"),
        (400, "ValidationException", "prompt is too long: 210000 tokens > 200000 maximum", "context_too_long"),
        (400, "ValidationException", "The provided model identifier is invalid.", "model_not_found"),
        (400, "ValidationException", "Invocation with on-demand throughput isn't supported.", "model_not_found"),
        (403, "AccessDeniedException", "You don't have access to the model.", "model_not_found"),
        (429, "ThrottlingException", "Too many tokens per day, please wait.", "quota_exhausted"),
    ],
)
def test_some_exceptions_need_their_words(status: int, name: str, message: str, kind: str) -> None:
    assert kind_of(status, name, message) == kind


def test_the_type_may_stand_in_the_body_and_the_message_be_spelled_large() -> None:
    body = b'{"__type": "com.amazon.coral.service#ThrottlingException", "Message": "Slow down."}'
    failure = decode_failure(400, ((b"retry-after", b"3"),), body)
    assert (failure.kind, failure.message, failure.code, failure.retry_after_s) == (
        "rate_limited", "Slow down.", "Throttling", 3.0,
    )  # fmt: skip


def test_a_refused_credential_is_the_operators_business() -> None:
    headers = ((b"x-amzn-errortype", b"UnrecognizedClientException"),)
    failure = decode_failure(403, headers, b'{"message": "The security token AKIA1 is invalid."}')
    assert failure.code is None
    assert "AKIA1" not in failure.message


@pytest.mark.parametrize(
    ("body", "message"), [(b"<html>", "web page"), (b"", "HTTP 502"), (b"Bad gateway", "Bad gateway")]
)
def test_a_reply_that_is_no_json(body: bytes, message: str) -> None:
    assert message in decode_failure(502, (), body).message


def test_what_the_model_itself_said_is_told_too() -> None:
    failure = failure_of_exception("modelStreamErrorException", b'{"message": "A.", "originalMessage": "B."}')
    assert failure.message == "A. B."
    assert failure_of_exception("x", b"").message


def test_names() -> None:
    assert plain_name("ThrottlingException:http://internal.amazon.com/coral/") == "Throttling"
    assert plain_name("throttlingException") == "Throttling"
    assert plain_name("a.b#ModelErrorException") == "ModelError"
    assert plain_name("") == ""
