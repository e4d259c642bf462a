"""Calls made up at random, for what adds calls up, and the same sums done the slow way."""

import random
from collections.abc import Iterable
from contextlib import closing

from anykey.storage.database import Database, whole
from anykey.storage.records import ExchangeRow
from anykey.storage.usage_columns import EDGES_MS
from anykey.storage.usage_rollup import add_up_next
from anykey.storage.writer import insert_rows

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
BEGIN_MS = 1_700_006_400_000  # 2023-11-15 00:00 UTC


def made_up(number: int, at: int, chance: random.Random) -> ExchangeRow:
    """A call that began then."""
    failed = chance.random() < 0.2
    streamed = chance.random() < 0.5
    total_ms = chance.choice((*EDGES_MS, 1, 51, 99_999))
    return ExchangeRow(
        id=f"req_{number}",
        at=at,
        key_id=chance.choice(("k1", "k2", "k3")),
        client=chance.choice(("aider", "claude-code")),
        client_protocol="openai_chat",
        provider=chance.choice((None, "lab")),
        deployment=chance.choice((None, "lab/m")),
        model_asked=chance.choice(("m", "n")),
        stream=streamed,
        attempts=1,
        input_tokens=chance.randrange(1000),
        cache_read_tokens=chance.randrange(1000),
        output_tokens=chance.randrange(100),
        usage_source=chance.choice(("upstream", "estimated")),
        status=chance.choice((429, 502)) if failed else 200,
        failure=chance.choice(("rate_limited", "upstream_failed")) if failed else None,
        first_token_ms=total_ms // 3 if streamed else None,
        total_ms=total_ms,
        organisation=chance.choice(("default", "other")),
        team=chance.choice((None, "search")),
        metadata=chance.choice((None, '{"team":"a"}', '{"team":"b","x":"1"}')),
        price_id=chance.choice((None, "m@lab/v1")),
        cost_nano=chance.choice((None, 0, chance.randrange(10**12))),
    )


def write(database: Database, rows: Iterable[ExchangeRow]) -> None:
    """Write them as the till does."""
    with closing(database.connect()) as connection, whole(connection):
        insert_rows(connection, rows)


def add_up(database: Database, now_ms: int) -> int:
    """Do all that there is to do then; returns in how many steps."""
    steps = 0
    while add_up_next(database, now_ms):
        steps += 1
    return steps
