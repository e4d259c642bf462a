"""The key text, its checksum, and who may call."""

import re
import secrets
import string
import zlib
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.accounts.keys import (
    BASE62,
    KEY_LENGTH,
    ApiKey,
    KeyRefusal,
    MintedKey,
    ParsedKey,
    actor_of,
    digest,
    has_expired,
    may_lapse,
    mint,
    mint_again,
    parse,
    verify,
)
from anykey.accounts.permissions import Actor

PEPPER = bytes(range(32))
NOW = 1_000.0
ALPHABET = string.digits + string.ascii_letters


def fixed(byte: int) -> Callable[[int], bytes]:
    return lambda count: bytes([byte]) * count


def issued(minted: MintedKey, revoked_at: int | None = None) -> ApiKey:
    return ApiKey(
        id=minted.id,
        name="n",
        digest=digest(minted.text, PEPPER),
        last4=minted.text[-4:],
        created_at=1,
        revoked_at=revoked_at,
    )


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=20, max_size=20))
def test_any_random_bytes_make_a_key_that_parses(for_id: bytes, for_secret: bytes) -> None:
    minted = mint(lambda count: {16: for_id, 20: for_secret}[count])
    assert re.fullmatch(r"ak-[0-9a-z]{10}-[0-9A-Za-z]{33}", minted.text)
    assert len(minted.text) == KEY_LENGTH == 47
    parsed = parse(minted.text)
    assert parsed is not None
    assert (parsed.id, parsed.text) == (minted.id, minted.text)


@given(st.binary(min_size=20, max_size=20), st.binary(min_size=20, max_size=20))
def test_the_secret_carries_all_160_bits(one: bytes, other: bytes) -> None:
    texts = [mint(lambda count, secret=secret: secret if count == 20 else bytes(count)).text for secret in (one, other)]
    assert (texts[0] == texts[1]) == (one == other)
    value = 0
    for digit in texts[0][14:41]:
        value = value * 62 + BASE62.index(digit)
    assert value == int.from_bytes(one)


def test_the_checksum_is_the_crc32_of_what_stands_before_it() -> None:
    text = mint(fixed(7)).text
    value = 0
    for digit in text[-6:]:
        value = value * 62 + BASE62.index(digit)
    assert value == zlib.crc32(text[:-6].encode())


@given(st.integers(0, KEY_LENGTH - 1), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(position: int, character: str) -> None:
    text = mint(fixed(9)).text
    wrong = text[:position] + character + text[position + 1 :]
    assert (parse(wrong) is None) == (wrong != text)


@pytest.mark.parametrize(
    "text", ["", "ak-", "sk-1234", "Bearer x", mint(fixed(1)).text + "\n", mint(fixed(1)).text[:-1]]
)
def test_what_is_no_key_does_not_parse(text: str) -> None:
    assert parse(text) is None


@given(st.text())
def test_garbage_never_raises(text: str) -> None:
    assert parse(text) is None


def test_a_key_in_force_is_itself() -> None:
    minted = mint(secrets.token_bytes)
    key = issued(minted)
    assert verify(ParsedKey(minted.id, minted.text), {key.id: key}, PEPPER, NOW) is key


def test_an_unknown_id_and_a_wrong_secret_are_refused_alike() -> None:
    key = issued(mint(fixed(1)))
    forged = mint(lambda count: bytes([1] * 16) if count == 16 else bytes([2] * 20))
    assert forged.id == key.id
    assert verify(forged, {key.id: key}, PEPPER, NOW) is KeyRefusal.UNKNOWN
    assert verify(forged, {}, PEPPER, NOW) is KeyRefusal.UNKNOWN


def test_a_revoked_key_is_told_so_only_with_its_whole_secret() -> None:
    minted = mint(fixed(1))
    forged = mint(lambda count: bytes([1] * 16) if count == 16 else bytes([2] * 20))
    keys = {minted.id: issued(minted, revoked_at=5)}
    assert verify(minted, keys, PEPPER, NOW) is KeyRefusal.REVOKED
    assert verify(forged, keys, PEPPER, NOW) is KeyRefusal.UNKNOWN


def test_another_pepper_opens_nothing() -> None:
    minted = mint(fixed(3))
    assert verify(minted, {minted.id: issued(minted)}, bytes(32), NOW) is KeyRefusal.UNKNOWN


def test_an_end_is_told_only_with_the_whole_secret() -> None:
    minted = mint(fixed(1))
    forged = mint(lambda count: bytes([1] * 16) if count == 16 else bytes([2] * 20))
    key = msgspec.structs.replace(issued(minted), expires_at=1_000)
    assert verify(minted, {key.id: key}, PEPPER, 999.9) is key
    assert verify(minted, {key.id: key}, PEPPER, 1_000) is KeyRefusal.EXPIRED
    assert verify(forged, {key.id: key}, PEPPER, 1_000) is KeyRefusal.UNKNOWN
    assert has_expired(key, 1_000)
    assert not has_expired(issued(minted), 10**12)


def test_the_secret_before_a_rotation_is_good_until_its_end() -> None:
    before = mint(fixed(1))
    after = mint_again(before.id, fixed(2))
    assert (after.id, after.text[:14]) == (before.id, before.text[:14])
    assert after.text != before.text
    key = msgspec.structs.replace(issued(after), previous_digest=digest(before.text, PEPPER), previous_until=1_000)
    keys = {key.id: key}
    assert verify(before, keys, PEPPER, 999.9) is verify(after, keys, PEPPER, 5_000) is key
    assert verify(before, keys, PEPPER, 1_000) is KeyRefusal.UNKNOWN
    ended = {key.id: msgspec.structs.replace(key, revoked_at=1)}
    assert verify(before, ended, PEPPER, 1) is KeyRefusal.REVOKED
    endless = {key.id: msgspec.structs.replace(key, previous_until=None)}
    assert verify(before, endless, PEPPER, 1) is KeyRefusal.UNKNOWN


def test_what_may_lapse_by_the_clock_alone() -> None:
    key = issued(mint(fixed(1)))
    assert not may_lapse(key, NOW)
    assert may_lapse(msgspec.structs.replace(key, expires_at=10**10), NOW)
    rotated = msgspec.structs.replace(key, previous_digest=bytes(32), previous_until=NOW + 1)
    assert may_lapse(rotated, NOW)
    assert not may_lapse(rotated, NOW + 1)


def test_whom_the_holder_of_a_key_acts_for() -> None:
    key = msgspec.structs.replace(issued(mint(fixed(1))), organisation="org_1")
    assert not key.operator
    assert actor_of(key) == Actor(f"key:{key.id}", "member", "org_1", None, key.id)
    assert actor_of(msgspec.structs.replace(key, admin=True)) == Actor(f"key:{key.id}", "operator", key_id=key.id)
    owned = msgspec.structs.replace(key, admin=True, member_id="mem_1", role="billing")
    assert not owned.operator
    assert actor_of(owned) == Actor(f"key:{key.id}", "billing", "org_1", "mem_1", key.id)


def test_no_repr_shows_the_key() -> None:
    minted = mint(fixed(4))
    shown = f"{minted!r} {minted} {parse(minted.text)!r} {issued(minted)!r} {[minted]}"
    assert minted.text not in shown
    assert minted.text[14:41] not in shown
    assert msgspec.structs.asdict(minted)["text"] == minted.text
