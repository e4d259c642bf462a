"""What was said in single calls: read by those who may, and forgotten on demand.

Law: whoever reads leaves an entry in the audit log, in the transaction that reads; without the entry there is nothing to see.
What an actor may not read is told as what is not there.
"""

import base64
import codecs
import time
from contextlib import closing
from typing import Any

from anykey.accounts.permissions import LOCAL, Actor, may, require
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.administration.key_lookup import key_for
from anykey.administration.tenants import note
from anykey.storage.database import Connection, whole
from anykey.storage.errors import DatabaseError, StorageError
from anykey.storage.exchange_bodies import (
    ALL_TIMES_MS,
    BrokenBodiesError,
    ExchangeBodies,
    Side,
    find_bodies,
    forget_bodies,
    opened,
)
from anykey.storage.key_reading import read_keys
from anykey.storage.writing import writing


def read_bodies(home: Home, request_id: str, *, actor: Actor = LOCAL) -> ExchangeBodies:
    """What the call with this `x-anykey-request-id` asked and was answered. Raises Forbidden; AdministrationError where nothing
    is kept of it, or nothing that `actor` may read, or it cannot be opened."""
    require(actor, "bodies:read", actor.organisation)

    def read(connection: Connection) -> ExchangeBodies:
        found = find_bodies(connection, request_id.strip(), int(time.time()))
        if found is None or not _may_read(connection, actor, found):
            raise AdministrationError("bodies.not_found", id=request_id)
        target = ("request", found.id, found.organisation)
        note(connection, actor, "bodies.read", target, (None, {"key": found.key_id}))
        return found

    found = writing(home.database, read)
    try:
        return opened(found, home.pepper)
    except BrokenBodiesError as error:
        raise AdministrationError("bodies.broken", id=request_id, reason=error) from error


def forget(home: Home, *, key: str | None = None, before_ms: int | None = None, actor: Actor = LOCAL) -> int:
    """Delete what is kept of the calls of `key` (see find_key; None: of all keys) before `before_ms` (Unix ms; None: until now),
    in batches. Returns of how many calls. The calls themselves stay."""
    require(actor, "settings:write", None)
    total = 0
    try:
        with closing(home.database.connect()) as connection:
            key_id = None if key is None else key_for(connection, key, actor).id
            end_ms = ALL_TIMES_MS if before_ms is None else before_ms
            said = {"key": key_id, "before_ms": before_ms}
            with whole(connection):  # first, so that nothing is ever gone without it
                note(connection, actor, "bodies.forget", ("database", "bodies", None), (said, None))
            while True:
                with whole(connection):
                    gone = forget_bodies(connection, key_id, end_ms)
                total += gone
                if gone == 0:
                    break
    except DatabaseError as error:
        raise StorageError("storage.failed", path=home.database.name, reason=error) from error
    return total


def spelled(bodies: ExchangeBodies, side: Side) -> dict[str, Any]:
    """One side for a program: `text`, or `base64` where it is no UTF-8; `bytes` it had, and whether it is `cut`. A character
    that was cut in the middle is left out."""
    data, size = (bodies.request, bodies.request_bytes) if side == "request" else (bodies.answer, bodies.answer_bytes)
    cut = bodies.is_cut(side)
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(data, final=not cut)
    except UnicodeDecodeError:
        return {"text": None, "base64": base64.b64encode(data).decode(), "bytes": size, "cut": cut}
    return {"text": text, "base64": None, "bytes": size, "cut": cut}


def _may_read(connection: Connection, actor: Actor, found: ExchangeBodies) -> bool:
    """Operators' keys are no business of an organisation, even where they are counted to it; neither is a key that is gone."""
    if actor.is_operator:
        return True
    key = read_keys(connection).get(found.key_id)
    return key is not None and not key.operator and may(actor, "bodies:read", found.organisation)
