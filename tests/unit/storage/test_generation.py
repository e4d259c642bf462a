"""Each change adds one, and only if it is kept."""

from contextlib import suppress

from sqlalchemy import select

from anykey.storage.database import Database
from anykey.storage.engine import transaction
from anykey.storage.generation import next_generation
from anykey.storage.schema import configuration_generation


def test_it_counts_what_was_committed(database: Database) -> None:
    for _ in range(2):
        with transaction(database) as connection:
            next_generation(connection)
    with suppress(ZeroDivisionError), transaction(database) as connection:
        next_generation(connection)
        raise ZeroDivisionError
    with transaction(database) as connection:
        assert connection.execute(select(configuration_generation.c.value)).scalars().all() == [2]
