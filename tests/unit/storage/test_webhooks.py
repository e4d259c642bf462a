"""Webhooks and deliveries as rows, on both databases."""

from contextlib import closing

from anykey.storage.database import Connection, Database
from anykey.storage.webhooks import (
    WebhookRow,
    disable_webhook,
    insert_webhook,
    is_due,
    note_outcome,
    read_webhooks,
    take_due,
)

OWN = WebhookRow("w1", "default", "https://a.example", ("balance.low",), 1)
ALL = WebhookRow("w2", None, "https://b.example", ("balance.low", "budget.reached"), 2)


def deliver(connection: Connection, name: str, webhook: str, next_at: int) -> None:
    connection.execute(
        "INSERT INTO deliveries (id, webhook_id, event, body, at, next_at) VALUES (?, ?, ?, ?, ?, ?)",
        (name, webhook, "balance.low", "{}", 1, next_at),
    )


def test_what_is_due_is_taken_by_one(database: Database) -> None:
    with closing(database.connect()) as connection:
        for row in (OWN, ALL):
            insert_webhook(connection, row)
        assert read_webhooks(connection) == [OWN, ALL]
        for name, webhook, next_at in (("a", "w1", 10), ("b", "w2", 11), ("later", "w1", 99)):
            deliver(connection, name, webhook, next_at)
        assert [is_due(connection, at) for at in (9, 10)] == [False, True]
        due = sorted(take_due(connection, 50, 10), key=lambda one: one.id)
        assert [(one.id, one.url, one.public_only, one.tries) for one in due] == [
            ("a", OWN.url, True, 1),
            ("b", ALL.url, False, 1),
        ]
        assert take_due(connection, 50, 10) == []
        note_outcome(connection, "a", "200", at_s=51, next_s=None)
        note_outcome(connection, "b", "503", at_s=None, next_s=60)
        assert [(one.id, one.tries) for one in take_due(connection, 60, 10)] == [("b", 2)]
        rows = connection.execute("SELECT delivered_at, last_status FROM deliveries WHERE id = 'a'").fetchall()
        assert rows == [(51, "200")]


def test_a_disabled_one_is_told_nothing_more(database: Database) -> None:
    with closing(database.connect()) as connection:
        insert_webhook(connection, OWN)
        deliver(connection, "a", "w1", 1)
        assert disable_webhook(connection, "w1", 5)
        assert not disable_webhook(connection, "w1", 6)
        assert read_webhooks(connection)[0].disabled_at == 5
        assert take_due(connection, 50, 10) == []
