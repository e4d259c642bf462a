"""Questions about usage, over rows written by the real writer."""

import msgspec
import pytest

from anykey.storage.database import Database
from anykey.storage.exchanges import UsageFilter, UsageTotal, recent_exchanges, usage_totals
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


def test_a_total_adds_up_every_bucket(exchanges: Database) -> None:
    assert usage_totals(exchanges, "model", ALL) == [
        UsageTotal(
            group="m",
            exchanges=2,
            failures=1,
            input_tokens=1,
            cache_read_tokens=2,
            cache_write_tokens=12,
            output_tokens=16,
            reasoning_tokens=32,
        ),
        UsageTotal(
            group="n",
            exchanges=1,
            failures=0,
            input_tokens=1,
            cache_read_tokens=2,
            cache_write_tokens=12,
            output_tokens=16,
            reasoning_tokens=32,
        ),
    ]


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("key", [("k1", 2), ("k2", 1)]),
        ("client", [("aider", 2), ("claude-cli", 1)]),
        ("provider", [("lab", 2), ("-", 1)]),
        ("day", [("2023-11-14", 1), ("2023-11-15", 2)]),
    ],
)
def test_each_grouping(exchanges: Database, by: str, groups: list[tuple[str, int]]) -> None:
    found = usage_totals(exchanges, by, ALL)  # pyright: ignore[reportArgumentType] - the parameters are its literals
    assert [(total.group, total.exchanges) for total in found] == groups


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
    assert sum(total.exchanges for total in usage_totals(exchanges, "model", only)) == len(ids)


async def test_totals_and_filters_by_what_calls_are_marked_with(database: Database) -> None:
    marks = [
        '{"team":"search","a.b":"1"}',
        '{"team":"search"}',
        '{"team":"ads","it\'s \\"odd\\"":"$.x"}',
        None,
    ]
    writer = ExchangeWriter(database)
    for number, text in enumerate(marks):
        group, scenario = ("g", "think") if number else (None, None)
        writer.record(
            msgspec.structs.replace(FIRST, id=f"m{number}", metadata=text, group_name=group, scenario=scenario)
        )
    await writer.aclose()

    def counted(by: str, only: UsageFilter = ALL) -> dict[str, int]:
        return {total.group: total.exchanges for total in usage_totals(database, by, only)}

    assert counted("metadata.team") == {"search": 2, "ads": 1, "-": 1}
    assert counted("metadata.a.b") == {"1": 1, "-": 3}
    assert counted('metadata.it\'s "odd"') == {"$.x": 1, "-": 3}
    assert counted("metadata.$.team") == {"-": 4}
    assert counted("group") == {"g": 3, "-": 1}
    assert counted("scenario") == {"think": 3, "-": 1}
    assert counted("model", UsageFilter(metadata=(("team", "search"),))) == {"m": 2}
    both = UsageFilter(metadata=(("team", "search"), ("a.b", "1")))
    assert [row.id for row in recent_exchanges(database, 9, both)] == ["m0"]
    assert recent_exchanges(database, 9, UsageFilter(metadata=(("team", "' OR 1=1 --"),))) == []
