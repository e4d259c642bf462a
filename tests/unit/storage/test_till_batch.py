"""One transaction of the till: a second try of a batch that was committed has no effect."""

from contextlib import closing

import pytest

from anykey.storage.alerts import Alerts
from anykey.storage.charges import Ending, Opened, Refused
from anykey.storage.database import Connection, Database
from anykey.storage.errors import ConstraintError
from anykey.storage.key_uses import KeyUses
from anykey.storage.till_batch import Batch, Committer, ToExtend, ToOpen
from tests.fakes.charges import NOON_MS, ask, budget, ending, fill, keep, opening, purse, states, used, wallet

LIMIT = budget(100)


def commit(database: Database, batch: Batch, process: str = "p") -> None:
    with closing(database.connect()) as connection:
        Committer(process, Alerts(), KeyUses()).commit(connection, batch, NOON_MS)


def asked(name: str, needed: int = 10, *, tried: bool = False) -> ToOpen:
    return ToOpen(opening(name, purse(LIMIT, prepaid=True), needed), tried)


@pytest.fixture
def ready(database: Database) -> Database:
    keep(database, LIMIT)
    fill(database, 1000)
    return database


def test_all_kinds_of_a_batch_are_committed_together(ready: Database) -> None:
    commit(ready, Batch([asked("a"), asked("b")], [], []))
    extend, opens = ToExtend("b", 80), [asked("c", 75), asked("d", 6)]
    commit(ready, Batch(opens, [extend], [ending("a", 10)]))
    assert states(ready) == {"a": "settled", "b": "open", "c": "open"}
    assert isinstance(
        opens[0].answer, Opened
    )  # what was ended in the same batch made room; openings come before extensions
    assert isinstance(opens[1].answer, Refused)
    assert isinstance(extend.answer, Refused)
    assert used(ready, LIMIT) == (10, 10 + 75)
    assert ask(ready, "SELECT reserved_nano FROM charges WHERE id = 'b'") == [(10,)]


def test_the_second_try_of_what_was_committed_does_nothing(ready: Database) -> None:
    first, extend = asked("a"), ToExtend("a", 30)
    commit(ready, Batch([first], [], []))
    commit(ready, Batch([], [extend], []))
    again = asked("a", tried=True)
    for others in ([asked("never", tried=True)], []):
        commit(ready, Batch([again, *others], [extend], [ending("x", 5)]))
    assert isinstance(again.answer, Opened)
    assert again.answer.credit_nano == 1000 - 50
    assert used(ready, LIMIT) == (0, 50)
    assert wallet(ready) == (1000, 50)
    assert states(ready) == {"a": "open", "never": "open"}


def test_only_its_own_process_extends_a_charge(ready: Database) -> None:
    commit(ready, Batch([asked("a")], [], []))
    extend = ToExtend("a", 5)
    commit(ready, Batch([], [extend], []), process="another")
    assert not extend.known
    commit(ready, Batch([], [extend], [ending("a", 1)]))
    assert not extend.known
    assert used(ready, LIMIT) == (1, 0)


def test_what_breaks_a_constraint_undoes_the_whole_batch(ready: Database) -> None:
    commit(ready, Batch([asked("a")], [], []))
    with pytest.raises(ConstraintError):
        commit(ready, Batch([asked("b"), asked("a")], [], [ending("a", 3)]))
    assert states(ready) == {"a": "open"}
    assert used(ready, LIMIT) == (0, 10)


def test_rows_that_are_there_stay(ready: Database) -> None:
    def count(connection: Connection) -> int:
        return connection.execute("SELECT COUNT(*) FROM exchanges").fetchone()[0]

    commit(ready, Batch([asked("a")], [], []))
    for _ in range(3):
        commit(ready, Batch([], [], [ending("a", 3)]))
    with closing(ready.connect()) as connection:
        assert count(connection) == 1


def test_what_is_kept_of_a_charge_settles_it_without_reading_it_again(ready: Database) -> None:
    committer = Committer("p", Alerts(), KeyUses())
    with closing(ready.connect()) as connection:
        committer.commit(connection, Batch([asked("a"), asked("b")], [], []), NOON_MS)
        assert sorted(committer.kept) == ["a", "b"]
        committer.commit(connection, Batch([], [], [ending("a", 3), ending("b", 20)]), NOON_MS)
        assert committer.kept == {}
    assert states(ready) == {"a": "settled", "b": "settled"}
    assert (used(ready, LIMIT), wallet(ready)) == ((23, 0), (977, 0))


@pytest.mark.parametrize("state", ["settled", "unknown"])
def test_what_was_kept_of_a_charge_that_another_ended_does_not_count(ready: Database, state: Ending) -> None:
    committer = Committer("p", Alerts(), KeyUses())
    with closing(ready.connect()) as connection:
        committer.commit(connection, Batch([asked("a"), asked("b")], [], []), NOON_MS)
        commit(ready, Batch([], [], [ending("a", 7, state)]), process="another")
        opened = asked("c")
        committer.commit(connection, Batch([opened], [], [ending("a", 3), ending("b", 4)]), NOON_MS)
        assert list(committer.kept) == ["c"]
    assert isinstance(opened.answer, Opened)
    assert states(ready) == {"a": "settled", "b": "settled", "c": "open"}
    assert used(ready, LIMIT) == ((7 if state == "settled" else 3) + 4, 10)


def test_an_extended_charge_gives_back_all_that_it_holds(ready: Database) -> None:
    committer = Committer("p", Alerts(), KeyUses())
    with closing(ready.connect()) as connection:
        committer.commit(connection, Batch([asked("a")], [], []), NOON_MS)
        committer.commit(connection, Batch([], [ToExtend("a", 30)], []), NOON_MS)
        assert used(ready, LIMIT) == (0, 40)
        committer.commit(connection, Batch([], [], [ending("a", 35)]), NOON_MS)
    assert (used(ready, LIMIT), wallet(ready)) == ((35, 0), (965, 0))
