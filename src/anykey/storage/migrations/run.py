"""Alembic, driven without its command line and without an ini file."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from anykey.storage.database import Database
from anykey.storage.engine import transaction


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the schema to the revision, the newest, in one transaction: all of it or nothing."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with transaction(database, patience_s=None) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
