"""Single exchanges, as the real writer wrote them."""

import msgspec
import pytest

from anykey.storage.database import Database
from anykey.storage.exchanges import UsageFilter, recent_exchanges
from anykey.storage.records import ExchangeRow
from anykey.storage.writer import ExchangeWriter

DAY_MS = 86_400_000
FIRST = ExchangeRow(
    id="r1",
    at=1_700_000_000_000,  # 2023-11-14 22:13:20 UTC
    key_id="k1",
    client="claude-cli",
    client_protocol="anthropic_messages",
    upstream_protocol="openai_chat",
    provider="lab",
    deployment="lab/m",
    model_asked="m",
    model_answered="m-1",
    stream=True,
    attempts=2,
    input_tokens=1,
    cache_read_tokens=2,
    cache_write_5m_tokens=4,
    cache_write_1h_tokens=8,
    output_tokens=16,
    reasoning_tokens=32,
    usage_source="upstream",
    finish="stop",
    status=200,
    losses=("top_k", "metadata"),
    first_token_ms=7,
    total_ms=70,
)
SECOND = msgspec.structs.replace(FIRST, id="r2", at=FIRST.at + DAY_MS, client="aider", model_asked="n", losses=())
THIRD = ExchangeRow(
    id="r3",
    at=FIRST.at + DAY_MS + 1,
    key_id="k2",
    client="aider",
    client_protocol="openai_chat",
    model_asked="m",
    stream=False,
    attempts=0,
    status=404,
    failure="unknown_model",
    total_ms=1,
)
ALL = UsageFilter()


@pytest.fixture
async def exchanges(database: Database) -> Database:
    writer = ExchangeWriter(database)
    for row in (FIRST, SECOND, THIRD):
        writer.record(row)
    await writer.aclose()
    return database


def test_recent_exchanges_come_back_whole_newest_first(exchanges: Database) -> None:
    assert recent_exchanges(exchanges, 10, ALL) == [THIRD, SECOND, FIRST]
    assert recent_exchanges(exchanges, 1, ALL) == [THIRD]


@pytest.mark.parametrize(
    ("only", "ids"),
    [
        (UsageFilter(since_ms=SECOND.at), ["r3", "r2"]),
        (UsageFilter(key_id="k1"), ["r2", "r1"]),
        (UsageFilter(model="m"), ["r3", "r1"]),
        (UsageFilter(model="m", key_id="k2", since_ms=FIRST.at), ["r3"]),
        (UsageFilter(model="' OR 1=1 --"), []),
    ],
)
def test_filters(exchanges: Database, only: UsageFilter, ids: list[str]) -> None:
    assert [row.id for row in recent_exchanges(exchanges, 10, only)] == ids
