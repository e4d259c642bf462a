"""Codes: as printed, as typed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.accounts.codes import ALPHABET, code_digest, code_text, parse_code

PEPPER = bytes(range(32))
TEXT = code_text("code_1", PEPPER)


def test_a_code_is_made_to_be_typed() -> None:
    assert re.fullmatch(r"ac(-[0-9A-Z]{5}){5}", TEXT)
    assert not set("ILOU") & set(ALPHABET)


@given(st.text("0123456789abcdef", min_size=1, max_size=20))
def test_what_is_printed_is_read(code_id: str) -> None:
    text = code_text(code_id, PEPPER)
    characters = parse_code(text)
    assert characters == text.removeprefix("ac-").replace("-", "")
    lazy = text.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert parse_code(f"  {lazy.replace('ac ', 'ac-', 1)}\n") == characters


def test_every_single_typing_error_is_found() -> None:
    characters = parse_code(TEXT)
    assert characters is not None
    for place in range(len(characters)):
        for other in set(ALPHABET) - {characters[place]}:
            assert parse_code("ac-" + characters[:place] + other + characters[place + 1 :]) is None


@pytest.mark.parametrize(
    "text", ["", "ac-", "ak-12345", TEXT[:-1], TEXT + "0", TEXT.replace("-", "_"), "ac-" + "\u0661" * 25]
)
def test_what_is_no_code(text: str) -> None:
    assert parse_code(text) is None


def test_text_and_digest_need_the_pepper() -> None:
    assert code_text("code_1", bytes(32)) != TEXT
    assert code_text("code_2", PEPPER) != TEXT
    assert len(code_digest("A", PEPPER)) == 32
    assert code_digest("A", PEPPER) != code_digest("A", bytes(32))
