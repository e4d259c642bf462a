"""PostgreSQL for tests: one server for a test session, one database for each test, made from a template that was migrated
once.

with running_postgres() as server:
    url = server.migrated(migrate)      # a new database with the schema; migrate(url) is called once in a session
    server.kill(); server.start()       # the same port and data

`ANYKEY_TEST_POSTGRES_URL` names a server to use instead (its user must be allowed to create databases); it cannot be killed.
"""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.services.install import postgres_folder
from tests.services.processes import NotStarted, Program, free_port, unprivileged

GIVEN = "ANYKEY_TEST_POSTGRES_URL"
USER = "anykey"
PASSWORD = "postgres-password"
"""In every URL, so that a test can look for it where it must not be. The server trusts whoever reaches it."""
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_SETTINGS = ("max_connections=200", "shared_buffers=32MB", "max_wal_size=256MB", "logging_collector=off")


class PostgresServer:
    """A server that can be asked for databases. `url` is that of its maintenance database."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._template: str | None = None
        self._made: list[str] = []

    def create_database(self, template: str = "template1") -> str:
        """A new database, a copy of `template`: its URL."""
        name = f"anykey_{secrets.token_hex(6)}"
        self._administer(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
        self._made.append(name)
        return self.url_of(name)

    def migrated(self, migrate: Callable[[str], object]) -> str:
        """A new database that has the schema: its URL. `migrate(url)` makes the schema; it is called the first time only."""
        if self._template is None:
            url = self.create_database()
            migrate(url)
            self._template = _name_of(url)
        return self.create_database(self._template)

    def drop_database(self, url: str) -> None:
        """Remove a database, also under those who are still connected to it."""
        name = _name_of(url)
        self._administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        self._made.remove(name)

    def drop_all(self) -> None:
        """Remove what is left of this server's databases."""
        for name in list(self._made):
            self.drop_database(self.url_of(name))
        self._template = None

    def url_of(self, name: str) -> str:
        """The URL of the database with this name."""
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))

    def _administer(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)


class OwnPostgres(PostgresServer):
    """A server of our own on a free port of 127.0.0.1 and a Unix socket, with its data in a folder that goes with it.

    `durable` keeps fsync on, for tests that kill it.
    """

    def __init__(self, *, durable: bool = False) -> None:
        programs = postgres_folder()
        account = unprivileged("postgres", "nobody")
        # Not in pytest's folders: those are closed to the account it runs as.
        self.folder = Path(tempfile.mkdtemp(prefix="anykey-pg-"))
        self.port = free_port()
        super().__init__(f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/postgres")
        data, log = self.folder / "data", self.folder / "log"
        data.mkdir()
        log.touch()
        if account is not None:
            for path in (self.folder, data):
                os.chown(path, account.uid, account.gid)
        data.chmod(0o700)
        made = subprocess.run(
            [programs / "initdb", "-D", data, "-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            user=account and account.uid,
            group=account and account.gid,
            extra_groups=None if account is None else (),
        )
        if made.returncode:
            raise NotStarted(f"initdb: {made.stderr[-800:]}")
        settings = (*_SETTINGS, *(() if durable else _FAST))
        options = [word for setting in settings for word in ("-c", setting)]
        command = [
            programs / "postgres",
            "-D",
            data,
            "-k",
            self.folder,
            "-p",
            str(self.port),
            "-h",
            "127.0.0.1",
            *options,
        ]
        self._program = Program(command, log, account)

    def start(self) -> None:
        """Start it, on the same port and data as before."""
        self._program.start(self._answers)

    def kill(self) -> None:
        """kill -9 of the server and all its backends."""
        self._program.kill()

    def freeze(self) -> None:
        """Stop all of it where it stands: connections stay open and nothing answers."""
        self._program.freeze()

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self._program.thaw()

    def close(self) -> None:
        """End it and remove its data."""
        self._program.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.url, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False


@contextmanager
def running_postgres() -> Generator[PostgresServer]:
    """The server that was given, or one of our own. Raises CannotInstall or NotStarted."""
    given = os.environ.get(GIVEN)
    if given is None:
        with own_postgres() as server:
            yield server
        return
    server = PostgresServer(given)
    try:
        yield server
    finally:
        server.drop_all()


@contextmanager
def own_postgres(*, durable: bool = False) -> Generator[OwnPostgres]:
    """A server of our own, for tests that kill it or freeze it."""
    server = OwnPostgres(durable=durable)
    try:
        server.start()
        yield server
    finally:
        server.close()


def _name_of(url: str) -> str:
    return urlsplit(url).path.lstrip("/")
