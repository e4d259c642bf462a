"""Create, list, change and close organisations: who pays. An operator makes and prices them."""

import secrets
import time

import msgspec

from anykey.accounts.permissions import LOCAL, Actor, Permission, require
from anykey.accounts.purse import DEFAULT_ORGANISATION
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.administration.tenants import good_globs, good_name, note, organisation_for, organisations_for
from anykey.storage.database import Connection
from anykey.storage.key_changes import changing_keys, reading
from anykey.storage.organisations import OrganisationRow, keep_organisation, read_organisations

AMOUNT_MOST_NANO = 10**18


class OrganisationFields(msgspec.Struct, frozen=True, kw_only=True):
    """What may be said of an organisation; None: nothing is. An empty list and a negative amount take away what was said."""

    name: str | None = None
    prepaid: bool | None = None
    allowed_models: tuple[str, ...] | None = None
    low_balance_nano: int | None = None


FIELD_PERMISSIONS: dict[str, Permission] = {
    "name": "organisations:create",
    "low_balance_nano": "organisations:write",
    "prepaid": "organisations:price",
    "allowed_models": "organisations:price",
}
"""What it takes to write a field. Names are unique, so who may rename can find out those of others: an operator only."""

NOTHING_SAID = OrganisationFields()


def create_organisation(
    home: Home, name: str, *, fields: OrganisationFields = NOTHING_SAID, actor: Actor = LOCAL
) -> OrganisationRow:
    """Make an organisation. Its name is nobody else's."""

    def change(connection: Connection) -> OrganisationRow:
        require(actor, "organisations:create", None)
        row = OrganisationRow(f"org_{secrets.token_hex(6)}", "", created_at=int(time.time()))
        row = _with(connection, row, msgspec.structs.replace(fields, name=name), actor)
        keep_organisation(connection, row)
        note(connection, actor, "organisations.create", _target(row), (None, msgspec.structs.asdict(row)))
        return row

    return changing_keys(home.database, change)


def list_organisations(home: Home, *, actor: Actor = LOCAL) -> list[OrganisationRow]:
    """All that the actor may see, oldest first, closed ones too."""
    return reading(home.database, lambda connection: organisations_for(connection, actor))


def find_organisation(home: Home, reference: str, *, actor: Actor = LOCAL) -> OrganisationRow:
    """The one of this id or name. Raises AdministrationError."""
    return reading(home.database, lambda connection: organisation_for(connection, reference, actor))


def update_organisation(
    home: Home, reference: str, fields: OrganisationFields, *, actor: Actor = LOCAL
) -> OrganisationRow:
    """Change what is said and leave the rest; in force within a second."""

    def change(connection: Connection) -> OrganisationRow:
        before = organisation_for(connection, reference, actor)
        require(actor, "organisations:write", before.id)
        if before.closed_at is not None:
            raise AdministrationError("organisations.closed", organisation=before.name)
        after = _with(connection, before, fields, actor)
        keep_organisation(connection, after)
        _note_change(connection, actor, "organisations.update", before, after)
        return after

    return changing_keys(home.database, change)


def close_organisation(home: Home, reference: str, *, actor: Actor = LOCAL) -> OrganisationRow:
    """End the use of all keys of the organisation at once. What it owes and has stays in the ledger. The default one stays open:
    operators' keys are of it."""

    def change(connection: Connection) -> OrganisationRow:
        before = organisation_for(connection, reference, actor)
        require(actor, "organisations:create", before.id)
        if before.id == DEFAULT_ORGANISATION:
            raise AdministrationError("organisations.default_stays")
        if before.closed_at is not None:
            raise AdministrationError("organisations.closed", organisation=before.name)
        after = msgspec.structs.replace(before, closed_at=int(time.time()))
        keep_organisation(connection, after)
        _note_change(connection, actor, "organisations.close", before, after)
        return after

    return changing_keys(home.database, change)


def _with(connection: Connection, row: OrganisationRow, fields: OrganisationFields, actor: Actor) -> OrganisationRow:
    """The row with what is said on top."""
    said = {name: value for name, value in msgspec.structs.asdict(fields).items() if value is not None}
    for name in said:
        require(actor, FIELD_PERMISSIONS[name], row.id)
    if "name" in said:
        said["name"] = name = good_name(said["name"])
        if any(name in (other.name, other.id) and other.id != row.id for other in read_organisations(connection)):
            raise AdministrationError("organisations.name_taken", name=name)
    if "allowed_models" in said:
        said["allowed_models"] = good_globs(said["allowed_models"])
    if (low := said.get("low_balance_nano")) is not None:
        if low > AMOUNT_MOST_NANO:
            raise AdministrationError("budgets.bad_limit")
        said["low_balance_nano"] = None if low < 0 else low
    return msgspec.structs.replace(row, **said)


def _target(row: OrganisationRow) -> tuple[str, str, str]:
    return "organisation", row.id, row.id


def _note_change(
    connection: Connection, actor: Actor, action: str, before: OrganisationRow, after: OrganisationRow
) -> None:
    values = (msgspec.structs.asdict(before), msgspec.structs.asdict(after))
    note(connection, actor, action, _target(before), values)
