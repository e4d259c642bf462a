"""Transfers, as rows and as balances, on both databases."""

import threading
from contextlib import closing

import msgspec
import pytest

from anykey.storage.database import Database, whole
from anykey.storage.ledger import totals
from anykey.storage.wallets import (
    POSTED_NANO_MAX,
    Balance,
    NotEnough,
    TooMuch,
    Transfer,
    list_transfers,
    post,
    read_balance,
)
from anykey.storage.writing import reading_whole
from tests.fakes.charges import ask

PAID = Transfer(
    id="t1", at=1, kind="topup", debit="cash", credit="credit:a", amount_nano=100, organisation="a", actor="x"
)
BACK = msgspec.structs.replace(PAID, kind="refund", debit="credit:a", credit="cash")


def posted(database: Database, transfer: Transfer) -> Transfer | None:
    with closing(database.connect()) as connection, whole(connection):
        return post(connection, transfer)


def balance(database: Database, account: str) -> Balance:
    with closing(database.connect()) as connection:
        return read_balance(connection, account)


def test_money_moves_from_one_account_to_another(database: Database) -> None:
    assert posted(database, PAID) is None
    assert posted(database, msgspec.structs.replace(BACK, id="t2", amount_nano=30)) is None
    assert balance(database, "credit:a") == Balance("credit:a", 70, 0)
    assert balance(database, "cash") == Balance("cash", -70, 0)
    assert balance(database, "credit:b").available_nano == 0
    assert [one.id for one in list_transfers(database, "a").items] == ["t2", "t1"]


def test_no_more_is_taken_than_there_is(database: Database) -> None:
    posted(database, PAID)
    with pytest.raises(NotEnough):
        posted(database, msgspec.structs.replace(BACK, id="t2", amount_nano=101))
    with closing(database.connect()) as connection:
        connection.execute("UPDATE balances SET debits_pending = 50 WHERE account = 'credit:a'")
    with pytest.raises(NotEnough):
        posted(database, msgspec.structs.replace(BACK, id="t2", amount_nano=51))
    assert ask(database, "SELECT id FROM transfers") == [("t1",)]


def test_an_account_never_outgrows_its_numbers(database: Database) -> None:
    large = msgspec.structs.replace(PAID, amount_nano=10**18)
    for number in range(4):
        posted(database, msgspec.structs.replace(large, id=f"t{number}"))
    with pytest.raises(TooMuch):
        posted(database, msgspec.structs.replace(PAID, id="t9", amount_nano=1))
    assert balance(database, "credit:a").posted_nano == POSTED_NANO_MAX
    assert reading_whole(database, totals).broken == []


def test_there_is_one_transfer_for_each_reference(database: Database) -> None:
    first = msgspec.structs.replace(PAID, reference="pay 1")
    assert posted(database, first) is None
    assert posted(database, msgspec.structs.replace(first, id="t2")) == first
    assert posted(database, msgspec.structs.replace(PAID, id="t3")) is None  # none has no reference
    assert balance(database, "credit:a").posted_nano == 200


def test_the_same_reference_at_the_same_moment(database: Database) -> None:
    found: list[Transfer | None] = []

    def pay(number: int) -> None:
        found.append(posted(database, msgspec.structs.replace(PAID, id=f"t{number}", reference="pay 1")))

    threads = [threading.Thread(target=pay, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found.count(None) == 1
    assert balance(database, "credit:a").posted_nano == 100


def test_pages_of_all_organisations(database: Database) -> None:
    for number in range(5):
        whose = "ab"[number % 2]
        posted(database, msgspec.structs.replace(PAID, id=f"t{number}", at=number // 2, organisation=whose))
    seen: list[str] = []
    cursor = None
    while True:
        page = list_transfers(database, None, cursor, 2)
        seen += [one.id for one in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert seen == ["t4", "t3", "t2", "t1", "t0"]
    assert len(list_transfers(database, "b").items) == 2
