import json
from typing import Any

import pytest

from anykey.protocols.anthropic_messages.spoken import said_in


def event(**fields: Any) -> bytes:
    return f"event: x\ndata: {json.dumps(fields, ensure_ascii=False)}\n\n".encode()


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({"delta": {"type": "text_delta", "text": "\u8bcd"}}, 3),
        ({"delta": {"type": "thinking_delta", "thinking": "hm"}}, 2),
        ({"delta": {"type": "input_json_delta", "partial_json": '{"a"'}}, 4),
        ({"content_block": {"type": "tool_use", "name": "read", "input": {}}}, 4),
        ({"content_block": {"type": "text", "text": ""}}, 0),
        ({"delta": {"type": "signature_delta", "signature": "AAAA"}}, 0),
        ({"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}, 0),
    ],
)
def test_each_kind_of_event(fields: dict[str, Any], size: int) -> None:
    assert said_in(event(**fields)) == size


def test_many_events_and_what_cannot_be_read() -> None:
    one = event(delta={"text": "ab"})
    assert said_in(one + b"event: ping\ndata: {}\n\n" + one + b'data: {"delta": 3}\n\ndata: {') == 4
