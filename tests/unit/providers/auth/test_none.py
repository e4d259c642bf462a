"""No scheme: a credential that was given all the same goes nowhere."""

from anykey.providers.auth import none
from anykey.providers.secret import Secret


def test_nothing_is_sent() -> None:
    assert none.headers(Secret("k-1")) == ()


def test_what_is_not_sent_may_be_anything() -> None:
    assert none.fault("two words\n") is None
