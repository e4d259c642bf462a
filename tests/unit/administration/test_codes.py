"""A code from its making to its end."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from anykey.accounts.permissions import Actor, Forbidden
from anykey.administration import codes, wallets
from anykey.administration.codes import Order
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home, prepare_home
from anykey.administration.organisations import create_organisation
from tests.fakes.charges import ask


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return prepare_home(tmp_path)


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(AdministrationError) as refused:
        act()
    return refused.value.code


def test_a_code_pays_once(home: Home) -> None:
    (made,) = codes.create_batch(home, Order(amount_nano=500))
    assert codes.state_of(made.row, time.time()) == "active"
    done = codes.redeem(home, made.text.lower(), "default")
    assert (done.organisation, done.amount_nano, done.transfer.debit) == ("default", 500, "cash")
    assert refusal(lambda: codes.redeem(home, made.text, "default")) == "codes.used_up"
    assert wallets.balance_of(home).balance_nano == 500
    assert [codes.state_of(row, 0) for row in codes.list_codes(home).items] == ["used"]


def test_a_code_for_several_pays_each_once(home: Home) -> None:
    for name in "abc":
        create_organisation(home, name)
    (made,) = codes.create_batch(home, Order(amount_nano=5, uses_max=2, bonus=True))
    codes.redeem(home, made.text, "a")
    assert refusal(lambda: codes.redeem(home, made.text, "a")) == "codes.used_before"
    codes.redeem(home, made.text, "b")
    assert refusal(lambda: codes.redeem(home, made.text, "c")) == "codes.used_up"
    assert [wallets.balance_of(home, name).balance_nano for name in "abc"] == [5, 5, 0]
    assert ask(home.database, "SELECT debits_posted FROM balances WHERE account = 'bonus'") == [(10,)]


def test_what_is_over_or_revoked_or_never_was(home: Home) -> None:
    soon = int(time.time()) + 1000
    first, second = codes.create_batch(home, Order(amount_nano=5, count=2, batch="spring", expires_at=soon + 1000))
    assert codes.state_of(first.row, soon + 1000) == "over"
    assert codes.revoke(home, first.row.id) == [first.row.id]
    assert refusal(lambda: codes.redeem(home, first.text, "default")) == "codes.revoked"
    assert codes.revoke(home, "spring") == [second.row.id]
    assert refusal(lambda: codes.revoke(home, "spring")) == "codes.none_in_force"
    (late,) = codes.create_batch(home, Order(amount_nano=5, expires_at=soon))
    ask(home.database, "UPDATE codes SET expires_at = 1 WHERE id = ?", late.row.id)
    assert refusal(lambda: codes.redeem(home, late.text, "default")) == "codes.over"
    assert refusal(lambda: codes.redeem(home, late.text[:-1] + "?", "default")) == "codes.mistyped"
    elsewhere = codes.Code(late.row, codes.code_text("code_unknown", home.pepper))
    assert refusal(lambda: codes.redeem(home, elsewhere.text, "default")) == "codes.not_found"
    assert wallets.balance_of(home).balance_nano == 0


def test_the_codes_themselves_are_nowhere_on_the_disk_and_can_be_printed_again(home: Home) -> None:
    made = codes.create_batch(home, Order(amount_nano=5, count=30, batch="b"))
    again = codes.export_batch(home, "b")
    assert {code.text for code in again} == {code.text for code in made}
    assert len({code.text for code in made}) == 30
    files = b"".join(file.read_bytes() for file in home.path.iterdir())
    assert not [
        code for code in made if code.text.encode() in files or code.text[3:].replace("-", "").encode() in files
    ]
    assert made[0].text not in repr(made)
    assert refusal(lambda: codes.export_batch(home, "nothing")) == "codes.no_batch"
    actions = ask(home.database, "SELECT action FROM audit ORDER BY seq")
    assert actions == [("codes.create",), ("codes.export",)]


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (Order(amount_nano=0), "wallets.bad_amount"),
        (Order(amount_nano=1, count=0), "codes.bad_count"),
        (Order(amount_nano=1, count=10_001), "codes.bad_count"),
        (Order(amount_nano=1, uses_max=0), "codes.bad_uses"),
        (Order(amount_nano=1, batch="a b"), "codes.bad_batch"),
        (Order(amount_nano=1, expires_at=1), "codes.expired_before"),
        (Order(amount_nano=1, note="\n"), "wallets.bad_note"),
    ],
)
def test_orders_that_cannot_be_meant(home: Home, order: Order, code: str) -> None:
    assert refusal(lambda: codes.create_batch(home, order)) == code


def test_who_may(home: Home) -> None:
    org = create_organisation(home, "acme")
    (made,) = codes.create_batch(home, Order(amount_nano=5))
    owner, viewer = Actor("key:1", "owner", org.id), Actor("key:2", "viewer", org.id)
    for act in (
        lambda: codes.create_batch(home, Order(amount_nano=5), actor=owner),
        lambda: codes.list_codes(home, actor=owner),
        lambda: codes.export_batch(home, made.row.batch, actor=owner),
        lambda: codes.revoke(home, made.row.id, actor=owner),
        lambda: codes.redeem(home, made.text, actor=viewer),
    ):
        with pytest.raises(Forbidden):
            act()
    assert refusal(lambda: codes.redeem(home, made.text, "default", actor=owner)) == "organisations.not_found"
    assert codes.redeem(home, made.text, actor=owner).organisation == org.id
