"""Databases come from a template that is migrated once."""

import psycopg

from tests.services.postgres import PostgresServer


def test_each_database_has_the_schema_and_nothing_of_another(postgres: PostgresServer) -> None:
    # A view of the session's server with a template of its own: other tests have migrated theirs.
    server = PostgresServer(postgres.url)
    migrated: list[str] = []

    def migrate(url: str) -> None:
        migrated.append(url)
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE things (name text)")

    try:
        first, second = server.migrated(migrate), server.migrated(migrate)
        with psycopg.connect(first) as connection:
            connection.execute("INSERT INTO things VALUES ('one')")
        with psycopg.connect(second) as connection:
            assert connection.execute("SELECT count(*) FROM things").fetchone() == (0,)
        assert len(migrated) == 1
        assert len({first, second, *migrated}) == 3
    finally:
        server.drop_all()
    with psycopg.connect(postgres.url) as connection:
        left = {row[0] for row in connection.execute("SELECT datname FROM pg_database").fetchall()}
    assert not left & {url.rsplit("/", 1)[1] for url in (first, second, *migrated)}
