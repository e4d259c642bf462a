import json
from typing import Any

import pytest

from anykey.conversation.failures import Failure, FailureKind
from anykey.protocols.openai_errors import (
    SPELLINGS,
    Spelling,
    decode_failure,
    encode_failure,
    error_object,
    failure_in_answer,
)


def test_a_refusal_comes_back_in_the_same_words() -> None:
    error = {"message": "bad", "type": "invalid_request_error", "param": "n", "code": None}
    failure = decode_failure(400, (), json.dumps({"error": error}).encode())
    assert failure.kind == "invalid_request"
    assert error_object(failure) == error


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"error": {"message": "x", "code": "context_length_exceeded"}}, "context_too_long"),
        ({"error": {"message": "x", "code": "rate_limit_exceeded"}}, "rate_limited"),
        ({"error": "overloaded"}, "overloaded"),
        ([{"error": {"message": "x", "code": 500}}], "upstream_error"),
        ("a word", "upstream_error"),
    ],
)
def test_an_error_may_come_under_200(value: Any, kind: FailureKind) -> None:
    failure = failure_in_answer(value)
    assert failure is not None
    assert failure.kind == kind


@pytest.mark.parametrize("value", [{}, {"error": None}, {"choices": [], "detail": "x"}, [], 1])
def test_an_answer_is_no_error(value: Any) -> None:
    assert failure_in_answer(value) is None


def test_a_protocol_may_spell_a_kind_its_own_way() -> None:
    failure = Failure("unavailable", "x")
    assert encode_failure(failure, "r").status == 503
    reply = encode_failure(
        failure, "r", {**SPELLINGS, "unavailable": Spelling(424, "server_error", "gone", final=True)}
    )
    assert (reply.status, json.loads(reply.body)["error"]["code"]) == (424, "gone")
    assert (b"x-should-retry", b"false") in reply.headers


def test_every_kind_has_a_spelling() -> None:
    for kind, spelling in SPELLINGS.items():
        assert encode_failure(Failure(kind, "x"), "r").status == spelling.status
