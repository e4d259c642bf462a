"""The tables in the code are those that the migrations make, and hold no text of a conversation."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from anykey.accounts.keys import ApiKey
from anykey.storage.engine import transaction
from anykey.storage.key_reading import COLUMNS
from anykey.storage.migrate import open_database
from anykey.storage.records import ExchangeRow
from anykey.storage.schema import api_keys, exchanges, metadata


def test_migrations_lead_to_exactly_this_schema(tmp_path: Path) -> None:
    with transaction(open_database(tmp_path)) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_records_and_tables_have_the_same_fields() -> None:
    assert ExchangeRow.__struct_fields__ == tuple(exchanges.c.keys())
    assert tuple(api_keys.c.keys()) == COLUMNS
    computed = {"purse", "caps", "role"}
    assert set(ApiKey.__struct_fields__) - computed == set(COLUMNS)


def test_what_may_be_missing_in_a_record_may_be_null_in_its_table() -> None:
    row = {name: str(ExchangeRow.__annotations__[name]) for name in ExchangeRow.__struct_fields__}
    assert {name for name, kind in row.items() if "None" in kind} == {c.name for c in exchanges.c if c.nullable}
