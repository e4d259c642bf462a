"""What operators do with wallets, and what others may not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from anykey.accounts.permissions import Actor, Forbidden
from anykey.administration import codes, wallets
from anykey.administration.codes import Order
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home, prepare_home
from anykey.administration.organisations import create_organisation
from anykey.administration.wallets import Said
from tests.fakes.charges import ask

USD = 10**9


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return prepare_home(tmp_path)


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(AdministrationError) as refused:
        act()
    return refused.value.code


def test_money_comes_in_and_goes_out(home: Home) -> None:
    org = create_organisation(home, "acme")
    wallets.top_up(home, "acme", 25 * USD)
    wallets.give_bonus(home, org.id, 5 * USD, said=Said(note="welcome"))
    wallets.refund(home, "acme", 10 * USD)
    wallets.adjust(home, "acme", 1 * USD, "out")
    wallets.adjust(home, "acme", 3, "in")
    found = wallets.balance_of(home, "acme")
    assert (found.organisation, found.balance_nano, found.available_nano) == (org.id, 19 * USD + 3, 19 * USD + 3)
    assert (found.held_nano, found.owed_nano, found.prepaid) == (0, 0, False)
    page = wallets.list_transfers(home, "acme")
    assert [one.kind for one in page.items] == ["adjustment", "adjustment", "refund", "bonus", "topup"]
    assert wallets.list_transfers(home, "default").items == ()
    balances = dict(ask(home.database, "SELECT account, credits_posted - debits_posted FROM balances"))  # pyright: ignore[reportArgumentType]
    assert balances == {
        "cash": -15 * USD,
        "bonus": -5 * USD,
        "writeoff": USD - 3,
        f"credit:{org.id}": 19 * USD + 3,
    }


def test_a_reference_is_one_transfer(home: Home) -> None:
    first = wallets.top_up(home, "default", USD, said=Said("pay 1"))
    again = wallets.top_up(home, "default", USD, said=Said("pay 1"))
    assert (first.new, again.new) == (True, False)
    assert again.transfer == first.transfer
    assert refusal(lambda: wallets.top_up(home, "default", 2 * USD, said=Said("pay 1"))) == "wallets.other_transfer"
    assert refusal(lambda: wallets.give_bonus(home, "default", USD, said=Said("pay 1"))) == "wallets.other_transfer"
    assert wallets.balance_of(home).balance_nano == USD
    assert ask(home.database, "SELECT action FROM audit") == [("wallets.topup",)]


@pytest.mark.parametrize("amount", [0, -1, 10**18 + 1])
def test_an_amount_is_more_than_nothing(home: Home, amount: int) -> None:
    assert refusal(lambda: wallets.top_up(home, "default", amount)) == "wallets.bad_amount"


def test_a_wallet_takes_only_so_much(home: Home) -> None:
    for _ in range(4):
        wallets.top_up(home, "default", 10**18)
    assert refusal(lambda: wallets.top_up(home, "default", 10**18)) == "wallets.too_much"
    (made,) = codes.create_batch(home, Order(amount_nano=1))
    assert refusal(lambda: codes.redeem(home, made.text, "default")) == "wallets.too_much"


def test_words_are_short_and_printable(home: Home) -> None:
    for said, code in (
        (Said("x" * 201), "wallets.bad_reference"),
        (Said("a\nb"), "wallets.bad_reference"),
        (Said("code:c1:default"), "wallets.bad_reference"),
        (Said(note="\x1b[1m"), "wallets.bad_note"),
    ):
        assert refusal(lambda said=said: wallets.top_up(home, "default", 1, said=said)) == code
    assert refusal(lambda: wallets.top_up(home, "nobody", 1)) == "organisations.not_found"
    assert ask(home.database, "SELECT * FROM transfers") == []


def test_no_more_is_taken_than_there_is(home: Home) -> None:
    wallets.top_up(home, "default", 5)
    assert refusal(lambda: wallets.refund(home, "default", 6)) == "wallets.not_enough"
    assert refusal(lambda: wallets.adjust(home, "default", 6, "out")) == "wallets.not_enough"
    assert wallets.balance_of(home).balance_nano == 5


def test_only_operators_move_money_and_others_see_their_own(home: Home) -> None:
    org = create_organisation(home, "acme")
    wallets.top_up(home, "acme", 7)
    wallets.top_up(home, "default", 9)
    owner = Actor("key:1", "owner", org.id)
    for move in (wallets.top_up, wallets.give_bonus, wallets.refund):
        with pytest.raises(Forbidden):
            move(home, "acme", 1, actor=owner)
    with pytest.raises(Forbidden):
        wallets.adjust(home, "acme", 1, "in", actor=owner)
    assert refusal(lambda: wallets.top_up(home, "default", 1, actor=owner)) == "organisations.not_found"
    assert refusal(lambda: wallets.balance_of(home, "default", actor=owner)) == "organisations.not_found"
    assert wallets.balance_of(home, actor=owner).balance_nano == 7
    assert [one.amount_nano for one in wallets.list_transfers(home, actor=owner).items] == [7]
    with pytest.raises(Forbidden):
        wallets.balance_of(home, "acme", actor=Actor("key:2", "member", org.id))
