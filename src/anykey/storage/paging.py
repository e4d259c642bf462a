"""Lists by pages: a cursor says after which row the next page begins, so that rows that come and go meanwhile shift nothing.

A cursor is the sort key of the last row told, as base64url of a JSON array. It is opaque to callers and says nothing that the
row itself did not; a list checks what it holds as it would any input.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Select, tuple_

from anykey.storage.errors import StorageError

T = TypeVar("T")
SortKey = tuple[str | int, ...]

LIMIT_DEFAULT, LIMIT_MAX = 100, 1000
_CURSOR_BYTES_MAX = 1024
_BIGGEST = 2**63 - 1


class CursorError(StorageError):
    """What was sent as a cursor is none of this list."""

    def __init__(self) -> None:
        super().__init__("paging.bad_cursor")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some rows of a list in its order. `next` is the cursor of the page after this one; None: this is the last."""

    items: tuple[T, ...]
    next: str | None = None


def cursor_of(key: SortKey) -> str:
    """The cursor of the page that begins after the row with this sort key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def key_in(cursor: str, *types: type[str | int]) -> SortKey:
    """The sort key in `cursor`, one value for each of `types`. Raises CursorError."""
    try:
        if len(cursor) > _CURSOR_BYTES_MAX:
            raise CursorError
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        values = msgspec.json.decode(text, type=list[str | int])
    except (binascii.Error, msgspec.DecodeError, UnicodeError, ValueError):
        raise CursorError from None
    if len(values) != len(types) or not all(map(_fits, values, types)):
        raise CursorError
    return tuple(values)


def page_of(rows: Iterable[T], key: Callable[[T], SortKey], cursor: str | None, limit: int) -> Page[T]:
    """A page of a list that is all here, in the ascending order of its sort keys: up to `limit` rows (1 to LIMIT_MAX).

    `key` gives each row its sort key, always of the same types and never twice the same. Raises CursorError.
    """
    keyed = sorted(((key(row), row) for row in rows), key=lambda pair: pair[0])
    if cursor is not None:
        if not keyed:
            _check_any(cursor)
            return Page(())
        after = key_in(cursor, *(str if isinstance(value, str) else int for value in keyed[0][0]))
        keyed = [pair for pair in keyed if pair[0] > after]
    return page_from([row for _, row in keyed[: _within(limit) + 1]], key, limit)


def page_from(rows: Sequence[T], key: Callable[[T], SortKey], limit: int) -> Page[T]:
    """A page of rows that were read in the list's order: one more than `limit` where there are more."""
    limit = _within(limit)
    shown = tuple(rows[:limit])
    return Page(shown, cursor_of(key(shown[-1])) if len(rows) > limit else None)


def one_page(
    query: Select[*tuple[Any, ...]],
    columns: Sequence[ColumnElement[Any]],
    cursor: str | None,
    limit: int,
    *,
    descending: bool = False,
) -> Select[*tuple[Any, ...]]:
    """`query` in the order of `columns`, which together are unique and never NULL: the rows after `cursor`, one more than
    `limit` (see page_from). Raises CursorError."""
    if cursor is not None:
        types = (int if column.type.python_type is int else str for column in columns)
        after, here = key_in(cursor, *types), tuple_(*columns)
        query = query.where(here < after if descending else here > after)
    order = [column.desc() if descending else column.asc() for column in columns]
    return query.order_by(*order).limit(_within(limit) + 1)


def _check_any(cursor: str) -> None:
    """Raise CursorError where `cursor` is none of any list: an empty list has no sort key to compare it with."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        msgspec.json.decode(text, type=list[str | int])
    except (binascii.Error, msgspec.DecodeError, UnicodeError, ValueError):
        raise CursorError from None


def _fits(value: str | int, wanted: type[str | int]) -> bool:
    """A value of this type that every database takes."""
    if type(value) is not wanted:
        return False
    return "\0" not in value if isinstance(value, str) else -_BIGGEST <= value <= _BIGGEST


def _within(limit: int) -> int:
    return max(1, min(limit, LIMIT_MAX))
