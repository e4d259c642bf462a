"""The configuration generation: who changes what the server routes by adds one, and the server reads it all again."""

from sqlalchemy import Connection, update

from anykey.storage.schema import configuration_generation


def next_generation(connection: Connection) -> None:
    """Add one, as the first write of a transaction: it takes the write lock, so changes come one after another."""
    connection.execute(update(configuration_generation).values(value=configuration_generation.c.value + 1))
