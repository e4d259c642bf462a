"""The model data of this release: it loads, is sorted and plausible, and says what its sources say."""

import time
import tomllib
from pathlib import Path

import pytest

from anykey.administration.model_sources.own_file import facts_in
from anykey.providers import shipped_models
from anykey.providers.load import catalogue
from anykey.providers.models import ABILITIES, ModelFacts, Rates, price_per_million
from anykey.providers.shipped_models import own_facts, shipped, shipped_lines, shipped_shelf, vendor_of, vendors

FOLDER = Path(shipped_models.__file__).parent / "model_catalogue" / "shipped"
FILES = sorted(FOLDER.glob("*.jsonl"))
LEVELS = Rates.__struct_fields__


def everything() -> list[ModelFacts]:
    return [facts for file in FILES for facts in shipped_shelf(file.stem).values()]


def test_there_is_enough_of_it_and_not_too_much() -> None:
    assert len(everything()) >= 300
    assert len(shipped_shelf("byteplus")) >= 10
    assert sum(file.stat().st_size for file in FILES) < 1_500_000


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_is_one_vendors_sorted_and_written_as_we_write(file: Path) -> None:
    models = list(shipped_shelf(file.stem).values())
    assert file.stem in vendors()
    assert {facts.vendor for facts in models} == {file.stem}
    assert shipped_lines(models) == file.read_bytes()
    assert [facts.model for facts in models] == sorted(facts.model for facts in models)


def test_every_fact_is_plausible() -> None:
    for facts in everything():
        assert set(facts.abilities) <= set(ABILITIES)
        assert facts.source
        assert "2025-" < facts.observed_on < "2027-"
        assert (facts.context_tokens or 1) > 0
        if facts.prices is not None:
            rates = (facts.prices, *facts.prices.tiers)
            assert all((getattr(level, name) or 0) >= 0 for level in rates for name in LEVELS), facts
            assert facts.prices.input is not None or facts.prices.output is not None, facts
            assert facts.prices.currency == "USD"
            over = [tier.over_tokens for tier in facts.prices.tiers]
            assert over == sorted(set(over))


@pytest.mark.parametrize(
    ("kind", "model", "prices"),
    [
        ("openai", "gpt-5.4", ("2.5", "0.25", "15")),
        ("openai", "gpt-4o", ("2.5", "1.25", "10")),
        ("openai", "gpt-4o-mini", ("0.15", "0.075", "0.6")),
        ("anthropic", "claude-opus-4-6", ("5", "0.5", "25")),
        ("anthropic", "claude-opus-5-5", ("4", "0.2", "20")),
        ("anthropic", "claude-sonnet-4-6", ("3", "0.3", "15")),
        ("anthropic", "claude-haiku-4-5-20251001", ("1", "0.1", "5")),
        ("gemini", "gemini-2.5-pro", ("1.25", "0.125", "10")),
        ("deepseek", "deepseek-flash", ("0.3", "0.006", "1.2")),
        ("byteplus", "seed-2-0-pro-260328", ("0.5", "0.1", "3")),
        ("byteplus", "seed-2-0-mini-260428", ("0.1", "0.02", "0.4")),
        ("byteplus", "glm-4-7-251222", ("0.6", None, "2.2")),
    ],
)
def test_well_known_prices(kind: str, model: str, prices: tuple[str | None, ...]) -> None:
    facts = shipped().facts_of(kind, model)
    assert facts is not None
    assert facts.prices is not None
    found = (facts.prices.input, facts.prices.cache_read, facts.prices.output)
    assert found == tuple(map(price_per_million, prices))


def test_what_we_observed_ourselves_is_shipped() -> None:
    for facts in facts_in(tomllib.loads(own_facts())):
        known = shipped().facts_of(facts.vendor, facts.model)
        assert known is not None
        assert known.prices == facts.prices


def test_plans_sell_by_quota_and_other_kinds_at_list_prices() -> None:
    assert vendor_of("byteplus_coding") == ("byteplus", True)
    assert vendor_of("somebody") == ("somebody", False)
    facts = shipped().facts_of("byteplus_coding", "seed-2-0-pro-260328")
    assert facts is not None
    assert facts.prices is None


def test_every_vendor_and_every_plan_is_a_row_of_the_catalogue() -> None:
    named = {*vendors(), *(kind for vendor in vendors().values() for kind in vendor.plans)}
    assert named <= set(catalogue())


def test_a_name_from_outside_opens_no_other_file() -> None:
    assert not shipped_shelf("../vendors")
    assert not shipped_shelf("nobody")


def test_a_vendor_is_read_in_a_moment() -> None:
    names = [vendor_of(kind)[0] for kind in ("openai", "anthropic", "byteplus")]
    shipped_shelf.cache_clear()
    began = time.perf_counter()
    for name in names:
        shipped_shelf(name)
    assert time.perf_counter() - began < 0.1


def test_the_main_kinds_of_the_catalogue_are_known() -> None:
    for kind in ("openai", "anthropic", "gemini", "byteplus", "volcengine", "deepseek", "xai", "zai", "qwen"):
        assert kind in catalogue()
        assert list(shipped().models_of(vendor_of(kind)[0]))
