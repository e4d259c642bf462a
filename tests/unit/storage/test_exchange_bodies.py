"""Bodies of calls as they are kept: sealed for their row and side, found until their time is over, forgotten on demand."""

import time
from collections.abc import Iterator
from contextlib import closing

import msgspec
import pytest

from anykey.storage.database import Connection, Database
from anykey.storage.exchange_bodies import (
    DELETE_ROWS,
    BrokenBodiesError,
    ExchangeBodies,
    find_bodies,
    forget_bodies,
    opened,
    put_bodies,
    sealed,
    sweep_bodies,
)
from anykey.storage.retention import sweep_table
from tests.fakes.bodies import CANARY, bodies_of

PEPPER = b"p" * 32
NOW = int(time.time())


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with closing(database.connect()) as opened_connection:
        yield opened_connection


def keep(connection: Connection, *bodies: ExchangeBodies) -> None:
    put_bodies(connection, [sealed(one, PEPPER) for one in bodies])


def ids(connection: Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT id FROM exchange_bodies ORDER BY id")]


def test_what_was_kept_comes_back_and_stands_nowhere_in_the_clear(connection: Connection) -> None:
    bodies = bodies_of(answer=b"")
    keep(connection, bodies)
    found = find_bodies(connection, "req_1", NOW)
    assert found is not None
    assert CANARY.encode() not in found.request + found.answer
    assert opened(found, PEPPER) == bodies
    assert find_bodies(connection, "req_2", NOW) is None


def test_the_same_text_is_sealed_to_other_bytes_each_time() -> None:
    bodies = bodies_of(answer=bodies_of().request)
    once, again = sealed(bodies, PEPPER), sealed(bodies, PEPPER)
    assert len({once.request, once.answer, again.request, again.answer}) == 4


@pytest.mark.parametrize("field", ["id", "key_id", "organisation", "request_bytes", "answer_bytes"])
def test_what_was_moved_or_changed_does_not_open(field: str) -> None:
    kept = sealed(bodies_of(), PEPPER)
    value = getattr(kept, field)
    moved = msgspec.structs.replace(kept, **{field: value + 1 if isinstance(value, int) else value + "x"})
    with pytest.raises(BrokenBodiesError):
        opened(moved, PEPPER)


def test_sides_cannot_change_places_and_another_pepper_opens_nothing() -> None:
    kept = sealed(bodies_of(request=b"ab", answer=b"cd"), PEPPER)
    with pytest.raises(BrokenBodiesError):
        opened(msgspec.structs.replace(kept, request=kept.answer, answer=kept.request), PEPPER)
    with pytest.raises(BrokenBodiesError):
        opened(kept, b"q" * 32)
    with pytest.raises(BrokenBodiesError):
        opened(msgspec.structs.replace(kept, request=b"short"), PEPPER)


def test_a_call_is_kept_once(connection: Connection) -> None:
    keep(connection, bodies_of(), bodies_of(answer=b"another"))
    found = find_bodies(connection, "req_1", NOW)
    assert found is not None
    assert opened(found, PEPPER).answer == bodies_of().answer


def test_what_is_over_is_not_found_and_swept_in_batches(connection: Connection) -> None:
    keep(connection, *(bodies_of(id=f"old_{number}", expires_at=NOW) for number in range(DELETE_ROWS + 1)))
    keep(connection, bodies_of(expires_at=NOW + 1))
    assert find_bodies(connection, "old_1", NOW) is None
    assert [sweep_bodies(connection, NOW) for _ in range(3)] == [DELETE_ROWS, 1, 0]
    assert ids(connection) == ["req_1"]


def test_the_sweep_of_all_tables_takes_what_is_over(database: Database, connection: Connection) -> None:
    keep(connection, bodies_of(id="over", expires_at=NOW), bodies_of())
    assert sweep_table(database, "exchange_bodies", 0, pause_s=0) == 1
    assert ids(connection) == ["req_1"]


def test_forgetting_by_key_and_by_time(connection: Connection) -> None:
    for key in ("a", "b"):
        keep(connection, *(bodies_of(id=f"{key}{at}", key_id=key, at=at) for at in (1, 2)))
    assert forget_bodies(connection, "a", 2) == 1
    assert ids(connection) == ["a2", "b1", "b2"]
    assert forget_bodies(connection, None, 2) == 1
    assert forget_bodies(connection, "b", 9) == 1
    assert ids(connection) == ["a2"]


def test_cut_is_what_is_shorter_than_it_was() -> None:
    bodies = bodies_of(request_bytes=10**6)
    assert bodies.is_cut("request")
    assert not bodies.is_cut("answer")
    assert CANARY not in repr(bodies)
