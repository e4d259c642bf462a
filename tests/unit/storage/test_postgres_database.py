"""PostgreSQL through our own connection: values, errors, patience, and no password anywhere."""

import logging
import time
from contextlib import closing
from pathlib import Path

import pytest

from anykey.storage.database import Database, whole
from anykey.storage.engine import transaction
from anykey.storage.errors import BadValueError, ConstraintError, DatabaseError, StorageError
from anykey.storage.installation import claim
from anykey.storage.migrate import locate_database, open_server
from anykey.storage.postgres_database import PostgresDatabase
from tests.services.postgres import PASSWORD, OwnPostgres, PostgresServer


@pytest.fixture
def fresh(postgres: PostgresServer, tmp_path: Path) -> Database:
    return locate_database(tmp_path, postgres.create_database())


def test_values_come_back_as_they_went(fresh: Database) -> None:
    with closing(fresh.connect()) as connection:
        connection.execute("CREATE TABLE t (n bigint, s text, b bytea, f boolean)")
        row = (2**63 - 1, "a 'quoted' ü", b"\x00\xff", True)
        connection.execute("INSERT INTO t (n, s, b, f) VALUES (?, ?, ?, ?)", row)
        connection.executemany("INSERT INTO t (n, s) VALUES (?, ?)", [(number, None) for number in range(3)])
        assert connection.execute("SELECT * FROM t WHERE n > ? ORDER BY n DESC", (2,)).fetchall() == [row]
        assert connection.execute("SELECT sum(n), avg(n) FROM t WHERE n < 3").fetchone() == (3, 1.0)
        assert [type(value) for value in connection.execute("SELECT sum(n), avg(n) FROM t WHERE n < 3").fetchone()] == [
            int,
            float,
        ]


def test_statements_are_prepared_whatever_the_size_of_their_numbers(fresh: Database) -> None:
    with closing(fresh.connect()) as connection:
        for number in (1, 2**20, 2**40, -5):
            assert connection.execute("SELECT ? + 0", (number,)).fetchone() == (number,)
        prepared = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT $1 + 0'"
        assert connection.execute(prepared).fetchone() == (1,)


def test_a_nul_that_somebody_sent_keeps_no_row_out(fresh: Database) -> None:
    with closing(fresh.connect()) as connection:
        connection.execute("CREATE TABLE t (n bigint, s text)")
        with whole(connection):
            connection.execute("INSERT INTO t (n, s) VALUES (?, ?)", (1, "before"))
            connection.execute("INSERT INTO t (n, s) VALUES (?, ?)", (2, "a\0b"))
            connection.executemany("INSERT INTO t (n, s) VALUES (?, ?)", [(3, "\0"), (4, None)])
        rows = connection.execute("SELECT n, s FROM t ORDER BY n").fetchall()
        assert rows == [(1, "before"), (2, "a\ufffdb"), (3, "\ufffd"), (4, None)]


@pytest.mark.parametrize(
    ("value", "kind"),
    [(2**63, BadValueError), ("\ud800", BadValueError), (None, ConstraintError)],
)
def test_errors_are_of_our_classes(fresh: Database, value: object, kind: type[DatabaseError]) -> None:
    with closing(fresh.connect()) as connection:
        connection.execute("CREATE TABLE t (x text NOT NULL, n bigint)")
        column = "n" if isinstance(value, int) else "x"
        with pytest.raises(kind):
            connection.execute(
                f"INSERT INTO t (x, {column}) VALUES ('', ?)" if column == "n" else "INSERT INTO t (x) VALUES (?)",
                (value,),
            )
        with pytest.raises(DatabaseError):
            connection.execute("SELECT nothing FROM nowhere")


def test_a_commit_after_a_failed_statement_is_an_error(fresh: Database) -> None:
    with closing(fresh.connect()) as connection:
        connection.execute("CREATE TABLE t (x bigint)")
        connection.begin()
        connection.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(DatabaseError):
            connection.execute("SELECT 1 / 0")
        with pytest.raises(DatabaseError, match="failed before its end"):
            connection.commit()
        connection.rollback()
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_a_read_only_connection_cannot_write(fresh: Database) -> None:
    with (
        closing(fresh.connect(read_only=True)) as connection,
        pytest.raises(DatabaseError, match="read-only"),
    ):
        connection.execute("CREATE TABLE t (x bigint)")


def test_the_search_path_of_the_url_is_the_schema(postgres: PostgresServer, tmp_path: Path) -> None:
    url = postgres.create_database()
    with closing(locate_database(tmp_path, url).connect()) as connection:
        connection.execute("CREATE SCHEMA gateway")
        connection.execute("CREATE TABLE public.exchanges (somebody_elses text)")
    database = open_server(f"{url}?options=-csearch_path%3Dgateway")
    assert claim(database, "a", "b") == "b"
    with closing(locate_database(tmp_path, url).connect()) as connection:
        assert connection.execute("SELECT count(*) FROM gateway.installation").fetchone() == (1,)
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert tables == [("exchanges",)]


def test_a_schema_that_is_not_there_is_said(postgres: PostgresServer) -> None:
    with pytest.raises(StorageError) as refused:
        open_server(f"{postgres.create_database()}?options=-csearch_path%3Dnowhere")
    assert refused.value.code == "storage.no_schema"


def test_no_name_repr_or_error_has_the_password(caplog: pytest.LogCaptureFixture) -> None:
    database = PostgresDatabase(f"postgresql://anykey:{PASSWORD}@127.0.0.1:1/nowhere?password={PASSWORD}")
    with caplog.at_level(logging.DEBUG), pytest.raises(DatabaseError) as failed:
        database.connect()
    with pytest.raises(StorageError) as told, transaction(database):
        pass
    with pytest.raises(DatabaseError) as wrong:
        PostgresDatabase(f"postgresql://anykey:{PASSWORD}%zz@127.0.0.1/x").connect()
    assert database.name == "postgresql://anykey@127.0.0.1:1/nowhere"
    texts = [repr(database), str(failed.value), str(told.value), str(wrong.value), caplog.text]
    assert not [text for text in texts if PASSWORD in text]
    assert "refused" in texts[1]


def test_a_frozen_server_is_given_up_and_thawed_serves_again(own_server: OwnPostgres) -> None:
    database = PostgresDatabase(own_server.url)
    with closing(database.connect(busy_timeout_s=0)) as connection:
        own_server.freeze()
        try:
            began = time.monotonic()
            with pytest.raises(DatabaseError, match="no answer"):
                connection.execute("SELECT 1")
            connection.rollback()
            with pytest.raises(DatabaseError):
                connection.execute("SELECT 1")
            with pytest.raises(DatabaseError):
                database.connect(busy_timeout_s=0)
            assert 4 < time.monotonic() - began < 7  # two seconds each, and a moment
        finally:
            own_server.thaw()
    with closing(database.connect()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_lock_is_waited_for_and_not_for_ever(fresh: Database) -> None:
    with closing(fresh.connect()) as one, closing(fresh.connect(busy_timeout_s=0.1)) as other:
        one.execute("CREATE TABLE t (x bigint)")
        one.begin()
        one.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(DatabaseError, match="lock timeout"):
            other.execute("SELECT * FROM t")
        one.rollback()
        assert other.execute("SELECT * FROM t").fetchall() == []


def test_a_connection_that_was_ended_is_a_database_error(own_server: OwnPostgres) -> None:
    with closing(PostgresDatabase(own_server.url).connect()) as connection:
        connection.begin()
        own_server.kill()
        with pytest.raises(DatabaseError):
            connection.execute("SELECT 1")
        connection.rollback()
    own_server.start()
