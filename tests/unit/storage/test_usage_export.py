"""Calls come out whole and in order, however small the pages."""

from itertools import chain

import msgspec
import pytest

from anykey.storage.database import Database
from anykey.storage.usage_export import newest_calls, pages_of_calls
from anykey.storage.usage_question import UsageQuestion
from tests.unit.storage.test_exchanges import FIRST, SECOND, THIRD
from tests.unit.storage.usage_calls import write

SAME = [msgspec.structs.replace(FIRST, id=f"same{number}", at=SECOND.at) for number in range(5)]


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_all_calls_by_pages(database: Database, rows: int) -> None:
    write(database, [FIRST, SECOND, THIRD, *SAME])
    pages = list(pages_of_calls(database, UsageQuestion(), rows))
    assert list(chain(*pages)) == [FIRST, SECOND, *SAME, THIRD]
    assert {len(page) for page in pages[:-1]} <= {rows}
    assert all(pages)


def test_those_that_are_asked_for(database: Database) -> None:
    write(database, [FIRST, SECOND, THIRD])
    question = UsageQuestion(since_ms=FIRST.at + 1, where=(("client", ("aider",)), ("status", ("4xx",))))
    assert list(pages_of_calls(database, question)) == [[THIRD]]
    assert newest_calls(database, question, 5) == [THIRD]
    assert newest_calls(database, UsageQuestion(until_ms=THIRD.at), 2) == [SECOND, FIRST]
    assert list(pages_of_calls(database, UsageQuestion(since_ms=THIRD.at + 1))) == []
