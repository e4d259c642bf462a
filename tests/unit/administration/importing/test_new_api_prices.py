"""Ratios as prices, in the digits they have."""

from decimal import Decimal

from anykey.administration.importing.new_api_prices import group_ratios, prices
from anykey.administration.importing.records import Note

OPTIONS = {
    "ModelRatio": '{"gpt-4": 15, "claude": 1.5, "plain": 0.075, "fine": 0.0714285714, "alone": 2, "bad": "x", "worse": 1e999}',
    "CompletionRatio": '{"gpt-4": 2, "claude": 5, "plain": 4, "fine": 1, "bad": 1}',
    "CacheRatio": '{"claude": 0.1}',
    "CreateCacheRatio": '{"claude": 1.25}',
    "ModelPrice": '{"mj_imagine": 0.1, "gpt-4": 0.5}',
    "GroupRatio": '{"default": 1, "vip": 0.8, "odd": -1, "huge": 100000}',
}


def test_a_ratio_of_one_is_two_dollars_a_million() -> None:
    notes: list[Note] = []
    cards = {card["model"]: card for card in prices(OPTIONS, frozenset(), notes)}
    assert cards["claude"] == {
        "model": "claude",
        "source": "ModelRatio",
        "input": "3",
        "output": "15",
        "cache_read": "0.3",
        "cache_write_5m": "3.75",
    }
    assert cards["plain"] == {"model": "plain", "source": "ModelRatio", "input": "0.15", "output": "0.6"}
    assert cards["gpt-4"] == {"model": "gpt-4", "source": "ModelPrice", "per_call": "0.5"}
    assert cards["fine"]["input"] == "0.142857"
    assert {(note.place, note.code) for note in notes} == {
        ("ModelRatio.alone", "import.no_completion_ratio"),
        ("ModelRatio.fine", "import.rounded"),
        ("ModelRatio.bad", "import.bad_ratio"),
        ("ModelRatio.worse", "import.bad_ratio"),
    }


def test_only_what_is_served_has_a_price() -> None:
    assert [card["model"] for card in prices(OPTIONS, frozenset({"claude", "unknown"}), [])] == ["claude"]


def test_groups() -> None:
    notes: list[Note] = []
    assert group_ratios(OPTIONS, notes) == {"default": Decimal(1), "vip": Decimal("0.8")}
    assert {note.place for note in notes} == {"GroupRatio.odd", "GroupRatio.huge"}
    assert group_ratios({"GroupRatio": "[1]"}, notes) == {}
    assert notes[-1].code == "import.not_a_table"
