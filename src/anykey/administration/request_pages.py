"""Single calls for whoever may see them: by pages, and never more than the actor's own.

Law: every question here goes through `sight`. What it narrows cannot be widened by a filter, and what lies outside is told as
what is not there.
"""

from __future__ import annotations

import msgspec

from anykey.accounts.permissions import WITHIN, Actor, Permission, require
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.storage.exchange_pages import ExchangeFilter, page_of_exchanges
from anykey.storage.paging import Page
from anykey.storage.records import ExchangeRow


def page_of_requests(
    home: Home, only: ExchangeFilter, cursor: str | None, limit: int, *, actor: Actor
) -> Page[ExchangeRow]:
    """A page of the calls that `actor` may see, the newest first. Raises Forbidden, CursorError."""
    return page_of_exchanges(home.database, sight(only, "requests:read", actor), cursor, limit)


def find_request(home: Home, request_id: str, *, actor: Actor) -> ExchangeRow:
    """The call with this id. Raises AdministrationError where there is none that `actor` may see."""
    return _one(home, sight(ExchangeFilter(id=request_id), "requests:read", actor), request_id)


def find_own_request(home: Home, request_id: str, key_id: str) -> ExchangeRow:
    """The call with this id that was made with this very key. Raises AdministrationError where there is none."""
    return _one(home, ExchangeFilter(id=request_id, key_ids=(key_id,)), request_id)


def sight(only: ExchangeFilter, permission: Permission, actor: Actor) -> ExchangeFilter:
    """`only`, narrowed to what `actor` may see: everything, its organisation's, or its own. Raises Forbidden."""
    if actor.is_operator:
        return only
    require(actor, permission, actor.organisation, actor.member_id)
    member_id = None if permission in WITHIN[actor.role] else actor.member_id
    return msgspec.structs.replace(only, organisation=actor.organisation, member_id=member_id)


def _one(home: Home, only: ExchangeFilter, request_id: str) -> ExchangeRow:
    found = page_of_exchanges(home.database, only, None, 1).items
    if not found:
        raise AdministrationError("requests.not_found", id=request_id)
    return found[0]
