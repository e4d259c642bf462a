"""Organisations: who pays."""

from anykey.administration.organisations import (
    OrganisationFields,
    close_organisation,
    create_organisation,
    find_organisation,
    list_organisations,
    update_organisation,
)
from anykey.server.admin.rules import Calling, Resource
from anykey.server.admin.shapes import (
    Asked,
    Globs,
    Id,
    Listed,
    Paged,
    Told,
    Usd,
    Word,
    listed,
    nano,
    said,
    strings,
    usd,
)
from anykey.storage.organisations import OrganisationRow
from anykey.storage.paging import page_of

ORGANISATIONS = Resource("organisations")


class OrganisationTold(Told):
    """`prepaid`: its calls need credit. `allowed_models`: globs; null: all. Times are Unix seconds."""

    id: str
    name: str
    prepaid: bool
    allowed_models: list[str] | None
    low_balance_nano: int | None
    low_balance_usd: str | None
    created_at: int
    closed_at: int | None


class OrganisationSaid(Asked):
    """Null takes away a list or an amount. Only operators write `prepaid` and `allowed_models`."""

    prepaid: bool | None = None
    allowed_models: Globs | None = None
    low_balance_usd: Usd | None = None


class OrganisationChange(OrganisationSaid):
    """What is not sent stays."""

    name: Word | None = None


class NewOrganisation(OrganisationSaid):
    """A name is all it needs."""

    name: Word


@ORGANISATIONS.operation("GET", "/admin/v1/organisations", permission="organisations:read")
def organisations_list(caller: Calling, query: Paged) -> Listed[OrganisationTold]:
    """List the organisations, oldest first, closed ones too."""
    rows = list_organisations(caller.home, actor=caller.actor)
    return listed(page_of(rows, lambda row: (row.created_at, row.id), query.cursor, query.limit), told)


@ORGANISATIONS.operation("POST", "/admin/v1/organisations", permission="organisations:create", status=201)
def organisations_create(caller: Calling, body: NewOrganisation) -> OrganisationTold:
    """Make an organisation."""
    return told(create_organisation(caller.home, body.name, fields=_fields(body), actor=caller.actor))


@ORGANISATIONS.operation("GET", "/admin/v1/organisations/{organisation}", permission="organisations:read")
def organisations_get(caller: Calling, organisation: Id) -> OrganisationTold:
    """Show one, by id or name."""
    return told(find_organisation(caller.home, organisation, actor=caller.actor))


@ORGANISATIONS.operation("PATCH", "/admin/v1/organisations/{organisation}", permission="organisations:write")
def organisations_update(caller: Calling, organisation: Id, body: OrganisationChange) -> OrganisationTold:
    """Change what is sent; in force within a second."""
    return told(update_organisation(caller.home, organisation, _fields(body), actor=caller.actor))


@ORGANISATIONS.operation("DELETE", "/admin/v1/organisations/{organisation}", permission="organisations:create")
def organisations_close(caller: Calling, organisation: Id) -> OrganisationTold:
    """End the use of all its keys at once. What it owes and has stays in the ledger."""
    return told(close_organisation(caller.home, organisation, actor=caller.actor))


def told(row: OrganisationRow) -> OrganisationTold:
    """The organisation."""
    return OrganisationTold(
        id=row.id,
        name=row.name,
        prepaid=row.prepaid,
        allowed_models=strings(row.allowed_models),
        low_balance_nano=row.low_balance_nano,
        low_balance_usd=usd(row.low_balance_nano),
        created_at=row.created_at,
        closed_at=row.closed_at,
    )


def _fields(body: NewOrganisation | OrganisationChange) -> OrganisationFields:
    fields = said(body, name=None, prepaid=None, allowed_models=())
    if "low_balance_usd" in body.model_fields_set:
        low = body.low_balance_usd
        fields["low_balance_nano"] = -1 if low is None else nano(low, "low_balance_usd")
    return OrganisationFields(**fields)
