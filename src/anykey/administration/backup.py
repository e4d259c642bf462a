"""Keep a copy of everything, and put it back. Only the database in a file: a server has its own means, and is told them.

Law: a copy holds no key that opens anything, unless it was asked for. Without the pepper of its gateway no issued key is
good, without its master key no stored credential opens; a copy with keys is as secret as all of these together.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from anykey.accounts.permissions import LOCAL, Actor, require
from anykey.administration import master_key, pepper
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.administration.master_key import write_whole
from anykey.administration.tenants import note
from anykey.storage.backup import check_copy, copy_database, put_in_place, running_on, sealed_in
from anykey.storage.database import Database
from anykey.storage.errors import DatabaseError, StorageError
from anykey.storage.sqlite_database import FILE_NAME, SqliteDatabase
from anykey.storage.writing import writing

KEY_FILES = (pepper.NAME, master_key.FILE_NAME)


class BackedUp(msgspec.Struct, frozen=True):
    """A copy that was taken. `keys` are the files beside it that hold the pepper and the master key."""

    file: str
    bytes: int
    revision: str
    keys: tuple[str, ...] = ()


class Restored(msgspec.Struct, frozen=True):
    """A copy that was put in place. `aside` is where the database is now that was there before, `keys` what was put back
    too."""

    database: str
    revision: str
    aside: str | None
    keys: tuple[str, ...] = ()


def back_up(home: Home, file: Path, *, with_keys: bool = False, actor: Actor = LOCAL) -> BackedUp:
    """Copy the database to the new file `file` while others go on writing; `with_keys`: the pepper and the master key beside
    it.

    Raises AdministrationError where the file exists, or the database is on a server: then it says what to run instead.
    """
    require(actor, "settings:write", None)
    database = home.database
    if not isinstance(database, SqliteDatabase):
        raise AdministrationError("backup.on_server", command=dump_command(database, file))
    secrets = {_beside(file, name): content for name, content in _keys(home).items()} if with_keys else {}
    for target in (file, *secrets):
        if target.exists():
            raise AdministrationError("backup.exists", file=target)
    size = copy_database(database, file)
    revision = check_copy(file)
    for target, content in secrets.items():
        write_whole(target, content)
    told = {"bytes": size, "with_keys": with_keys}
    writing(
        database, lambda connection: note(connection, actor, "backup.create", ("backup", file.name, None), (None, told))
    )
    return BackedUp(str(file), size, revision, tuple(map(str, secrets)))


def restore(path: Path, file: Path, *, database: Database, environ: Mapping[str, str], force: bool = False) -> Restored:
    """Put a copy in the place of the database of the data directory `path`; `database` is the one that is configured.

    Refused while a gateway works on it, unless `force`d; where the copy is damaged or of a newer release; where the pepper or the
    master key that it needs is nowhere: in the environment, in `path` or beside the copy, whence it is put back.
    """
    if not isinstance(database, SqliteDatabase):
        raise AdministrationError("backup.restore_on_server", command=load_command(database, file))
    revision = check_copy(file)
    running = running_on(database)
    if running and not force:
        told = ", ".join(f"{one.host}:{one.pid}" for one in running)
        raise AdministrationError("backup.running", processes=told)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    missing = [name for name in KEY_FILES if _beside(file, name).exists() and not (path / name).exists()]
    _check_pepper(path, file, environ)
    _check_master_key(path, file, environ)
    moment = datetime.fromtimestamp(time.time(), UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = put_in_place(file, path, f"{FILE_NAME}.before-{moment}")
    for name in missing:
        write_whole(path / name, _beside(file, name).read_bytes())
    return Restored(str(database.path), revision, None if aside is None else str(aside), tuple(missing))


def dump_command(database: Database, file: Path) -> str:
    """What copies a database on a PostgreSQL server. It asks for the password, or takes it from PGPASSWORD or ~/.pgpass."""
    words = ["pg_dump", "--format=custom", "--no-owner", f"--schema={_schema(database)}", f"--file={file}"]
    return shlex.join([*words, f"--dbname={database.name}"])


def load_command(database: Database, file: Path) -> str:
    """What puts such a copy back."""
    words = ["pg_restore", "--clean", "--if-exists", "--no-owner", "--exit-on-error", f"--dbname={database.name}"]
    return shlex.join([*words, str(file)])


def _schema(database: Database) -> str:
    try:
        with closing(database.connect(read_only=True)) as connection:
            return str(connection.execute("SELECT current_schema()").fetchone()[0])
    except DatabaseError as error:
        raise StorageError("storage.failed", path=database.name, reason=error) from error


def _beside(file: Path, name: str) -> Path:
    return file.with_name(f"{file.name}.{name}")


def _keys(home: Home) -> dict[str, bytes]:
    """Both keys as they are used now, wherever they came from."""
    return {pepper.NAME: home.pepper, master_key.FILE_NAME: master_key.text_of(home.master_key.key)}


def _check_pepper(path: Path, file: Path, environ: Mapping[str, str]) -> None:
    """Raise AdministrationError unless the pepper that will be there is that of the copy."""
    given = pepper.given_pepper(environ)
    candidates = (path / pepper.NAME, _beside(file, pepper.NAME))
    found = next((candidate for candidate in candidates if candidate.exists()), None)
    if given is None and found is None:
        raise AdministrationError("backup.no_pepper", file=file, path=path / pepper.NAME, variable=pepper.VARIABLE)
    content, origin = given if given is not None else (found.read_bytes() if found else b"", str(found))
    if not pepper.fits(SqliteDatabase(file), content):
        raise AdministrationError("home.pepper_wrong", origin=origin, variable=pepper.VARIABLE)


def _check_master_key(path: Path, file: Path, environ: Mapping[str, str]) -> None:
    """Raise AdministrationError unless the master key that will be there opens the credentials of the copy."""
    sealed, beside = sealed_in(file), _beside(file, master_key.FILE_NAME)
    given = any(environ.get(name, "").strip() for name in (master_key.VARIABLE, master_key.FILE_VARIABLE))
    if given or (path / master_key.FILE_NAME).exists() or not beside.exists():
        master_key.find_master_key(path, environ, sealed)
        return
    key = master_key.key_in(beside, environ)
    if sealed and not any(blob.startswith(master_key.mark(key.key)) for blob in sealed):
        raise AdministrationError("home.master_key_wrong", origin=beside)
