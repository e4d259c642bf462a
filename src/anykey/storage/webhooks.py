"""Webhooks and what is to be told to them, as rows. Functions on a connection work in the transaction that it is in."""

import msgspec

from anykey.storage.database import Connection

LEASE_S = 60
"""For so long a delivery that one process has taken is nobody else's."""

_COLUMNS = "id, organisation, url, events, created_at, disabled_at"
_INSERT = f"INSERT INTO webhooks ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608 - our own words
_ALL = f"SELECT {_COLUMNS} FROM webhooks ORDER BY created_at, id"  # noqa: S608 - our own words
_DISABLE = "UPDATE webhooks SET disabled_at = ? WHERE id = ? AND disabled_at IS NULL RETURNING id"
_FORGET = "UPDATE deliveries SET next_at = NULL, last_status = 'disabled' WHERE webhook_id = ? AND next_at IS NOT NULL"
_TAKE = """UPDATE deliveries SET next_at = ?, tries = tries + 1 WHERE id IN
(SELECT id FROM deliveries WHERE next_at <= ? ORDER BY next_at LIMIT ?) AND next_at <= ? RETURNING id, webhook_id, body, tries"""
_ANY = "SELECT 1 FROM deliveries WHERE next_at <= ? LIMIT 1"
_TARGETS = "SELECT id, organisation, url FROM webhooks WHERE disabled_at IS NULL"
_DELIVERED = "UPDATE deliveries SET next_at = NULL, delivered_at = ?, last_status = ? WHERE id = ?"
_FAILED = "UPDATE deliveries SET next_at = ?, last_status = ? WHERE id = ?"


class WebhookRow(msgspec.Struct, frozen=True):
    """Where to tell of `events`; `organisation` None: of all organisations. Times are Unix seconds."""

    id: str
    organisation: str | None
    url: str
    events: tuple[str, ...]
    created_at: int
    disabled_at: int | None = None


class Due(msgspec.Struct, frozen=True):
    """A delivery to be made now, for the `tries`th time. `public_only`: the address is a tenant's choice."""

    id: str
    webhook_id: str
    url: str
    public_only: bool
    body: str
    tries: int


def insert_webhook(connection: Connection, row: WebhookRow) -> None:
    """Keep a new one."""
    events = msgspec.json.encode(row.events).decode()
    values = (row.id, row.organisation, row.url, events, row.created_at, row.disabled_at)
    connection.execute(_INSERT, values)


def read_webhooks(connection: Connection) -> list[WebhookRow]:
    """All, the oldest first, disabled ones too."""
    return [
        WebhookRow(row[0], row[1], row[2], msgspec.json.decode(row[3], type=tuple[str, ...]), row[4], row[5])
        for row in connection.execute(_ALL)
    ]


def disable_webhook(connection: Connection, webhook_id: str, now_s: int) -> bool:
    """Tell it nothing more. False: there is no such one in force."""
    found = connection.execute(_DISABLE, (now_s, webhook_id)).fetchone() is not None
    connection.execute(_FORGET, (webhook_id,))
    return found


def is_due(connection: Connection, now_s: int) -> bool:
    """Whether there is anything to take; it takes no lock to know."""
    return connection.execute(_ANY, (now_s,)).fetchone() is not None


def take_due(connection: Connection, now_s: int, most: int) -> list[Due]:
    """Take up to `most` deliveries that are due; what is not told of in time is due again."""
    targets = {row[0]: row[1:] for row in connection.execute(_TARGETS)}
    due: list[Due] = []
    for delivery, webhook, body, tries in connection.execute(_TAKE, (now_s + LEASE_S, now_s, most, now_s)):
        if webhook in targets:
            organisation, url = targets[webhook]
            due.append(Due(delivery, webhook, url, organisation is not None, body, tries))
    return due


def note_outcome(connection: Connection, delivery: str, status: str, *, at_s: int | None, next_s: int | None) -> None:
    """Keep what became of a try: delivered `at_s`, or to be tried again `next_s` (None: never)."""
    if at_s is not None:
        connection.execute(_DELIVERED, (at_s, status, delivery))
    else:
        connection.execute(_FAILED, (next_s, status, delivery))
