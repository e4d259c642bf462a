"""What each try came to, as JSON text and back."""

import json

from anykey.conversation.failures import Failure
from anykey.storage.attempts import MOST_RECORDS, Place, answered, as_text, failed, read_text, skipped

PLACE = Place("lab/m", "lab#a", "openai_chat")
LIMITED = Failure("rate_limited", "slow down " * 100, retry_after_s=7.5, upstream_status=429)


def test_there_and_back() -> None:
    records = [
        skipped(PLACE, 1, "it rests", LIMITED, 3.14159),
        failed(PLACE, 1, 2, 30, LIMITED),
        answered(PLACE, 2, 33, 400, 200),
    ]
    text = as_text(records)
    assert text is not None
    assert read_text(text) == records
    assert [one["outcome"] for one in json.loads(text)] == ["skipped", "failed", "answered"]
    assert (records[0].number, records[0].failure, records[0].retry_after_s) == (0, "rate_limited", 3.142)
    assert (records[1].status, records[1].retry_after_s, len(records[1].reason or "")) == (429, 7.5, 300)
    assert (records[2].status, records[2].credential, records[2].protocol) == (200, "lab#a", "openai_chat")


def test_nothing_is_no_text() -> None:
    assert as_text([]) is None
    assert read_text(None) == []


def test_a_row_holds_so_many() -> None:
    many = [skipped(Place(f"lab/{number}"), 0, "it rests") for number in range(1000)]
    assert len(read_text(as_text(many))) == MOST_RECORDS
