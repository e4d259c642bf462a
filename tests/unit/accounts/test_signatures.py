"""Signed bodies: whole, fresh, by who knows the secret."""

import hashlib
import hmac

import pytest

from anykey.accounts.signatures import OLDEST_S, SignatureRefused, check, sign

SECRET, BODY, NOW = b"s3cret", b'{"id":"1"}', 1_800_000_000


def test_the_form_is_the_documented_one() -> None:
    expected = hmac.new(SECRET, b"1800000000." + BODY, hashlib.sha256).hexdigest()
    assert sign(SECRET, BODY, NOW) == f"t=1800000000,v1={expected}"


@pytest.mark.parametrize("age_s", [0, OLDEST_S, -OLDEST_S])
def test_a_fresh_one_is_taken(age_s: int) -> None:
    check(SECRET, sign(SECRET, BODY, NOW), BODY, NOW + age_s)


@pytest.mark.parametrize(
    ("header", "body", "now_s", "code"),
    [
        (None, BODY, NOW, "no_signature"),
        ("", BODY, NOW, "no_signature"),
        ("t=1800000000", BODY, NOW, "no_signature"),
        (sign(SECRET, BODY, NOW) + " ", BODY, NOW, "no_signature"),
        (sign(b"other", BODY, NOW), BODY, NOW, "wrong_signature"),
        (sign(SECRET, BODY, NOW), BODY + b" ", NOW, "wrong_signature"),
        (sign(SECRET, BODY, NOW).replace("t=1800000000", "t=1800000001"), BODY, NOW, "wrong_signature"),
        (sign(SECRET, BODY, NOW), BODY, NOW + OLDEST_S + 1, "too_old"),
        (sign(SECRET, BODY, NOW), BODY, NOW - OLDEST_S - 1, "too_old"),
    ],
)
def test_all_else_is_refused(header: str | None, body: bytes, now_s: float, code: str) -> None:
    with pytest.raises(SignatureRefused) as refused:
        check(SECRET, header, body, now_s)
    assert refused.value.code == code


def test_an_empty_secret_verifies_nothing() -> None:
    with pytest.raises(ValueError, match="no secret"):
        check(b"", sign(b"", BODY, NOW), BODY, NOW)
