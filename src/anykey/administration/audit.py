"""The audit log as operators read it: its entries, newest first, and whether it is whole."""

import re

from anykey.accounts.permissions import LOCAL, Actor, require
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.storage import audit as stored
from anykey.storage.audit import Chain, Entry
from anykey.storage.key_changes import reading

LIMIT_MOST = 1000
_SEQ_DIGITS = 18
_HASH = re.compile(r"[0-9a-fA-F]{64}")


def list_entries(home: Home, *, limit: int = 100, before_seq: int | None = None, actor: Actor = LOCAL) -> list[Entry]:
    """The newest entries, those of his organisation for who is not an operator; `before_seq`: only older ones than this."""
    require(actor, "audit:read", actor.organisation)
    most = min(max(limit, 1), LIMIT_MOST)
    return reading(home.database, lambda connection: stored.newest(connection, actor.organisation, before_seq, most))


def verify_chain(home: Home, *, expect: str | None = None, actor: Actor = LOCAL) -> Chain:
    """Walk the whole log and say whether every entry is as it was written.

    `expect`: a head that an earlier check told (`SEQ:HASH`, in hexadecimal) and that was kept elsewhere; it must be in the log
    still, which even somebody who can write to the whole database cannot bring about. Raises AdministrationError.
    """
    require(actor, "audit:read", None)
    if expect is None:
        return reading(home.database, stored.verify)
    seq, _, text = expect.partition(":")
    if not seq.isdecimal() or len(seq) > _SEQ_DIGITS or not _HASH.fullmatch(text):
        raise AdministrationError("audit.bad_head")
    return reading(home.database, lambda connection: stored.verify(connection, (int(seq), bytes.fromhex(text))))
