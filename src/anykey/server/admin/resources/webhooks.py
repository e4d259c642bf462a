"""Webhooks: who is told when a balance is low or a limit is near. The secret that signs is shown once, when one is made."""

from typing import Annotated

from pydantic import Field

from anykey.administration.webhooks import EVENTS, create_webhook, disable_webhook, list_webhooks
from anykey.server.admin.rules import Calling, Resource
from anykey.server.admin.shapes import Asked, Id, Listed, Paged, Told, Word, listed
from anykey.storage.paging import page_of
from anykey.storage.webhooks import WebhookRow

WEBHOOKS = Resource("webhooks")


class WebhookTold(Told):
    """`organisation` null: it is told of all. Times are Unix seconds."""

    id: str
    organisation: str | None
    url: str
    events: list[str]
    created_at: int
    disabled_at: int | None


class WebhookWithSecret(Told):
    """A new webhook and the secret that its calls are signed with."""

    webhook: WebhookTold
    secret: str


class NewWebhook(Asked):
    """`organisation`: id or name; not sent: the caller's own, and for an operator all."""

    url: Annotated[str, Field(min_length=1, max_length=2000)]
    events: Annotated[list[Word], Field(min_length=1, max_length=20)] = Field(default_factory=lambda: list(EVENTS))
    organisation: Word | None = None


class WebhookDisabled(Told):
    """Nothing more is told to it."""

    id: str


@WEBHOOKS.operation("GET", "/admin/v1/webhooks", permission="webhooks:read")
def webhooks_list(caller: Calling, query: Paged) -> Listed[WebhookTold]:
    """List the webhooks, oldest first, disabled ones too."""
    rows = list_webhooks(caller.home, actor=caller.actor)
    return listed(page_of(rows, lambda row: (row.created_at, row.id), query.cursor, query.limit), told)


@WEBHOOKS.operation("POST", "/admin/v1/webhooks", permission="webhooks:write", status=201)
def webhooks_create(caller: Calling, body: NewWebhook) -> WebhookWithSecret:
    """Have a URL told of events. The secret is in this answer and nowhere else."""
    made = create_webhook(caller.home, body.url, body.events, organisation=body.organisation, actor=caller.actor)
    return WebhookWithSecret(webhook=told(made.row), secret=made.secret)


@WEBHOOKS.operation("DELETE", "/admin/v1/webhooks/{id}", permission="webhooks:write")
def webhooks_disable(caller: Calling, id: Id) -> WebhookDisabled:  # noqa: A002 - the name in the path
    """Tell it nothing more."""
    disable_webhook(caller.home, id, actor=caller.actor)
    return WebhookDisabled(id=id)


def told(row: WebhookRow) -> WebhookTold:
    """The webhook."""
    return WebhookTold(
        id=row.id,
        organisation=row.organisation,
        url=row.url,
        events=list(row.events),
        created_at=row.created_at,
        disabled_at=row.disabled_at,
    )
