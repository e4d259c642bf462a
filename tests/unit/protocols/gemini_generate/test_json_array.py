import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.protocols.gemini_generate.json_array import ObjectParser
from anykey.protocols.sse import EventTooLarge

VALUES = st.dictionaries(
    st.text(alphabet='ab"\\{}[],:é'), st.recursive(st.text(alphabet='"\\{}'), st.lists, max_leaves=3), max_size=3
)


@given(st.lists(VALUES, max_size=4), st.integers(1, 9), st.booleans())
def test_any_cut_gives_the_objects(values: list[dict[str, object]], size: int, indented: bool) -> None:
    data = json.dumps(values, indent=2 if indented else None).encode()
    parser = ObjectParser()
    found = [entry for start in range(0, len(data), size) for entry in parser.feed(data[start : start + size])]
    assert [json.loads(entry) for entry in found] == values
    assert not parser.pending()


def test_an_object_is_given_as_soon_as_it_is_whole() -> None:
    parser = ObjectParser()
    assert parser.feed(b'[{"a": {"b": 1}') == []
    assert parser.pending()
    assert parser.feed(b"}\n,\r\n{") == [b'{"a": {"b": 1}}']
    assert parser.feed(b"}]") == [b"{}"]


def test_an_object_without_end_is_refused() -> None:
    parser = ObjectParser(limit=10)
    with pytest.raises(EventTooLarge):
        parser.feed(b'{"a": "0123456789')
