import json

import pytest

from anykey.conversation.failures import Failure, FailureKind
from anykey.protocols.known_codes import kind_of_code
from anykey.protocols.openai_errors import decode_failure


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (429, "QuotaExceeded", "quota_exhausted"),
        (429, "SetLimitExceeded", "quota_exhausted"),
        (429, "ServerOverloaded", "overloaded"),
        (429, "RequestBurstTooFast", "rate_limited"),
        (429, "RateLimitExceeded.EndpointTPMExceeded", "rate_limited"),
        (404, "InvalidEndpointOrModel.ModelIDAccessDisabled", "model_not_found"),
        (404, "ModelNotOpen", "model_not_found"),
        (400, "InvalidEndpoint.ClosedEndpoint", "model_not_found"),
        (400, "OutofContextError", "context_too_long"),
        (400, "InputTextSensitiveContentDetected.PolicyViolation", "content_blocked"),
        (400, "InvalidSubscription", "upstream_refused_credential"),
        (403, "AccountOverdueError", "quota_exhausted"),
        (401, "AuthenticationError", "upstream_refused_credential"),
        (400, "InvalidParameter.thinking", "invalid_request"),
        (500, "InternalServiceError", "upstream_error"),
    ],
)
def test_an_ark_error_is_known_by_its_code(status: int, code: str, kind: FailureKind) -> None:
    error = {"code": code, "message": "See the documentation. Request id: 1", "param": "", "type": "TooManyRequests"}
    assert decode_failure(status, (), json.dumps({"error": error}).encode()).kind == kind


def test_no_code_and_an_unknown_code_name_nothing() -> None:
    assert kind_of_code(None) is None
    assert kind_of_code("insufficient_quota") is None


def test_a_quota_may_be_one_models_own() -> None:
    def failure(code: str) -> Failure:
        return decode_failure(429, (), json.dumps({"error": {"code": code, "message": "m"}}).encode())

    assert failure("QuotaExceeded").of_model
    assert not failure("SetLimitExceeded").of_model
    assert not failure("insufficient_quota").of_model
