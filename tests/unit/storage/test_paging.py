"""Lists by pages: every row once, whatever comes and goes meanwhile, and no cursor that can break anything."""

import base64

import pytest
from sqlalchemy import insert, select

from anykey.storage.database import Database
from anykey.storage.engine import transaction
from anykey.storage.paging import LIMIT_MAX, CursorError, Page, SortKey, cursor_of, key_in, one_page, page_from, page_of
from anykey.storage.schema import configs

WRONG = [
    "",
    "zzz",
    "é",
    "W10",
    cursor_of(("a",)),
    cursor_of((1, 2)),
    cursor_of(("a\0", 1)),
    cursor_of(("a", 2**63)),
    "x" * 5000,
    *(
        base64.urlsafe_b64encode(text).decode()
        for text in (b"[null,1]", b'{"a":1}', b"[1.5,1]", b'["a",true]', b"[[]]")
    ),
]


def by_itself(n: int) -> SortKey:
    return (n,)


def test_a_cursor_holds_a_sort_key() -> None:
    for key in (("a", 1), ("", -1), ("ü/+", 2**63 - 1)):
        cursor = cursor_of(key)
        assert key_in(cursor, str, int) == key
        assert cursor.isascii()
        assert not set(cursor) & set("+/=")


@pytest.mark.parametrize("cursor", WRONG)
def test_what_is_no_cursor_of_the_list_is_refused(cursor: str) -> None:
    with pytest.raises(CursorError):
        key_in(cursor, str, int)


def test_pages_of_a_list_that_is_all_here() -> None:
    first = page_of([5, 3, 1, 4, 2], by_itself, None, 2)
    assert first.items == (1, 2)
    assert first.next is not None
    assert page_of([5, 3, 1, 4], by_itself, first.next, 2).items == (3, 4), "2 is gone, and nothing is left out"
    assert page_of([5, 3, 4], by_itself, first.next, 3) == Page((3, 4, 5))
    assert page_of([], by_itself, first.next, 2) == Page(())
    with pytest.raises(CursorError):
        page_of([], by_itself, "zzz", 2)
    with pytest.raises(CursorError):
        page_of(["a"], lambda text: (text,), first.next, 2)


def test_a_limit_is_kept_within_bounds() -> None:
    assert len(page_of(range(2 * LIMIT_MAX), by_itself, None, 10**9).items) == LIMIT_MAX
    assert page_of(range(5), by_itself, None, 0).items == (0,)
    assert page_from([1, 2, 3], by_itself, 3).next is None


@pytest.mark.parametrize("descending", [False, True])
def test_pages_of_a_table(database: Database, descending: bool) -> None:
    rows = [
        {"name": name, "version": version, "body": "{}", "created_at": 0} for name in "abc" for version in (1, 2, 10)
    ]
    with transaction(database) as connection:
        connection.execute(insert(configs), rows)
    columns = (configs.c.name, configs.c.version)
    found: list[SortKey] = []
    cursor: str | None = None
    while True:
        with transaction(database) as connection:
            query = one_page(select(*columns), columns, cursor, 4, descending=descending)
            page = page_from([(row.name, row.version) for row in connection.execute(query)], lambda row: row, 4)
        found += page.items
        cursor = page.next
        if cursor is None:
            break
    assert found == sorted(((row["name"], row["version"]) for row in rows), reverse=descending)  # type: ignore[arg-type,return-value] - texts and numbers
