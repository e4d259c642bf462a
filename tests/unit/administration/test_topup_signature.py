"""Signed top-ups: once for each payment, and only by who knows the secret."""

import json
from pathlib import Path

import pytest

from anykey.accounts.signatures import sign
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home, prepare_home
from anykey.administration.topup_signature import signed_top_up
from anykey.administration.wallets import Posted, balance_of
from tests.fakes.charges import ask

SECRET, NOW = "shared-with-the-shop", 1_800_000_000
EVENT = {"id": "evt_1", "organisation": "default", "amount": "25.00"}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return prepare_home(tmp_path)


def told(home: Home, event: object, *, now_s: float = NOW, key: str = SECRET) -> Posted:
    body = json.dumps(event).encode()
    return signed_top_up(home, SECRET, sign(key.encode(), body, NOW), body, now_s)


def test_a_payment_counts_once(home: Home) -> None:
    assert [told(home, EVENT).new for _ in range(3)] == [True, False, False]
    assert balance_of(home).balance_nano == 25 * 10**9
    assert ask(home.database, "SELECT reference, actor, kind FROM transfers") == [("evt_1", "signed top-up", "topup")]
    assert told(home, {**EVENT, "id": "evt_2", "bonus": True, "note": "x"}).transfer.kind == "bonus"


@pytest.mark.parametrize(
    ("event", "now_s", "key", "code"),
    [
        (EVENT, NOW + 301, SECRET, "topups.too_old"),
        (EVENT, NOW, "other", "topups.wrong_signature"),
        ({**EVENT, "amount": 25}, NOW, SECRET, "topups.bad_event"),
        ({**EVENT, "amount": "-25"}, NOW, SECRET, "topups.bad_event"),
        ({**EVENT, "currency": "EUR"}, NOW, SECRET, "topups.bad_event"),
        ({**EVENT, "id": ""}, NOW, SECRET, "topups.bad_event"),
        ([], NOW, SECRET, "topups.bad_event"),
        ({**EVENT, "organisation": "nobody"}, NOW, SECRET, "organisations.not_found"),
        ({**EVENT, "amount": "0"}, NOW, SECRET, "wallets.bad_amount"),
    ],
)
def test_all_else_moves_nothing(home: Home, event: object, now_s: float, key: str, code: str) -> None:
    with pytest.raises(AdministrationError) as refused:
        told(home, event, now_s=now_s, key=key)
    assert refused.value.code == code
    assert ask(home.database, "SELECT * FROM transfers") == []


def test_the_same_payment_with_another_amount_is_an_error(home: Home) -> None:
    told(home, EVENT)
    with pytest.raises(AdministrationError) as refused:
        told(home, {**EVENT, "amount": "26.00"})
    assert refused.value.code == "wallets.other_transfer"


def test_without_a_secret_it_is_off(home: Home) -> None:
    body = json.dumps(EVENT).encode()
    with pytest.raises(AdministrationError) as refused:
        signed_top_up(home, "", sign(b"", body, NOW), body, NOW)
    assert refused.value.code == "topups.off"


def test_with_a_secret_that_can_be_guessed_it_is_off(home: Home) -> None:
    body = json.dumps(EVENT).encode()
    with pytest.raises(AdministrationError) as refused:
        signed_top_up(home, "changeme", sign(b"changeme", body, NOW), body, NOW)
    assert refused.value.code == "topups.weak_secret"
    assert ask(home.database, "SELECT * FROM transfers") == []
