"""What a snapshot is told: shipped facts, imported ones over them, an operator's own over all."""

from pathlib import Path

import msgspec

from anykey.administration.known_models import OWN, known_catalogue, known_models
from anykey.providers.models import ModelFacts, ModelPrices, ProviderModel
from anykey.providers.shipped_models import shipped
from anykey.settings import load_settings
from anykey.storage.database import Database
from anykey.storage.migrate import open_database
from anykey.storage.model_facts import add_facts
from anykey.storage.provider_models import set_pinned

GPT = ModelFacts("openai", "gpt-5.4", source="x", observed_on="2099-01-01")


def priced(price: int, day: str = "2099-01-01") -> ModelFacts:
    return msgspec.structs.replace(GPT, prices=ModelPrices(input=price), observed_on=day)


def price_of(database: Database) -> int | None:
    facts = known_catalogue(database, {"openai"}).facts_of("openai", "gpt-5.4")
    assert facts is not None
    assert facts.prices is not None
    return facts.prices.input


def test_without_imports_it_is_what_is_shipped(tmp_path: Path) -> None:
    assert known_catalogue(open_database(tmp_path)) is shipped()


def test_the_weightier_source_wins_and_the_newer_of_one_source(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    add_facts(database, "model-prices", [priced(1)])
    add_facts(database, "litellm", [priced(2, "2099-06-01")])
    assert price_of(database) == 1
    add_facts(database, "model-prices", [priced(3, "2099-02-01")])
    assert price_of(database) == 3
    facts = known_catalogue(database).facts_of("openai", "gpt-5.4")
    assert facts is not None
    assert facts.context_tokens == 1_050_000


def test_a_release_overrules_older_imports_but_never_what_is_ones_own(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    add_facts(database, "model-prices", [priced(1, "2020-01-01")])
    assert price_of(database) == 2_500_000
    add_facts(database, OWN, [priced(7, "2020-01-01")])
    assert price_of(database) == 7


def test_a_snapshot_is_told_what_its_providers_need(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    set_pinned(database, "byteplus", ["m"], pinned=True)
    add_facts(database, OWN, [priced(7)])
    settings = load_settings({"ANYKEY_HOME": str(tmp_path), "BYTEPLUS_API_KEY": "k-0123456789abcdef"}, None)
    told = known_models(database, settings)
    assert told.by_provider == {"byteplus": (ProviderModel("m", pinned=True),)}
    other = told.catalogue.facts_of("openai", "gpt-5.4")
    assert other is not None
    assert other.prices is not None
    assert other.prices.input == 2_500_000
