"""Alerts: a settlement that takes a wallet below its organisation's mark, or a budget over 80 or 100 percent, leaves a delivery
for each webhook that wants to know, in the same transaction: told once, and only if it happened. jobs/webhooks.py sends them.
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from anykey.accounts.amounts import usd_text
from anykey.storage import till_statements as sql
from anykey.storage.database import Connection
from anykey.storage.settling import Spent

LOW_BALANCE, BUDGET_REACHED = "balance.low", "budget.reached"
EVENTS = (LOW_BALANCE, BUDGET_REACHED)
PERCENTS = (100, 80)
LOOK_EVERY_S = 5.0
"""How long a new webhook may be unknown to a running gateway."""

_WEBHOOKS = "SELECT id, organisation, events FROM webhooks WHERE disabled_at IS NULL"
_ORGANISATION_OF = {
    "key": "SELECT organisation FROM api_keys WHERE id = ?",
    "member": "SELECT organisation FROM members WHERE id = ?",
}
_DELIVER = """INSERT INTO deliveries (id, webhook_id, event, body, at, next_at) VALUES (?, ?, ?, ?, ?, ?)"""


class _Webhook(NamedTuple):
    id: str
    organisation: str | None
    events: tuple[str, ...]


class Alerts:
    """For one thread. Without webhooks it costs one look every few seconds."""

    def __init__(self) -> None:
        self._webhooks: Sequence[_Webhook] = ()
        self._look_at = 0.0

    def tell(self, connection: Connection, spent: Sequence[Spent], now_ms: int) -> None:
        """Leave the deliveries that these settlements are worth, inside their transaction."""
        if spent and self._known(connection):
            for one in spent:
                self._judge(connection, one, now_ms)

    def _known(self, connection: Connection) -> Sequence[_Webhook]:
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_EVERY_S
            rows = connection.execute(_WEBHOOKS)
            self._webhooks = [_Webhook(row[0], row[1], tuple(msgspec.json.decode(row[2]))) for row in rows]
        return self._webhooks

    def _judge(self, connection: Connection, one: Spent, now_ms: int) -> None:
        if one.limit_nano is None:
            row = connection.execute(sql.LOW_BALANCE, (one.owner,)).fetchone()
            mark = None if row is None else row[0]
            if mark is not None and one.before_nano >= mark > one.after_nano:
                said = {"balance": usd_text(one.after_nano), "mark": usd_text(mark)}
                self._deliver(connection, LOW_BALANCE, one, said, now_ms)
            return
        for percent in PERCENTS:
            mark = one.limit_nano * percent
            if one.before_nano * 100 < mark <= one.after_nano * 100:
                said = {"percent": percent, "spent": usd_text(one.after_nano), "limit": usd_text(one.limit_nano)}
                self._deliver(connection, BUDGET_REACHED, one, {"budget": one.name, **said}, now_ms)
                return

    def _deliver(self, connection: Connection, event: str, one: Spent, said: Mapping[str, object], now_ms: int) -> None:
        organisation: str | None = one.owner.partition("/")[0]
        if one.owner_kind in _ORGANISATION_OF:
            row = connection.execute(_ORGANISATION_OF[one.owner_kind], (one.owner,)).fetchone()
            organisation = None if row is None else row[0]
        for webhook in self._webhooks:
            if event not in webhook.events or webhook.organisation not in (None, organisation):
                continue
            delivery = f"dlv_{secrets.token_hex(12)}"
            body = {"id": delivery, "event": event, "at_ms": now_ms, "organisation": organisation, **said}
            values = (delivery, webhook.id, event, msgspec.json.encode(body).decode(), now_ms, now_ms // 1000)
            connection.execute(_DELIVER, values)
