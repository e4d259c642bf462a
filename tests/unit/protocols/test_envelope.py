"""The sealed envelope: what goes in comes out, and nothing else does."""

import base64

import pytest

from anykey.conversation.parts import OpaqueState, ReasoningPart
from anykey.protocols.envelope import (
    PREFIX,
    Maker,
    Sealed,
    Tampered,
    derive_secret,
    holds_envelope,
    newest_maker,
    seal,
    unseal,
)

SECRET = derive_secret(b"pepper")
MAKER = Maker("gemini_generate", "google", "google/gemini-3-pro")
PART = ReasoningPart("Why, indeed", OpaqueState("gemini_generate", "CiQB/+x=", "call"))


def opened(text: str) -> Sealed:
    found = unseal(text, SECRET)
    assert isinstance(found, Sealed)
    return found


@pytest.mark.parametrize(
    "part",
    [
        PART,
        ReasoningPart("", OpaqueState("anthropic_messages", "Eo" * 9000), redacted=True),
        ReasoningPart("", OpaqueState("google-gemini-v1", "ключ"), True, {"gemini_generate": {"id": "rs_1"}}),
    ],
)
def test_what_was_sealed_comes_out(part: ReasoningPart) -> None:
    found = opened(seal(part, MAKER, SECRET, with_text=True))
    assert (found.maker, found.part, found.has_text) == (MAKER, part, True)


def test_the_text_stays_outside_unless_it_is_asked_for() -> None:
    found = opened(seal(PART, MAKER, SECRET))
    assert found.part.text == ""
    assert found.has_text is False
    assert found.part.state == PART.state


def test_only_the_makers_own_extras_go_along() -> None:
    part = ReasoningPart("", PART.state, extras={"gemini_generate": {"a": 1}, "openai_chat": {"b": 2}})
    assert opened(seal(part, MAKER, SECRET)).part.extras == {"gemini_generate": {"a": 1}}


def test_a_part_without_state_has_nothing_to_seal() -> None:
    with pytest.raises(ValueError, match="no state"):
        seal(ReasoningPart("text"), MAKER, SECRET)


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_the_text_is_base64_in_either_alphabet_and_padding(size: int) -> None:
    text = seal(ReasoningPart("", OpaqueState("o", "x" * size)), MAKER, SECRET)
    assert text.startswith(PREFIX)
    assert PREFIX.startswith("QUsx")
    raw = base64.b64decode(text, validate=True)
    for spelled in (text, text.rstrip("="), base64.urlsafe_b64encode(raw).decode(), text.translate({43: 45, 47: 95})):
        assert opened(spelled).part.state == OpaqueState("o", "x" * size)


def test_every_changed_byte_breaks_the_seal() -> None:
    raw = bytearray(base64.b64decode(seal(PART, MAKER, SECRET)))
    for position in range(len(PREFIX) * 3 // 4, len(raw)):
        raw[position] ^= 1
        assert isinstance(unseal(base64.b64encode(raw).decode(), SECRET), Tampered), position
        raw[position] ^= 1
    assert isinstance(unseal(base64.b64encode(raw).decode(), SECRET), Sealed)


SEALED = seal(PART, MAKER, SECRET)


@pytest.mark.parametrize("text", [SEALED[:-8], SEALED[:40], SEALED + "é", SEALED + "A", PREFIX])
def test_what_is_cut_or_no_base64_is_tampered(text: str) -> None:
    assert isinstance(unseal(text, SECRET), Tampered)


def test_another_gateways_seal_is_not_ours() -> None:
    assert isinstance(unseal(seal(PART, MAKER, derive_secret(b"other")), SECRET), Tampered)


@pytest.mark.parametrize("text", ["", "EqQBCkYIBxgCKkBx", "gAAAAABo", "QUsx", "QUsxAAAA"])
def test_a_raw_state_is_no_envelope(text: str) -> None:
    assert unseal(text, SECRET) is None


def test_a_body_is_searched_for_a_value_that_begins_like_an_envelope() -> None:
    text = seal(PART, MAKER, SECRET)
    assert holds_envelope(b'{"signature": "%b"}' % text.encode())
    assert not holds_envelope(b'{"text": "an envelope begins with %b"}' % PREFIX.encode())
    assert not holds_envelope(b'{"signature": "EqQBCkYIBxgC"}')


def test_the_newest_maker_is_the_last_envelopes() -> None:
    other = Maker("openai_responses", "openai", "openai/gpt")
    first, last = seal(PART, MAKER, SECRET), seal(PART, other, SECRET)
    assert newest_maker(f'["{first}", "{last}"]'.encode(), SECRET) == other
    assert newest_maker(f'["{first}", "{last[:-4]}"]'.encode(), SECRET) is None
    assert newest_maker(f'["{first}'.encode(), SECRET) is None
    assert newest_maker(b'{"messages": []}', SECRET) is None
