"""The rows of named calls: one is made of any number, an answer comes back byte for byte, the silent are lost."""

import threading

import pytest

from anykey.storage.database import Connection, Database, whole
from anykey.storage.idempotency import (
    KEPT_MS,
    SILENT_MS,
    Claim,
    Kept,
    Name,
    claim,
    find_answer,
    finish,
    give_signs,
    release,
    sweep_idempotency,
)

NOW = 1_700_000_000_000
NAME = Name("key1", "one")
DIGEST = b"d" * 32
ANSWER = Kept("whole", DIGEST, 200, ((b"x-text", b"caf\xe9"), (b"a", b"b")), b'{"answer":1}' * 100)


@pytest.fixture
def connection(database: Database) -> Connection:
    return database.connect()


def wanted(request_id: str = "req_1", name: Name = NAME, digest: bytes = DIGEST) -> Claim:
    return Claim(name, digest, "process1", request_id)


def test_a_name_is_taken_once_and_its_answer_kept(connection: Connection) -> None:
    assert find_answer(connection, NAME, NOW) is None
    assert claim(connection, wanted(), NOW) is None
    assert find_answer(connection, NAME, NOW) is None
    assert claim(connection, wanted("req_2"), NOW + 10) == Kept("running", DIGEST)
    finish(connection, wanted(), ANSWER, NOW + 20)
    assert find_answer(connection, NAME, NOW + 30) == ANSWER
    assert claim(connection, wanted("req_3", digest=b"other"), NOW + 30) == ANSWER
    assert claim(connection, wanted("req_4", Name("key2", "one")), NOW + 30) is None
    connection.close()


def test_who_lost_the_name_writes_nothing(connection: Connection) -> None:
    assert claim(connection, wanted(), NOW) is None
    finish(connection, wanted("req_2"), ANSWER, NOW)
    release(connection, wanted("req_2"))
    assert claim(connection, wanted("req_3"), NOW) == Kept("running", DIGEST)
    release(connection, wanted())
    assert claim(connection, wanted("req_3"), NOW) is None
    connection.close()


def test_a_silent_call_is_unknown_for_good(connection: Connection) -> None:
    claim(connection, wanted(), NOW)
    later = NOW + SILENT_MS + 1
    give_signs(connection, [wanted()], later)
    assert claim(connection, wanted("req_2"), later + SILENT_MS) == Kept("running", DIGEST)
    assert claim(connection, wanted("req_2"), later + SILENT_MS + 1) == Kept("unknown", DIGEST)
    finish(connection, wanted(), ANSWER, later)  # it was only slow, and is too late
    assert find_answer(connection, NAME, later) == Kept("unknown", DIGEST)
    connection.close()


@pytest.mark.parametrize(("state", "again"), [("void", True), ("unknown", False), ("settled", False), ("open", False)])
def test_a_silent_call_that_the_ledger_knows_to_have_cost_nothing_is_made_again(
    connection: Connection, state: str, again: bool
) -> None:
    claim(connection, wanted(), NOW)
    connection.execute(
        "INSERT INTO charges (id, at, state, process, key_id, organisation, account, budgets, client, client_protocol, "
        "model, reserved_nano) VALUES ('req_1', 0, ?, 'process1', 'key1', 'o', 'postpaid:o', '[]', 'c', 'openai_chat', 'm', 0)",
        (state,),
    )
    found = claim(connection, wanted("req_2"), NOW + SILENT_MS + 1)
    assert found == (None if again else Kept("unknown", DIGEST))
    connection.close()


def test_a_day_later_the_name_is_free(connection: Connection) -> None:
    claim(connection, wanted(), NOW)
    finish(connection, wanted(), ANSWER, NOW)
    late = NOW + KEPT_MS + 1000
    assert find_answer(connection, NAME, late) is None
    assert claim(connection, wanted("req_2", digest=b"other"), late) is None
    assert not sweep_idempotency(connection, late // 1000)
    assert sweep_idempotency(connection, (late + KEPT_MS) // 1000 + 1)
    assert not sweep_idempotency(connection, (late + KEPT_MS) // 1000 + 1)
    connection.close()


def test_of_many_at_once_one_has_it(database: Database) -> None:
    found: list[Kept | None] = []

    def run(number: int) -> None:
        connection = database.connect()
        with whole(connection):
            found.append(claim(connection, wanted(f"req_{number}"), NOW))
        connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found.count(None), found.count(Kept("running", DIGEST))) == (1, 11)
