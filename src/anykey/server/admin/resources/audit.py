"""The audit log: every change, who made it, and whether the log is whole."""

import json
from typing import Any

from anykey.administration.audit import LIMIT_MOST, list_entries, verify_chain
from anykey.server.admin.rules import Calling, Resource
from anykey.server.admin.shapes import Listed, Paged, Told, listed
from anykey.storage.audit import Entry
from anykey.storage.paging import key_in, page_from

AUDIT = Resource("audit")


class EntryTold(Told):
    """One change. `at_ms` is Unix milliseconds; `before` and `after` are the values that differ, secrets masked; `hash` covers
    the entry and the hash of the one before it."""

    seq: int
    at_ms: int
    actor: str
    action: str
    target_kind: str
    target: str
    organisation: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    hash: str


class ChainTold(Told):
    """How many entries are right from the first on, and the hash of the last of these; then the first that is not, and why. Keep
    `head` somewhere else: who can write the whole database can forge a whole log."""

    whole: bool
    entries: int
    head: str
    broken_at: int | None
    reason: str | None


@AUDIT.operation("GET", "/admin/v1/audit", permission="audit:read")
def audit_list(caller: Calling, query: Paged) -> Listed[EntryTold]:
    """List changes, the newest first."""
    before = None if query.cursor is None else key_in(query.cursor, int)[0]
    seq = None if before is None else int(before)
    limit = min(query.limit, LIMIT_MOST - 1)
    rows = list_entries(caller.home, limit=limit + 1, before_seq=seq, actor=caller.actor)
    return listed(page_from(rows, lambda row: (row.seq,), limit), told)


@AUDIT.operation("GET", "/admin/v1/audit/verify", permission="operate")
def audit_verify(caller: Calling) -> ChainTold:
    """Walk the whole log, which is one for all organisations."""
    chain = verify_chain(caller.home, actor=caller.actor)
    return ChainTold(
        whole=chain.broken_at is None,
        entries=chain.entries,
        head=chain.head.hex(),
        broken_at=chain.broken_at,
        reason=chain.reason,
    )


def told(entry: Entry) -> EntryTold:
    """The entry."""
    return EntryTold(
        seq=entry.seq,
        at_ms=entry.at,
        actor=entry.actor,
        action=entry.action,
        target_kind=entry.target_kind,
        target=entry.target,
        organisation=entry.organisation,
        before=None if entry.before is None else json.loads(entry.before),
        after=None if entry.after is None else json.loads(entry.after),
        hash=entry.hash.hex(),
    )
