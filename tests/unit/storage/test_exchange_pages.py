"""Single calls by pages, on both databases."""

from typing import Any

import pytest
from sqlalchemy import insert

from anykey.storage.database import Database
from anykey.storage.engine import transaction
from anykey.storage.exchange_pages import ExchangeFilter, page_of_exchanges
from anykey.storage.schema import exchanges

HOUR_MS = 3_600_000


def keep(database: Database, *rows: dict[str, Any]) -> None:
    whole = {
        "at": 0,
        "key_id": "k",
        "client": "curl",
        "client_protocol": "openai_chat",
        "model_asked": "m",
        "stream": False,
    }
    whole |= {"attempts": 1, "usage_source": "upstream", "status": 200, "losses": "[]", "total_ms": 1, "failure": None}
    whole |= {"cost_nano": None, "organisation": None, "member_id": None, "team": None, "provider": None}
    whole |= dict.fromkeys((column.name for column in exchanges.c if column.name.endswith("_tokens")), 1)
    with transaction(database) as connection:
        connection.execute(insert(exchanges), [whole | {"id": f"r{n}"} | row for n, row in enumerate(rows)])


def test_calls_of_the_same_millisecond_are_told_once_each(database: Database) -> None:
    keep(database, *({"at": 7} for _ in range(5)), {"at": 8, "id": "newest"})
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = page_of_exchanges(database, ExchangeFilter(), cursor, 2)
        found += [row.id for row in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert found == ["newest", "r4", "r3", "r2", "r1", "r0"]


@pytest.mark.parametrize(
    ("only", "found"),
    [
        (ExchangeFilter(since_ms=2, until_ms=4), ["r3", "r2"]),
        (ExchangeFilter(organisation="o"), ["r1", "r0"]),
        (ExchangeFilter(organisation="o", member_id="me"), ["r1"]),
        (ExchangeFilter(id="r4"), ["r4"]),
        (ExchangeFilter(models=("x", "y")), ["r2"]),
        (ExchangeFilter(models=()), []),
        (ExchangeFilter(statuses=(400, 499)), ["r3"]),
        (ExchangeFilter(losses=True), ["r4"]),
        (ExchangeFilter(teams=("t",), clients=("curl",), key_ids=("k",), providers=("p",), member_ids=("me",)), []),
    ],
)
def test_filters(database: Database, only: ExchangeFilter, found: list[str]) -> None:
    keep(
        database,
        {"at": 0, "organisation": "o"},
        {"at": 1, "organisation": "o", "member_id": "me"},
        {"at": 2, "model_asked": "x"},
        {"at": 3, "status": 429},
        {"at": 4, "losses": '["dropped:a"]'},
    )
    assert [row.id for row in page_of_exchanges(database, only, None, 9).items] == found
