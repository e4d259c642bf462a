from typing import Any

import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import CacheHint, Json
from anykey.protocols.bedrock_converse.cache import CacheWriter
from anykey.protocols.bedrock_converse.dialect import dialect


def writer(**fields: Any) -> tuple[CacheWriter, LossLog]:
    log = LossLog("request")
    return CacheWriter(dialect({"cache_points": "all", **fields}), log), log


def codes(log: LossLog) -> list[str]:
    return [f"{loss.kind}:{loss.path}" for loss in log.losses]


@pytest.mark.parametrize(
    ("ttl", "cache_ttl", "point", "losses"),
    [
        (None, False, {}, []),
        ("5m", False, {}, []),
        ("5m", True, {"ttl": "5m"}, []),
        ("1h", True, {"ttl": "1h"}, []),
        ("12h", True, {"ttl": "1h"}, ["approximated:p.cache.ttl"]),
        ("1h", False, {}, ["approximated:p.cache.ttl"]),
        ("9d", True, {}, ["dropped:p.cache.ttl"]),
    ],
)
def test_lifetimes(ttl: str | None, cache_ttl: bool, point: Json, losses: list[str]) -> None:
    cache, log = writer(cache_ttl=cache_ttl)
    entries: list[Json] = [{"text": "a"}]
    cache.write(entries, CacheHint(ttl), "p")
    assert entries[1:] == [{"cachePoint": {"type": "default", **point}}]
    assert codes(log) == losses


def test_a_model_may_take_none_or_none_of_tools() -> None:
    cache, log = writer(cache_points="none")
    entries: list[Json] = []
    cache.write(entries, CacheHint(), "p")
    cache, log2 = writer(cache_points="prompt")
    cache.region = "tools"
    cache.write(entries, CacheHint(), "p")
    assert entries == []
    assert codes(log) == codes(log2) == ["dropped:p.cache"]
    cache.region = "messages"
    cache.write(entries, CacheHint(), "p")
    assert len(entries) == 1


def test_two_hints_at_one_place_are_one_point() -> None:
    cache, log = writer(cache_ttl=True)
    entries: list[Json] = [{"text": "a"}]
    cache.write(entries, CacheHint(), "p")
    cache.write(entries, CacheHint("1h"), "p")
    assert entries[1:] == [{"cachePoint": {"type": "default", "ttl": "1h"}}]
    assert codes(log) == []


def test_four_stay_those_of_tools_and_system_among_them() -> None:
    cache, log = writer()
    places: dict[str, list[Json]] = {}
    for region, name in [
        ("tools", "t"),
        ("instructions", "s"),
        ("messages", "a"),
        ("messages", "b"),
        ("messages", "c"),
    ]:
        cache.region = region
        places[name] = []
        cache.write(places[name], CacheHint(), name)
    cache.thin_out()
    assert [name for name, entries in places.items() if cache.swept(entries)] == ["t", "s", "b", "c"]
    assert codes(log) == ["dropped:a.cache"]
