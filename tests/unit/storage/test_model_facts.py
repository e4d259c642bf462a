"""Dated facts: one row for each day on which a source said something new."""

from pathlib import Path

import msgspec
import pytest

from anykey.providers.models import ModelFacts, ModelPrices
from anykey.storage.database import Database
from anykey.storage.errors import StorageError
from anykey.storage.model_facts import StoredFacts, add_facts, stored_facts
from anykey.storage.sqlite_database import SqliteDatabase

FACTS = ModelFacts("v", "m", 1000, prices=ModelPrices(input=5, output=6), source="s", observed_on="2026-01-01")
DEARER = msgspec.structs.replace(FACTS, prices=ModelPrices(input=7, output=8), observed_on="2026-02-01")


def test_the_same_again_is_no_news_and_a_change_is_a_row_of_its_own(database: Database) -> None:
    assert add_facts(database, "s", [FACTS, ModelFacts("w", "n", observed_on="2026-01-01")]) == 2
    assert add_facts(database, "s", [msgspec.structs.replace(FACTS, observed_on="2026-01-15")]) == 0
    assert add_facts(database, "s", [DEARER]) == 1
    assert add_facts(database, "other", [FACTS]) == 1
    assert stored_facts(database, {"v"}) == [
        StoredFacts("other", FACTS),
        StoredFacts("s", FACTS),
        StoredFacts("s", DEARER),
    ]
    assert len(stored_facts(database)) == 4
    assert stored_facts(database, ()) == []


def test_a_second_word_on_the_same_day_replaces_the_first(database: Database) -> None:
    today = msgspec.structs.replace(DEARER, observed_on="2026-01-01")
    add_facts(database, "s", [FACTS])
    assert add_facts(database, "s", [today]) == 1
    assert stored_facts(database) == [StoredFacts("s", today)]


def test_a_database_that_is_not_there_is_said_clearly(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        stored_facts(SqliteDatabase(tmp_path / "none.db"))
