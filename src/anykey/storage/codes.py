"""The codes that can be redeemed, as rows. Functions on a connection work in the transaction that it is in."""

import msgspec
from sqlalchemy import select

from anykey.storage.database import Connection, Database
from anykey.storage.engine import transaction
from anykey.storage.paging import Page, one_page, page_from
from anykey.storage.schema import codes

_COLUMNS = (
    "id, batch, digest, last4, amount_nano, bonus, uses_max, uses, expires_at, created_at, created_by, revoked_at, note"
)
_INSERT = f"INSERT INTO codes ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - our own words
_USE = """UPDATE codes SET uses = uses + 1
WHERE digest = ? AND uses < uses_max AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)
RETURNING id, amount_nano, bonus"""
_FIND = f"SELECT {_COLUMNS} FROM codes WHERE digest = ?"  # noqa: S608 - our own words
_NOTE_USE = """INSERT INTO code_uses (code_id, organisation, at, transfer_id) VALUES (?, ?, ?, ?)
ON CONFLICT (code_id, organisation) DO NOTHING RETURNING code_id"""
_REVOKE = """UPDATE codes SET revoked_at = ?
WHERE (id = ? OR batch = ?) AND revoked_at IS NULL AND uses < uses_max RETURNING id"""


class CodeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A code. `bonus`: nobody paid for it. `uses` of `uses_max`, by as many organisations. Times are Unix seconds."""

    id: str
    batch: str
    digest: bytes
    last4: str
    amount_nano: int
    bonus: bool
    uses_max: int
    uses: int = 0
    expires_at: int | None
    created_at: int
    created_by: str
    revoked_at: int | None = None
    note: str | None


class Used(msgspec.Struct, frozen=True):
    """A code that was just used once more."""

    id: str
    amount_nano: int
    bonus: bool


def insert_codes(connection: Connection, rows: list[CodeRow]) -> None:
    """Keep new codes."""
    connection.executemany(_INSERT, [msgspec.structs.astuple(row) for row in rows])


def use_code(connection: Connection, digest: bytes, now_s: int) -> Used | None:
    """Take one use of the code, if it has one left and is in force; None if not."""
    row = connection.execute(_USE, (digest, now_s)).fetchone()
    return None if row is None else Used(row[0], row[1], bool(row[2]))


def find_code(connection: Connection, digest: bytes) -> CodeRow | None:
    """The code with this digest."""
    row = connection.execute(_FIND, (digest,)).fetchone()
    if row is None:
        return None
    values = dict(zip(CodeRow.__struct_fields__, row, strict=True))
    return msgspec.convert(values, CodeRow, strict=False)  # SQLite's booleans are 0 and 1


def note_use(connection: Connection, use: tuple[str, str, int, str]) -> bool:
    """Keep which organisation used a code: (code, organisation, Unix milliseconds, transfer). False: it had done so before."""
    return connection.execute(_NOTE_USE, use).fetchone() is not None


def revoke_codes(connection: Connection, reference: str, now_s: int) -> list[str]:
    """Take the code, or all codes of the batch, of this name out of force. Returns the ids of those that were."""
    return [row[0] for row in connection.execute(_REVOKE, (now_s, reference, reference))]


def list_codes(database: Database, batch: str | None, cursor: str | None = None, limit: int = 100) -> Page[CodeRow]:
    """The newest first; `batch` None: of all batches."""
    query = select(codes) if batch is None else select(codes).where(codes.c.batch == batch)
    paged = one_page(query, (codes.c.created_at, codes.c.id), cursor, limit, descending=True)
    with transaction(database) as connection:
        rows = [CodeRow(**row) for row in connection.execute(paged).mappings()]
    return page_from(rows, lambda row: (row.created_at, row.id), limit)
