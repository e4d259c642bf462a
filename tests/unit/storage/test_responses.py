"""Responses: found by their own key only, chained, and forgotten in time."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from anykey.storage.database import Connection, Database
from anykey.storage.responses import (
    BrokenChain,
    StoredResponse,
    delete_response,
    find_chain,
    find_item_home,
    find_response,
    find_unfinished,
    put_response,
    sweep_responses,
)

NOW = 1000


def stored(name: str, **other: Any) -> StoredResponse:
    plain: dict[str, Any] = {"key_id": "k1", "created_at": NOW, "expires_at": NOW + 10, "status": "completed"}
    return StoredResponse(id=name, **{**plain, **other})


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with closing(database.connect()) as opened:
        yield opened


def test_a_response_comes_back_as_it_was(connection: Connection) -> None:
    whole = stored(
        "r1",
        previous_id="r0",
        conversation_id="c",
        deployment="lab/m",
        background=True,
        response='{"id":"r1","text":"Grüße"}'.encode(),
        input=b'[{"role":"user"}]',
        events=b"data: {}\n\n",
    )
    put_response(connection, whole)
    assert find_response(connection, "k1", "r1", NOW) == whole


def test_another_keys_response_is_not_found_as_one_that_does_not_exist(connection: Connection) -> None:
    put_response(connection, stored("r1", item_ids=("msg_1",)))
    for name in ("r1", "nothing"):
        assert find_response(connection, "k2", name, NOW) is None
        assert find_chain(connection, "k2", name, NOW) == BrokenChain(name)
        assert delete_response(connection, "k2", name, NOW) is False
    assert find_item_home(connection, "k2", "msg_1", NOW) is None
    assert find_response(connection, "k1", "r1", NOW) is not None


def test_two_keys_may_have_the_same_id(connection: Connection) -> None:
    put_response(connection, stored("r1", response=b"1"))
    put_response(connection, stored("r1", response=b"2", key_id="k2"))
    found = [find_response(connection, key, "r1", NOW) for key in ("k1", "k2")]
    assert [response.response for response in found if response] == [b"1", b"2"]


def test_a_chain_begins_with_the_oldest(connection: Connection) -> None:
    for name, before in (("r1", None), ("r2", "r1"), ("r3", "r2")):
        put_response(connection, stored(name, previous_id=before))
    chain = find_chain(connection, "k1", "r3", NOW)
    assert not isinstance(chain, BrokenChain)
    assert [response.id for response in chain] == ["r1", "r2", "r3"]


def test_a_chain_holds_what_was_said_and_no_more(connection: Connection) -> None:
    """Instructions as large as a body come back in each response, and in the events of a background one once more."""
    said = b'{"instructions":"%b","output":[{"type":"message"}]}' % (b"x" * 100_000)
    put_response(connection, stored("r1", response=said, events=said, input=b"[1]"))
    put_response(connection, stored("r2", response=b"", previous_id="r1"))
    chain = find_chain(connection, "k1", "r2", NOW)
    assert not isinstance(chain, BrokenChain)
    assert [link.response for link in chain] == [b'{"output":[{"type":"message"}]}', b'{"output":[]}']
    assert (chain[0].input, chain[0].events) == (b"[1]", b"")


def test_a_chain_names_the_link_that_was_deleted(connection: Connection) -> None:
    for name, before in (("r1", None), ("r2", "r1"), ("r3", "r2")):
        put_response(connection, stored(name, previous_id=before))
    assert delete_response(connection, "k1", "r1", NOW) is True
    assert find_chain(connection, "k1", "r3", NOW) == BrokenChain("r1")


def test_a_chain_that_bites_its_tail_ends(connection: Connection) -> None:
    put_response(connection, stored("r1", previous_id="r1"))
    assert find_chain(connection, "k1", "r1", NOW) == BrokenChain("r1")


def test_items_are_found_until_their_response_is_deleted(connection: Connection) -> None:
    put_response(connection, stored("r1", item_ids=("msg_1", "rs_1")))
    home = find_item_home(connection, "k1", "rs_1", NOW)
    assert home is not None
    assert home.id == "r1"
    delete_response(connection, "k1", "r1", NOW)
    assert find_item_home(connection, "k1", "rs_1", NOW) is None


def test_what_is_too_old_is_not_found_even_before_it_is_swept(connection: Connection) -> None:
    put_response(connection, stored("r1", item_ids=("m",)))
    assert find_response(connection, "k1", "r1", NOW + 10) is None
    assert find_item_home(connection, "k1", "m", NOW + 10) is None
    assert delete_response(connection, "k1", "r1", NOW + 10) is False


def test_what_a_living_response_continues_is_kept_as_long_as_it_lives(connection: Connection) -> None:
    put_response(connection, stored("r1", expires_at=NOW - 5))
    put_response(connection, stored("r2", previous_id="r1", expires_at=NOW + 5))
    put_response(connection, stored("other", expires_at=NOW - 5, key_id="k2", item_ids=("m",)))
    assert sweep_responses(connection, NOW) == 1
    chain = find_chain(connection, "k1", "r2", NOW)
    assert not isinstance(chain, BrokenChain)
    assert [response.id for response in chain] == ["r1", "r2"]
    assert [sweep_responses(connection, NOW + 5) for _ in range(3)] == [1, 1, 0]
    for table in ("responses", "response_items"):
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_unfinished_ones_are_found_for_every_key(connection: Connection) -> None:
    for name, status in (("a", "queued"), ("b", "in_progress"), ("c", "completed"), ("d", "cancelled")):
        put_response(connection, stored(name, status=status, key_id=f"key of {name}"))
    assert {response.id for response in find_unfinished(connection)} == {"a", "b"}


def test_what_a_living_process_works_on_is_not_abandoned(connection: Connection) -> None:
    connection.execute("INSERT INTO processes (id, host, pid, started_ms, beat_ms) VALUES ('alive', 'h', 1, 1, 1)")
    for name, process in (("a", "alive"), ("b", "gone"), ("c", None)):
        put_response(connection, stored(name, status="in_progress", process=process))
    assert {response.id for response in find_unfinished(connection)} == {"a", "b", "c"}
    assert {response.id for response in find_unfinished(connection, abandoned=True)} == {"b", "c"}
