"""The data directory: made on first use, readable by its owner only.

It holds `anykey.db` and, apart from it, `pepper`: the 32 random bytes under which keys are hashed. A copied database
opens nothing without the pepper; a lost pepper makes every issued key void, so it is never silently made anew. The same
holds for the master key (master_key.py), under which stored credentials are sealed.
"""

import secrets
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from anykey.administration.errors import AdministrationError
from anykey.administration.master_key import MasterKey, prepare_master_key, write_whole
from anykey.storage.configuration import read_credentials
from anykey.storage.database import FILE_NAME, Database
from anykey.storage.lock import exclusive
from anykey.storage.migrate import open_database

PEPPER_NAME = "pepper"
PEPPER_BYTES = 32
NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


class Home(msgspec.Struct, frozen=True):
    """A data directory ready for use."""

    path: Path
    database: Database
    pepper: bytes
    master_key: MasterKey

    def __repr__(self) -> str:
        return f"Home(path={str(self.path)!r})"


def prepare_home(path: Path, environ: Mapping[str, str] = NO_VARIABLES) -> Home:
    """Make what is missing in `path`, bring the schema up to date, and read the pepper and the master key (which may be in
    `environ`).

    A directory made here is 0700; one that exists keeps its mode (its owner chose it), the files in it are 0600.
    Raises AdministrationError or StorageError where the directory cannot be used.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(path):
            pepper = _pepper(path)
        database = open_database(path)
        with exclusive(path):
            sealed = [row.sealed for row in read_credentials(database)]
            master_key = prepare_master_key(path, environ, sealed)
        return Home(path, database, pepper, master_key)
    except OSError as error:
        raise AdministrationError("home.unusable", path=path, reason=error.strerror or error) from error


def _pepper(home: Path) -> bytes:
    file = home / PEPPER_NAME
    if not file.exists():
        if (home / FILE_NAME).exists():
            raise AdministrationError("home.pepper_missing", path=file)
        write_whole(file, secrets.token_bytes(PEPPER_BYTES))
    pepper = file.read_bytes()
    if len(pepper) != PEPPER_BYTES:
        raise AdministrationError("home.pepper_broken", path=file, bytes=PEPPER_BYTES)
    return pepper
