"""What a query says of a call."""

from typing import Any

import pytest

from anykey.server.query import asks_sse, take_key


def scope(query: bytes) -> dict[str, Any]:
    return {"query_string": query, "headers": [(b"host", b"a")]}


@pytest.mark.parametrize(
    ("query", "key", "rest"),
    [
        (b"key=ak-1-x", b"ak-1-x", b""),
        (b"alt=sse&key=ak-1-x", b"ak-1-x", b"alt=sse"),
        (b"key=a%2Db&pageSize=2", b"a-b", b"pageSize=2"),
    ],
)
def test_a_key_becomes_a_header_and_leaves_the_url(query: bytes, key: bytes, rest: bytes) -> None:
    call = scope(query)
    take_key(call)
    assert call == {"query_string": rest, "headers": [(b"host", b"a"), (b"x-goog-api-key", key)]}


@pytest.mark.parametrize("query", [b"key=", b"key=a%0d%0ab", b"key=%C3%A9"])
def test_what_can_be_no_key_is_no_header(query: bytes) -> None:
    call = scope(query)
    take_key(call)
    assert all(value in {b"a", b""} for _, value in call["headers"])


def test_another_name_is_not_the_key() -> None:
    call = scope(b"monkey=1")
    take_key(call)
    assert call["headers"] == [(b"host", b"a")]


@pytest.mark.parametrize(
    ("query", "events"),
    [
        (b"alt=sse", True),
        (b"a=b&alt=SSE", True),
        (b"%24alt=sse", True),
        (b"alt=json", False),
        (b"", False),
        (b"salt=sse", False),
    ],
)
def test_server_sent_events_are_asked_for(query: bytes, events: bool) -> None:
    assert asks_sse(query) is events
