"""A sealed credential opens with its key, for its row and origin, unchanged; and with nothing else."""

import secrets

import pytest

from anykey.administration.sealing import SealBrokenError, binding, rewrap, seal, unseal

KEY, OTHER = b"k" * 32, b"o" * 32
ORIGIN = ("https", "api.openai.com", 443)
BOUND = binding("cred_1", "openai", ORIGIN)
TEXT = "sk-canary-0123456789"


@pytest.fixture
def sealed() -> bytes:
    return seal(KEY, TEXT, BOUND, secrets.token_bytes)


def test_it_opens_for_what_it_was_sealed_for(sealed: bytes) -> None:
    assert unseal(KEY, sealed, BOUND) == TEXT
    assert TEXT.encode() not in sealed
    assert KEY not in sealed


def test_the_same_text_is_never_sealed_the_same_way(sealed: bytes) -> None:
    assert seal(KEY, TEXT, BOUND, secrets.token_bytes)[9:] != sealed[9:]


@pytest.mark.parametrize(
    "bound",
    [
        binding("cred_2", "openai", ORIGIN),
        binding("cred_1", "deepseek", ORIGIN),
        binding("cred_1", "openai", ("http", "api.openai.com", 443)),
        binding("cred_1", "openai", ("https", "evil.example", 443)),
        binding("cred_1", "openai", ("https", "api.openai.com", 8443)),
    ],
)
def test_another_row_provider_or_origin_does_not_open_it(sealed: bytes, bound: bytes) -> None:
    with pytest.raises(SealBrokenError):
        unseal(KEY, sealed, bound)


def test_no_two_bindings_are_spelled_the_same() -> None:
    assert binding("a", 'b","c', ORIGIN) != binding('a","b', "c", ORIGIN)


def test_another_master_key_does_not_open_it(sealed: bytes) -> None:
    with pytest.raises(SealBrokenError, match="another master key"):
        unseal(OTHER, sealed, BOUND)


def test_a_change_of_any_byte_is_noticed(sealed: bytes) -> None:
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(SealBrokenError):
            unseal(KEY, bytes(changed), BOUND)


def test_a_cut_at_any_place_is_noticed(sealed: bytes) -> None:
    for length in range(len(sealed)):
        with pytest.raises(SealBrokenError):
            unseal(KEY, sealed[:length], BOUND)


def test_the_sealed_text_of_one_is_nothing_beside_the_key_of_another(sealed: bytes) -> None:
    other = seal(KEY, "sk-other", BOUND, secrets.token_bytes)
    with pytest.raises(SealBrokenError):
        unseal(KEY, sealed[:69] + other[69:], BOUND)


def test_a_new_master_key_leaves_the_sealed_text_as_it_is(sealed: bytes) -> None:
    moved = rewrap((KEY, OTHER), sealed, BOUND, secrets.token_bytes)
    assert unseal(OTHER, moved, BOUND) == TEXT
    assert moved[69:] == sealed[69:]
    with pytest.raises(SealBrokenError):
        unseal(KEY, moved, BOUND)
    with pytest.raises(SealBrokenError):
        rewrap((OTHER, KEY), sealed, BOUND, secrets.token_bytes)
