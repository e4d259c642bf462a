import json
from typing import Any

import pytest

from anykey.protocols.openai_responses.echo import DEFAULTS, echo


def members(body: bytes) -> dict[str, Any]:
    text = echo(body)
    assert b"\n" not in text
    return json.loads(b"{" + text + b"}")


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"{", b'{"temperature":null,"unknown":1}'])
def test_what_nobody_asked_is_told_by_default(body: bytes) -> None:
    assert members(body) == DEFAULTS


def test_the_client_s_own_words_are_repeated() -> None:
    asked = {
        "tools": [{"type": "function", "name": "f", "parameters": {"a": [1.50, "\n"]}}],
        "tool_choice": {"type": "function", "name": "f"},
        "instructions": "be\nnice",
        "store": False,
        "metadata": {"a": "b"},
        "temperature": 0.2,
        "previous_response_id": "resp_0",
        "prompt": {"id": "p"},
    }
    body = json.dumps({"model": "m", "input": "x", **asked}, indent=2).encode()
    assert members(body) == {**DEFAULTS, **asked}


def test_a_part_of_an_object_is_completed() -> None:
    told = members(b'{"text": {"verbosity": "low"}, "reasoning": {"effort": "high"}, "conversation": "conv_1"}')
    assert told["text"] == {"format": {"type": "text"}, "verbosity": "low"}
    assert told["reasoning"] == {"effort": "high", "summary": None}
    assert told["conversation"] == {"id": "conv_1"}
