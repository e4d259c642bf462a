"""Stored credentials: what upstreams issued to us. A value goes in and never comes out again."""

from typing import Annotated

from fastapi import Query
from pydantic import Field, StringConstraints

from anykey.administration.credentials import (
    TEXT_BYTES_MAX,
    WEIGHT_MAX,
    add_credential,
    check_credentials,
    list_credentials,
    remove_credential,
    weigh_credential,
)
from anykey.server.admin.configuration import settings_now, settings_without_stored
from anykey.server.admin.refusals import missing
from anykey.server.admin.rules import Calling, Resource
from anykey.server.admin.shapes import Asked, Filter, Id, Listed, Told, Word, listed
from anykey.storage.configuration import CredentialRow
from anykey.storage.paging import page_of

CREDENTIALS = Resource("credentials")
Weight = Annotated[int, Field(ge=1, le=WEIGHT_MAX)]


class CredentialTold(Told):
    """`last4`: the last characters of a long secret, empty for others. `origin`: the only place that it is sent to."""

    id: str
    provider: str
    label: str
    weight: int
    origin: str
    last4: str
    created_at: int


class CredentialFilter(Filter):
    """Those of one provider."""

    provider: Word | None = None


class NewCredential(Asked):
    """`secret` is sealed under the master key before it is kept."""

    provider: Word
    secret: Annotated[str, StringConstraints(min_length=1, max_length=TEXT_BYTES_MAX)]
    label: Word | None = None
    weight: Weight = 1


class CredentialChange(Asked):
    """The share of calls that it gets, beside the others of its provider."""

    weight: Weight


class CredentialChecked(Told):
    """`fault`: why it cannot be used, as a code; null: it can."""

    credential: CredentialTold
    fault: str | None


class CredentialsChecked(Told):
    """Every stored credential."""

    items: list[CredentialChecked]


@CREDENTIALS.operation("GET", "/admin/v1/credentials", permission="credentials:read")
def credentials_list(caller: Calling, query: Annotated[CredentialFilter, Query()]) -> Listed[CredentialTold]:
    """List the stored credentials by provider and label."""
    rows = [row for row in list_credentials(caller.home) if query.provider in (None, row.provider)]
    return listed(page_of(rows, lambda row: (row.provider, row.label), query.cursor, query.limit), told)


@CREDENTIALS.operation("POST", "/admin/v1/credentials", permission="credentials:write", status=201)
def credentials_add(caller: Calling, body: NewCredential) -> CredentialTold:
    """Seal and keep a credential for a provider."""
    settings = settings_now(caller)
    row = add_credential(
        caller.home,
        settings,
        body.provider,
        body.secret,
        label=body.label,
        weight=body.weight,
        actor=caller.actor,
    )
    return told(row)


@CREDENTIALS.operation("GET", "/admin/v1/credentials/check", permission="credentials:read")
def credentials_check(caller: Calling) -> CredentialsChecked:
    """Open each credential, and say whether it may still be sent where its provider now is."""
    checked = check_credentials(caller.home, settings_without_stored(caller))
    return CredentialsChecked(
        items=[
            CredentialChecked(credential=told(one.row), fault=None if one.fault is None else one.fault[0])
            for one in checked
        ]
    )


@CREDENTIALS.operation("GET", "/admin/v1/credentials/{id}", permission="credentials:read")
def credentials_get(caller: Calling, id: Id) -> CredentialTold:  # noqa: A002 - the name in the path
    """Show one credential."""
    return told(_find(caller, id))


@CREDENTIALS.operation("PATCH", "/admin/v1/credentials/{id}", permission="credentials:write")
def credentials_weigh(caller: Calling, id: Id, body: CredentialChange) -> CredentialTold:  # noqa: A002
    """Give a credential another weight."""
    return told(weigh_credential(caller.home, _find(caller, id).id, body.weight, actor=caller.actor))


@CREDENTIALS.operation("DELETE", "/admin/v1/credentials/{id}", permission="credentials:write")
def credentials_remove(caller: Calling, id: Id) -> CredentialTold:  # noqa: A002
    """Forget a credential. Answers with what it was."""
    return told(remove_credential(caller.home, _find(caller, id).id, actor=caller.actor))


def told(row: CredentialRow) -> CredentialTold:
    """The row without its sealed bytes."""
    return CredentialTold(
        id=row.id,
        provider=row.provider,
        label=row.label,
        weight=row.weight,
        origin=f"{row.scheme}://{row.host}:{row.port}",
        last4=row.last4,
        created_at=row.created_at,
    )


def _find(caller: Calling, identity: str) -> CredentialRow:
    """By its id alone: a label may pass to another credential between two calls."""
    for row in list_credentials(caller.home):
        if row.id == identity:
            return row
    raise missing("credentials.not_found", f"No stored credential has the id {identity!r}.")
