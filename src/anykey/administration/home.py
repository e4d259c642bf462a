"""The data directory: made on first use, readable by its owner only.

It holds `anykey.db` and, apart from it, `pepper`: the 32 random bytes under which keys are hashed. A copied database
opens nothing without the pepper; a lost pepper makes every issued key void, so it is never silently made anew.
"""

import os
import secrets
from pathlib import Path

import msgspec

from anykey.administration.errors import AdministrationError
from anykey.storage.database import FILE_NAME, Database
from anykey.storage.lock import exclusive
from anykey.storage.migrate import open_database

PEPPER_NAME = "pepper"
PEPPER_BYTES = 32


class Home(msgspec.Struct, frozen=True):
    """A data directory ready for use."""

    path: Path
    database: Database
    pepper: bytes

    def __repr__(self) -> str:
        return f"Home(path={str(self.path)!r})"


def prepare_home(path: Path) -> Home:
    """Make what is missing in `path`, bring the schema up to date, and read the pepper.

    A directory made here is 0700; one that exists keeps its mode (its owner chose it), the files in it are 0600.
    Raises AdministrationError or StorageError where the directory cannot be used.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(path):
            pepper = _pepper(path)
        return Home(path, open_database(path), pepper)
    except OSError as error:
        raise AdministrationError("home.unusable", path=path, reason=error.strerror or error) from error


def _pepper(home: Path) -> bytes:
    file = home / PEPPER_NAME
    if not file.exists():
        if (home / FILE_NAME).exists():
            raise AdministrationError("home.pepper_missing", path=file)
        _write_whole(file, secrets.token_bytes(PEPPER_BYTES))
    pepper = file.read_bytes()
    if len(pepper) != PEPPER_BYTES:
        raise AdministrationError("home.pepper_broken", path=file, bytes=PEPPER_BYTES)
    return pepper


def _write_whole(file: Path, content: bytes) -> None:
    """All of `content` or nothing, 0600 from the first moment."""
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)
