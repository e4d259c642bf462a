import json
from typing import Any

import pytest

from anykey.protocols.openai_chat.spoken import said_in


def chunk(*deltas: Any) -> bytes:
    return f"data: {json.dumps({'choices': [{'delta': delta} for delta in deltas]}, ensure_ascii=False)}\n\n".encode()


@pytest.mark.parametrize(
    ("delta", "size"),
    [
        ({"content": "word"}, 4),
        ({"content": "\u8bcd"}, 3),
        ({"reasoning_content": "hm", "reasoning": "hm"}, 2),
        ({"reasoning": "hm", "content": "a"}, 3),
        ({"refusal": "no"}, 2),
        ({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": '{"a":'}}, {"index": 1}]}, 6),
        ({"function_call": {"name": "f", "arguments": "{}"}}, 3),
        ({"content": [{"type": "text"}], "role": "assistant"}, 0),
        ({"content": None}, 0),
        (None, 0),
    ],
)
def test_each_kind_of_delta(delta: Any, size: int) -> None:
    assert said_in(chunk(delta)) == size


def test_many_events_in_any_framing() -> None:
    events = b": beat\n\n" + chunk({"content": "a"}, {"content": "bc"}) + chunk({"content": "d"}) + b"data: [DONE]\n\n"
    for line_end in (b"\n", b"\r\n", b"\r"):
        assert said_in(events.replace(b"\n", line_end)) == 4
    assert said_in(chunk({"content": "a"}).removesuffix(b"\n\n")) == 1


@pytest.mark.parametrize("data", [b"", b"data: {\n\n", b'data: {"choices": 3}\n\n', b"data: \xff\n\n", b"data: []\n\n"])
def test_what_cannot_be_read_says_nothing(data: bytes) -> None:
    assert said_in(data) == 0
