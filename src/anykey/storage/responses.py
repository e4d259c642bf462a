"""Responses as they are kept: the object that the client was told, the new input of its request, where its items are.

Every question names the key: what belongs to another key is not found, exactly as what does not exist. These are functions on an
open connection, for ``shelf.Shelf`` to run. SQL by hand, since the serving process does not load SQLAlchemy.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from anykey.storage.database import Connection
from anykey.storage.packing import pack, unpack

UNFINISHED = ("queued", "in_progress")
LONGEST_CHAIN = 10_000
SWEEP_ROWS = 200
"""Rows deleted in one transaction, so that other writers get their turn."""


class StoredResponse(msgspec.Struct, frozen=True, kw_only=True):
    """One response of one key. Times are Unix seconds.

    ``response`` is its JSON object, ``input`` the JSON array of the items that its request added, ``item_ids`` the ids by which
    the items of both can be referred to. ``events`` are the server-sent events of a background response. ``previous_id`` and
    ``conversation_id`` say what came before. ``deployment`` is set where the provider keeps the state and we only know where,
    ``process`` where one still works on it.
    """

    id: str
    key_id: str
    created_at: int
    expires_at: int
    status: str
    previous_id: str | None = None
    conversation_id: str | None = None
    deployment: str | None = None
    process: str | None = None
    background: bool = False
    response: bytes = b""
    input: bytes = b""
    events: bytes = b""
    item_ids: tuple[str, ...] = ()


class BrokenChain(NamedTuple):
    """``missing`` is the response that is not there (any more)."""

    missing: str


_NAMES = tuple(name for name in StoredResponse.__struct_fields__ if name != "item_ids")
_COLUMNS = ", ".join(_NAMES)
_PUT = f"""INSERT INTO responses ({_COLUMNS}) VALUES ({", ".join("?" * len(_NAMES))}) ON CONFLICT (key_id, id)
DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _NAMES[2:])}"""  # noqa: S608 our own names
_FIND = f"SELECT {_COLUMNS} FROM responses WHERE key_id = ? AND id = ?"  # noqa: S608 our own names


def put_response(connection: Connection, stored: StoredResponse) -> None:
    """Keep a response, in the place of what was kept under its id."""
    connection.execute(
        _PUT,
        (
            stored.id,
            stored.key_id,
            stored.created_at,
            stored.expires_at,
            stored.status,
            stored.previous_id,
            stored.conversation_id,
            stored.deployment,
            stored.process,
            stored.background,
            pack(stored.response),
            pack(stored.input),
            pack(stored.events),
        ),
    )
    connection.executemany(
        "INSERT INTO response_items (key_id, item_id, response_id) VALUES (?, ?, ?) "
        "ON CONFLICT (key_id, item_id) DO UPDATE SET response_id = excluded.response_id",
        [(stored.key_id, item_id, stored.id) for item_id in stored.item_ids],
    )


def find_response(connection: Connection, key_id: str, response_id: str, now: int) -> StoredResponse | None:
    """The response, None where this key has none of that id or its time is over."""
    found = _find(connection, key_id, response_id)
    return found if found is not None and found.expires_at > now else None


def find_chain(connection: Connection, key_id: str, response_id: str, now: int) -> list[StoredResponse] | BrokenChain:
    """The response and all that it continued, the oldest first. What a response continues lives as long as it does.

    Of each response object only ``output`` is there: the rest repeats the options of its request, which may be as large as a
    body, once for each link.
    """
    found = find_response(connection, key_id, response_id, now)
    chain: list[StoredResponse] = []
    met: set[str] = set()  # ids are the upstream's: one that gives the same twice would make the chain a circle
    while found is not None and len(chain) < LONGEST_CHAIN and found.id not in met:
        met.add(found.id)
        chain.append(_said(found))
        if found.previous_id is None:
            return chain[::-1]
        response_id = found.previous_id
        found = _find(connection, key_id, response_id)
    return BrokenChain(response_id)


def find_item_home(connection: Connection, key_id: str, item_id: str, now: int) -> StoredResponse | None:
    """The response that an item came with."""
    query = "SELECT response_id FROM response_items WHERE key_id = ? AND item_id = ?"
    row = connection.execute(query, (key_id, item_id)).fetchone()
    return None if row is None else find_response(connection, key_id, row[0], now)


def delete_response(connection: Connection, key_id: str, response_id: str, now: int) -> bool:
    """Forget the response and its items. False where there is none."""
    if find_response(connection, key_id, response_id, now) is None:
        return False
    _delete(connection, [(key_id, response_id)])
    return True


def find_unfinished(connection: Connection, *, abandoned: bool = False) -> list[StoredResponse]:
    """Background responses that were never brought to an end; with ``abandoned`` those of processes that live no more."""
    query = f"SELECT {_COLUMNS} FROM responses WHERE status IN (?, ?)"  # noqa: S608 our own names
    if abandoned:
        query += " AND NOT EXISTS (SELECT 1 FROM processes WHERE processes.id = responses.process)"
    return [_stored(row) for row in connection.execute(query, UNFINISHED)]


def sweep_responses(connection: Connection, now: int) -> int:
    """Delete some responses whose time is over and that no living one continues. Returns how many; 0: none is left."""
    query = (
        "SELECT key_id, id FROM responses AS old WHERE expires_at <= ? AND NOT EXISTS "
        "(SELECT 1 FROM responses AS next WHERE next.key_id = old.key_id AND next.previous_id = old.id) LIMIT ?"
    )
    over = connection.execute(query, (now, SWEEP_ROWS)).fetchall()
    _delete(connection, over)
    return len(over)


def _delete(connection: Connection, names: list[tuple[str, str]]) -> None:
    connection.executemany("DELETE FROM response_items WHERE key_id = ? AND response_id = ?", names)
    connection.executemany("DELETE FROM responses WHERE key_id = ? AND id = ?", names)


class _Output(msgspec.Struct):
    output: msgspec.Raw = msgspec.Raw(b"[]")


def _said(stored: StoredResponse) -> StoredResponse:
    """The response with nothing but what was said in it."""
    try:
        said = msgspec.json.decode(stored.response, type=_Output)
    except msgspec.DecodeError:
        said = _Output()  # it is at its provider, and the object is empty
    output = _Output(msgspec.Raw(bytes(said.output)))  # a copy: a Raw keeps all it was read from in memory
    return msgspec.structs.replace(stored, response=msgspec.json.encode(output), events=b"")


def _find(connection: Connection, key_id: str, response_id: str) -> StoredResponse | None:
    row = connection.execute(_FIND, (key_id, response_id)).fetchone()
    return None if row is None else _stored(row)


def _stored(row: tuple[Any, ...]) -> StoredResponse:
    *plain, background, response, new_input, events = row
    names = StoredResponse.__struct_fields__
    return StoredResponse(
        **dict(zip(names, plain, strict=False)),
        background=bool(background),
        response=unpack(response),
        input=unpack(new_input),
        events=unpack(events),
    )
