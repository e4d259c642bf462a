from typing import Any

import pytest

from anykey.protocols.gemini_generate.spoken import said_in
from tests.unit.protocols.gemini_generate.answers import chunk, sse


@pytest.mark.parametrize(
    ("part", "size"),
    [
        ({"text": "\u8bcd"}, 3),
        ({"text": "hm", "thought": True}, 2),
        ({"functionCall": {"name": "f"}}, len('{"name":"f"}')),
        ({"inlineData": {"data": "AAAA"}}, 0),
        ({"text": ""}, 0),
    ],
)
def test_each_kind_of_part(part: dict[str, Any], size: int) -> None:
    assert abs(said_in(sse(chunk(part))) - size) <= (1 if "functionCall" in part else 0)


def test_many_chunks_and_what_cannot_be_read() -> None:
    one = sse(chunk({"text": "ab"}))
    assert said_in(one + sse({}) + one + sse({"candidates": [{"finishReason": "STOP"}]}) + b"data: {\n\n") == 4
