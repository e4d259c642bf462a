"""Members of an organisation, and their roles."""

from typing import Annotated

from fastapi import Query

from anykey.accounts.permissions import MemberRole
from anykey.administration.members import (
    MemberFields,
    create_member,
    find_member,
    list_members,
    remove_member,
    update_member,
)
from anykey.server.admin.rules import Calling, Resource
from anykey.server.admin.shapes import Asked, Filter, Id, Listed, Text, Told, Word, listed, said
from anykey.storage.members import MemberRow
from anykey.storage.paging import page_of

MEMBERS = Resource("members")


class MemberTold(Told):
    """Somebody of an organisation (its id). Times are Unix seconds."""

    id: str
    organisation: str
    team: str | None
    name: str
    email: str | None
    role: MemberRole
    created_at: int
    removed_at: int | None


class MemberFilter(Filter):
    """Those of one organisation (id or name)."""

    organisation: Word | None = None


class MemberSaid(Asked):
    """Null takes an address or a team away. Nobody gives a role that may more than his own."""

    email: Text | None = None
    team: Text | None = None
    role: MemberRole | None = None


class MemberChange(MemberSaid):
    """What is not sent stays."""

    name: Word | None = None


class NewMember(MemberSaid):
    """`organisation`: id or name; not sent: the caller's own. Without a role: `member`."""

    name: Word
    organisation: Word | None = None


@MEMBERS.operation("GET", "/admin/v1/members", permission="members:read")
def members_list(caller: Calling, query: Annotated[MemberFilter, Query()]) -> Listed[MemberTold]:
    """List the members, oldest first, removed ones too."""
    rows = list_members(caller.home, organisation=query.organisation, actor=caller.actor)
    return listed(page_of(rows, lambda row: (row.created_at, row.id), query.cursor, query.limit), told)


@MEMBERS.operation("POST", "/admin/v1/members", permission="members:write", status=201)
def members_create(caller: Calling, body: NewMember) -> MemberTold:
    """Add somebody."""
    fields = MemberFields(**said(body, email="", team="", role=None))
    return told(
        create_member(caller.home, body.name, organisation=body.organisation, fields=fields, actor=caller.actor)
    )


@MEMBERS.operation("GET", "/admin/v1/members/{id}", permission="members:read")
def members_get(caller: Calling, id: Id) -> MemberTold:  # noqa: A002 - the name in the path
    """Show one."""
    return told(find_member(caller.home, id, actor=caller.actor))


@MEMBERS.operation("PATCH", "/admin/v1/members/{id}", permission="members:write")
def members_update(caller: Calling, id: Id, body: MemberChange) -> MemberTold:  # noqa: A002 - the name in the path
    """Change what is sent; in force within a second."""
    fields = MemberFields(**said(body, name=None, email="", team="", role=None))
    return told(update_member(caller.home, id, fields, actor=caller.actor))


@MEMBERS.operation("DELETE", "/admin/v1/members/{id}", permission="members:write")
def members_remove(caller: Calling, id: Id) -> MemberTold:  # noqa: A002 - the name in the path
    """End the use of all their keys at once."""
    return told(remove_member(caller.home, id, actor=caller.actor))


def told(row: MemberRow) -> MemberTold:
    """The member."""
    return MemberTold(
        id=row.id,
        organisation=row.organisation,
        team=row.team,
        name=row.name,
        email=row.email,
        role=row.role,
        created_at=row.created_at,
        removed_at=row.removed_at,
    )
