"""Alerts: once for each crossing, to those who want to know, in the settlement's own transaction."""

import json
from contextlib import closing

import pytest

from anykey.storage.alerts import BUDGET_REACHED, LOW_BALANCE, Alerts
from anykey.storage.database import Database, whole
from anykey.storage.settling import Spent
from anykey.storage.webhooks import WebhookRow, insert_webhook
from tests.fakes.charges import NOON_MS, ask


@pytest.fixture
def told(database: Database) -> Database:
    with closing(database.connect()) as connection:
        connection.execute("UPDATE organisations SET low_balance_nano = 2000000000")
        insert_webhook(connection, WebhookRow("all", None, "https://a.example", (LOW_BALANCE, BUDGET_REACHED), 1))
        insert_webhook(connection, WebhookRow("own", "default", "https://b.example", (LOW_BALANCE,), 1))
        insert_webhook(connection, WebhookRow("other", "org_x", "https://c.example", (LOW_BALANCE,), 1))
        insert_webhook(connection, WebhookRow("ended", None, "https://d.example", (LOW_BALANCE,), 1, disabled_at=2))
    return database


def tell(database: Database, *spent: Spent) -> list[tuple[str, dict[str, object]]]:
    with closing(database.connect()) as connection, whole(connection):
        Alerts().tell(connection, spent, NOON_MS)
    rows = ask(database, "SELECT webhook_id, body, next_at, tries FROM deliveries ORDER BY webhook_id, at")
    assert all(row[2:] == (NOON_MS // 1000, 0) for row in rows)
    return [(row[0], json.loads(row[1])) for row in rows]


def balance(before: int, after: int) -> Spent:
    return Spent("credit:default", "organisation", "default", None, before, after)


def spent(before: int, after: int, kind: str = "organisation", owner: str = "default") -> Spent:
    return Spent(f"{kind}:{owner}:1d", kind, owner, 100, before, after)


def test_a_balance_that_falls_below_the_mark(told: Database) -> None:
    found = tell(told, balance(2_000_000_000, 1_999_999_999))
    assert [name for name, _ in found] == ["all", "own"]
    body = found[0][1]
    assert body.pop("id") == ask(told, "SELECT id FROM deliveries WHERE webhook_id = 'all'")[0][0]
    assert body == {
        "event": "balance.low",
        "at_ms": NOON_MS,
        "organisation": "default",
        "balance": "1.999999999",
        "mark": "2.00",
    }


def test_only_the_crossing_counts(told: Database) -> None:
    assert tell(told, balance(1_999_999_999, 5), balance(3_000_000_000, 2_000_000_000)) == []
    assert tell(told, spent(0, 79), spent(80, 99), spent(100, 150)) == []


@pytest.mark.parametrize(("before", "after", "percent"), [(79, 80, 80), (10, 99, 80), (99, 100, 100), (10, 120, 100)])
def test_a_budget_that_is_nearly_or_wholly_used(told: Database, before: int, after: int, percent: int) -> None:
    ((webhook, body),) = tell(told, spent(before, after))
    assert webhook == "all"
    assert (body["event"], body["percent"], body["budget"]) == ("budget.reached", percent, "organisation:default:1d")


def test_a_keys_budget_is_its_organisations(told: Database) -> None:
    with closing(told.connect()) as connection:
        connection.execute(
            "INSERT INTO api_keys (id, name, digest, last4, created_at, organisation) VALUES (?, ?, ?, ?, ?, ?)",
            ("k", "k", bytes(32), "xxxx", 1, "org_x"),
        )
        connection.execute("UPDATE webhooks SET events = ? WHERE id = 'other'", (f'["{BUDGET_REACHED}"]',))
    assert [name for name, _ in tell(told, spent(0, 100, "key", "k"))] == ["all", "other"]


def test_without_webhooks_nothing_is_kept(database: Database) -> None:
    assert tell(database, balance(3_000_000_000, 0), spent(0, 100)) == []
