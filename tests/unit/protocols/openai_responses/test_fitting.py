"""Requests for servers that know a part of Responses and refuse the rest."""

from typing import Any

import msgspec

from anykey.conversation.losses import Loss
from anykey.protocols.codec import RequestPath
from anykey.protocols.openai_responses.dialect import Dialect
from anykey.protocols.openai_responses.request import decode_request, encode_request

PART = Dialect(
    verbatim=False,
    further_fields="thinking, expire_at",
    custom_tools=False,
    namespaces=False,
    native_tools=False,
    hosted_tools="web_search",
    strict_tools=False,
)
BODY: dict[str, Any] = {
    "model": "m",
    "client_metadata": {"a": "b"},
    "expire_at": 7,
    "input": [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi", "x": 1}]},
        {"type": "function_call", "call_id": "c", "name": "wait", "namespace": "n", "arguments": "{}", "caller": "k"},
        {"type": "function_call_output", "call_id": "c", "output": "done"},
    ],
    "tools": [
        {
            "type": "namespace",
            "name": "n",
            "description": "d",
            "tools": [{"type": "function", "name": "wait", "parameters": {}}],
        },
        {"type": "web_search", "external_web_access": False},
        {"type": "function", "name": "f", "parameters": {}, "defer_loading": True},
    ],
}


def encoded(dialect: Dialect) -> tuple[Any, list[Loss]]:
    request = decode_request(msgspec.json.encode(BODY), RequestPath()).value
    body, losses = encode_request(request, dialect)
    return msgspec.json.decode(body), list(losses)


def test_only_what_the_server_knows_is_sent() -> None:
    body, losses = encoded(PART)
    assert body == {
        "model": "m",
        "input": [
            {"type": "message", "role": "user", "content": "hi"},
            {"type": "function_call", "call_id": "c", "name": "n__wait", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "done"},
        ],
        "tools": [
            {"type": "function", "name": "n__wait", "description": "The tools n__*: d", "parameters": {}},
            {"type": "web_search"},
            {"type": "function", "name": "f", "parameters": {}},
        ],
        "store": False,
        "expire_at": 7,
    }
    assert {loss.path for loss in losses if loss.kind == "dropped"} >= {
        "client_metadata",
        "messages[0].content[0].x",
        "messages[1].content[0].caller",
        "tools[1].external_web_access",
        "tools[2].defer_loading",
    }


def test_a_whole_server_gets_all_of_it() -> None:
    body, losses = encoded(Dialect())
    assert body["client_metadata"] == {"a": "b"}
    assert body["tools"][1] == {"type": "web_search", "external_web_access": False}
    assert body["input"][1]["namespace"] == "n"
    assert losses == []
