"""When keys were last used."""

import msgspec

from anykey.storage.database import Database
from anykey.storage.key_changes import changing_keys, reading
from anykey.storage.key_uses import KeyUses, read_uses
from anykey.storage.records import ExchangeRow

ROW = ExchangeRow(
    id="r",
    at=100_999,
    key_id="a",
    client="c",
    client_protocol="p",
    model_asked="m",
    stream=False,
    attempts=1,
    status=200,
    total_ms=1,
)


def used(key_id: str, at_s: int) -> ExchangeRow:
    return msgspec.structs.replace(ROW, key_id=key_id, at=at_s * 1000)


def test_a_use_is_due_at_most_every_ten_seconds_for_each_key() -> None:
    uses = KeyUses()
    assert uses.due([ROW, used("a", 90), used("b", 5), used("", 5)]) == {"a": 100, "b": 5}
    assert uses.due([ROW]) == {"a": 100}, "what was not committed is due again"
    uses.written({"a": 100})
    assert uses.due([used("a", 109)]) == {}
    assert uses.due([used("a", 110)]) == {"a": 110}


def test_the_newest_use_is_kept_whoever_writes_later(database: Database) -> None:
    uses = KeyUses()
    for due in ({"a": 100, "b": 7}, {"a": 90}, {"b": 8}):
        changing_keys(database, lambda connection, due=due: uses.write(connection, due))
    assert reading(database, read_uses) == {"a": 100, "b": 8}
