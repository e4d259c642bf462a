"""The pepper: the 32 random bytes under which keys are hashed.

It is `ANYKEY_PEPPER`, else what stands in the file that `ANYKEY_PEPPER_FILE` names (both hex or base64, as the master key), else
the file `pepper` of the data directory, which is made at the first start. Law: one that is lost or wrong is never replaced in
silence, because every issued key would be void. So the database keeps a mark of it, which says nothing of the pepper itself.
"""

import hashlib
import secrets
from collections.abc import Mapping
from pathlib import Path

from anykey.administration.errors import AdministrationError
from anykey.administration.master_key import parse, write_whole
from anykey.storage.database import Database
from anykey.storage.installation import claim, claimed

VARIABLE = "ANYKEY_PEPPER"
FILE_VARIABLE = "ANYKEY_PEPPER_FILE"
NAME = "pepper"
BYTES = 32
_MARK = "pepper"


def given_pepper(environ: Mapping[str, str]) -> tuple[bytes, str] | None:
    """The pepper of the environment, and where it was found. Raises AdministrationError where that holds none."""
    if text := environ.get(VARIABLE, "").strip():
        return _parsed(text, VARIABLE), VARIABLE
    if named := environ.get(FILE_VARIABLE, "").strip():
        file = Path(named).expanduser()
        try:
            content = file.read_bytes()
        except OSError as error:
            raise AdministrationError("home.unusable", path=file, reason=error.strerror or error) from error
        raw = content if len(content) == BYTES else None
        return raw or _parsed(content.decode("ascii", "replace"), named), named
    return None


def pepper_in(home: Path, *, make: bool) -> bytes:
    """The pepper of the data directory; with `make`, a new one where there is none. Hold the lock of `home`."""
    file = home / NAME
    if not file.exists():
        if not make:
            raise AdministrationError("home.pepper_missing", path=file)
        write_whole(file, secrets.token_bytes(BYTES))
    pepper = file.read_bytes()
    if len(pepper) != BYTES:
        raise AdministrationError("home.pepper_broken", path=file, bytes=BYTES)
    return pepper


def check_elsewhere(database: Database, home: Path) -> None:
    """Refuse to make a pepper for a database that has been used under another one. Raises AdministrationError."""
    if not (home / NAME).exists() and claimed(database, _MARK) is not None:
        raise AdministrationError("home.pepper_elsewhere", path=home / NAME, variable=VARIABLE)


def check_pepper(database: Database, pepper: bytes, origin: str | Path) -> None:
    """Bind the database to this pepper, the first time; AdministrationError where it is bound to another."""
    mark = _mark(pepper)
    if claim(database, _MARK, mark) != mark:
        raise AdministrationError("home.pepper_wrong", origin=origin, variable=VARIABLE)


def fits(database: Database, pepper: bytes) -> bool:
    """Whether the database is bound to this pepper, or to none. Writes nothing."""
    return claimed(database, _MARK) in {None, _mark(pepper)}


def _mark(pepper: bytes) -> str:
    return hashlib.blake2b(pepper, digest_size=8, person=b"anykey-pepper").hexdigest()


def _parsed(text: str, origin: str) -> bytes:
    pepper = parse(text)
    if pepper is None:
        raise AdministrationError("home.pepper_unreadable", origin=origin, bytes=BYTES)
    return pepper
