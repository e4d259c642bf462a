"""Webhooks: where to tell of a low balance or a budget that is nearly used up. An operator's hears of all organisations.

The secret that signs what is told is reckoned from the webhook's id under the pepper: it is shown when the webhook is made, and
stored nowhere.
"""

import hmac
import ipaddress
import secrets
import time
from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec

from anykey.accounts.permissions import LOCAL, Actor, may, require
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.administration.tenants import note, open_organisation
from anykey.storage import webhooks as stored
from anykey.storage.alerts import EVENTS
from anykey.storage.database import Connection
from anykey.storage.key_changes import reading
from anykey.storage.webhooks import WebhookRow
from anykey.storage.writing import writing

URL_LENGTH_MAX = 500
WEBHOOKS_MOST = 20
"""Of one organisation, in force: each has a row written for it where the calls are settled."""
_SECRET = b"anykey webhook secret\0"


class CreatedWebhook(msgspec.Struct, frozen=True):
    """A new webhook, and the secret its calls are signed with: shown now, and never again."""

    row: WebhookRow
    secret: str

    def __repr__(self) -> str:
        return f"CreatedWebhook(id={self.row.id!r}, secret='***')"


def create_webhook(
    home: Home, url: str, events: Iterable[str] = EVENTS, *, organisation: str | None = None, actor: Actor = LOCAL
) -> CreatedWebhook:
    """Tell `url` of these events; `organisation` (id or name) None: of the actor's own, and for an operator of all."""
    chosen = tuple(dict.fromkeys(events))
    if not chosen or not set(chosen) <= set(EVENTS):
        raise AdministrationError("webhooks.bad_events", known=", ".join(EVENTS))

    def change(connection: Connection) -> WebhookRow:
        whose = None
        if organisation is not None or actor.organisation is not None:
            whose = open_organisation(connection, organisation, actor).id
        require(actor, "webhooks:write", whose)
        if not _good_url(url, local=whose is None):
            raise AdministrationError("webhooks.bad_url", url=url[:200])
        in_force = [one for one in stored.read_webhooks(connection) if one.disabled_at is None]
        if sum(one.organisation == whose for one in in_force) >= WEBHOOKS_MOST:
            raise AdministrationError("webhooks.too_many", max=WEBHOOKS_MOST)
        row = WebhookRow(f"wh_{secrets.token_hex(8)}", whose, url, chosen, int(time.time()))
        stored.insert_webhook(connection, row)
        note(connection, actor, "webhooks.create", ("webhook", row.id, whose), (None, msgspec.structs.asdict(row)))
        return row

    row = writing(home.database, change)
    return CreatedWebhook(row, webhook_secret(row.id, home.pepper))


def list_webhooks(home: Home, *, actor: Actor = LOCAL) -> list[WebhookRow]:
    """Those the actor may see, the oldest first."""
    rows = reading(home.database, stored.read_webhooks)
    return [row for row in rows if may(actor, "webhooks:read", row.organisation)]


def disable_webhook(home: Home, webhook_id: str, *, actor: Actor = LOCAL) -> None:
    """Tell it nothing more; what it was not told yet is forgotten."""

    def change(connection: Connection) -> None:
        rows = [row for row in stored.read_webhooks(connection) if row.id == webhook_id and row.disabled_at is None]
        if not rows or not may(actor, "webhooks:read", rows[0].organisation):
            raise AdministrationError("webhooks.not_found", id=webhook_id[:80])
        require(actor, "webhooks:write", rows[0].organisation)
        stored.disable_webhook(connection, webhook_id, int(time.time()))
        note(connection, actor, "webhooks.disable", ("webhook", webhook_id, rows[0].organisation), (None, None))

    writing(home.database, change)


def webhook_secret(webhook_id: str, pepper: bytes) -> str:
    """What the calls to a webhook are signed with."""
    return f"whsec_{hmac.digest(pepper, _SECRET + webhook_id.encode(), 'sha256').hex()}"


def _good_url(url: str, *, local: bool) -> bool:
    """https without a user; http only to this machine, where an operator says so (`local`)."""
    if not (0 < len(url) <= URL_LENGTH_MAX and url.isascii() and url.isprintable() and " " not in url):
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    if not parts.hostname or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and local and _is_loopback(parts.hostname))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
