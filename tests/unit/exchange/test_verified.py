"""Verified keys are remembered, and forgotten at any change."""

from anykey.accounts.keys import ApiKey
from anykey.exchange import verified
from anykey.exchange.verified import VerifiedKeys

KEY = ApiKey(id="a", name="n", digest=b"d", last4="wxyz", created_at=1)


def test_a_key_is_remembered_for_one_state_of_the_keys() -> None:
    known, before, after = VerifiedKeys(), {"a": KEY}, {"a": KEY}
    assert known.get(b"Bearer x", before) is None
    known.remember(b"Bearer x", KEY, before)
    assert known.get(b"Bearer x", before) is KEY
    assert known.get(b"Bearer y", before) is None
    assert known.get(b"Bearer x", after) is None


def test_a_change_forgets_everything() -> None:
    known, before, after = VerifiedKeys(), {"a": KEY}, {"a": KEY}
    known.remember(b"Bearer x", KEY, before)
    known.remember(b"Bearer y", KEY, after)
    assert known.get(b"Bearer x", after) is None
    assert known.get(b"Bearer y", after) is KEY


def test_the_memory_is_bounded() -> None:
    known, keys = VerifiedKeys(), {"a": KEY}
    for number in range(verified.MOST_KEPT + 1):
        known.remember(b"%d" % number, KEY, keys)
    assert known.get(b"0", keys) is None
    assert known.get(b"%d" % verified.MOST_KEPT, keys) is KEY
