"""The data directory: made on first use, readable by its owner only.

It holds `anykey.db`, unless the database is on a server, and apart from it the pepper (pepper.py), without which no issued key
can be checked, and the master key (master_key.py), under which stored credentials are sealed. A copied database opens nothing
without them. Several machines share a database by being given the same two.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from anykey.administration.errors import AdministrationError
from anykey.administration.master_key import MasterKey, prepare_master_key
from anykey.administration.pepper import NAME, check_elsewhere, check_pepper, given_pepper, pepper_in
from anykey.storage.configuration import read_credentials
from anykey.storage.database import Database
from anykey.storage.lock import exclusive
from anykey.storage.migrate import open_database, open_server
from anykey.storage.sqlite_database import FILE_NAME

NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


class Home(msgspec.Struct, frozen=True):
    """A data directory ready for use."""

    path: Path
    database: Database
    pepper: bytes
    master_key: MasterKey

    def __repr__(self) -> str:
        return f"Home(path={str(self.path)!r})"


def prepare_home(path: Path, environ: Mapping[str, str] = NO_VARIABLES, url: str | None = None) -> Home:
    """Make what is missing in `path`, bring the schema up to date, and read the pepper and the master key (which may be in
    `environ`). `url` is that of a PostgreSQL database; None: the one in `path`.

    A directory made here is 0700; one that exists keeps its mode (its owner chose it), the files in it are 0600.
    Raises AdministrationError or StorageError where the directory or the database cannot be used.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        given = given_pepper(environ)
        pepper, origin = given or (b"", path / NAME)
        if url is None:
            if given is None:
                with exclusive(path):
                    pepper = pepper_in(path, make=not (path / FILE_NAME).exists())
            database: Database = open_database(path)
        else:
            database = open_server(url)
            if given is None:
                check_elsewhere(database, path)
                with exclusive(path):
                    pepper = pepper_in(path, make=True)
        check_pepper(database, pepper, origin)
        with exclusive(path):
            sealed = [row.sealed for row in read_credentials(database)]
            master_key = prepare_master_key(path, environ, sealed)
        return Home(path, database, pepper, master_key)
    except OSError as error:
        raise AdministrationError("home.unusable", path=path, reason=error.strerror or error) from error
