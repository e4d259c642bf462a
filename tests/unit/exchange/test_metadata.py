"""Metadata of a call: from where it may come, which wins, how much of it is kept."""

import json

import msgspec
import pytest

from anykey.exchange.metadata import LONGEST_VALUE, MOST_PAIRS, body_metadata, header_metadata, merged, metadata_text


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


def test_a_body_says_texts_numbers_and_flags() -> None:
    said = raw({"user_id": "u-1", "n": 3, "yes": True, "none": None, "list": [1]})
    assert body_metadata(said) == {"user_id": "u-1", "n": "3", "yes": "true"}


@pytest.mark.parametrize("said", [b"", b"null", b"{}", b'"text"', b"[1,2,3]", b"{broken", b"123456"])
def test_a_body_without_metadata(said: bytes) -> None:
    assert body_metadata(said) == {}


def test_a_body_is_cut_and_never_refused() -> None:
    found = body_metadata(raw({f"name-{number}": "v" * 1000 for number in range(100)} | {"": "nameless"}))
    assert len(found) == MOST_PAIRS
    assert {len(value) for value in found.values()} == {LONGEST_VALUE}
    assert max(map(len, body_metadata(raw({"k" * 1000: "v"})))) == 64


def test_the_header_wins_over_the_body_and_the_body_over_the_key() -> None:
    assert merged({"a": "header"}, {"a": "body", "b": "body"}, {"a": "key", "b": "key", "c": "key"}) == {
        "a": "header",
        "b": "body",
        "c": "key",
    }
    assert merged({}, {"b": "body"}, None) == {"b": "body"}
    assert merged({"a": "h"}, {}, None) == {"a": "h"}
    assert merged({}, {}, {"c": "key"}) == {"c": "key"}
    assert merged({}, {}, None) == {}


def test_how_a_row_keeps_it() -> None:
    assert metadata_text({"b": "2", "a": "ä"}) == '{"a":"ä","b":"2"}'
    assert metadata_text({}) is None


def test_a_header_of_sixteen_pairs_is_taken() -> None:
    said = json.dumps({f"k{number}": "v" * LONGEST_VALUE for number in range(MOST_PAIRS)})
    assert len(header_metadata("x-anykey-metadata", said)) == MOST_PAIRS
