"""Whose fault a failure is and whether another try can help."""

from typing import get_args

import pytest

from anykey.conversation.failures import Failure, FailureKind, invalid


@pytest.mark.parametrize(
    ("kind", "fault", "retryable"),
    [
        ("invalid_request", "caller", False),
        ("authentication", "caller", False),
        ("rate_limited", "upstream", True),
        ("overloaded", "upstream", True),
        ("upstream_refused_credential", "upstream", False),
        ("upstream_timeout", "upstream", True),
        ("internal", "gateway", False),
    ],
)
def test_fault_and_retry(kind: FailureKind, fault: str, retryable: bool) -> None:
    failure = Failure(kind, "x")
    assert (failure.fault, failure.retryable) == (fault, retryable)


def test_every_kind_has_a_fault() -> None:
    assert {Failure(kind, "x").fault for kind in get_args(FailureKind)} == {"caller", "upstream", "gateway"}


def test_an_invalid_field_is_named() -> None:
    error = invalid("expected a number", "temperature")
    assert error.failure.param == "temperature"
    assert str(error) == "temperature: expected a number"
