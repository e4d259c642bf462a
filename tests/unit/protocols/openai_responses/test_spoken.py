import json
from typing import Any

import pytest

from anykey.protocols.openai_responses.spoken import said_in


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields}, ensure_ascii=False)}\n\n".encode()


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (event("response.output_text.delta", delta="\u8bcd"), 3),
        (event("response.reasoning_summary_text.delta", delta="hm"), 2),
        (event("response.function_call_arguments.delta", delta="{}"), 2),
        (event("response.output_item.added", item={"type": "function_call", "name": "read"}), 4),
        (event("response.output_item.added", item={"type": "message"}), 0),
        (event("response.output_item.done", item={"type": "function_call", "name": "read"}), 0),
        (event("response.output_text.done", text="all of it"), 0),
        (event("response.audio.delta", delta={"no": "text"}), 0),
        (b"data: [1]\n\ndata: {", 0),
    ],
)
def test_each_kind_of_event(data: bytes, size: int) -> None:
    assert said_in(data) == size
    assert said_in(data + event("response.output_text.delta", delta="ab")) == size + 2
