"""Whose errors a refused client reads."""

import json
from typing import Any

import pytest

from anykey.server.paths import resolve
from anykey.server.refusals import protocol_of, refuse_call, unserved


def call(method: str, path: str, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {
        "method": method,
        "path": path,
        "headers": list(headers),
        "query_string": b"",
        "server": ("127.0.0.1", 4000),
        "scheme": "http",
    }


@pytest.mark.parametrize(
    ("path", "headers", "protocol"),
    [
        ("/v1/chat/completions", (), "openai_chat"),
        ("/v1/messages", (), "anthropic_messages"),
        ("/v1/messages/batches", (), "anthropic_messages"),
        ("/v1/responses/resp_1", (), "openai_responses"),
        ("/v1/responses/a/b/c", (), "openai_responses"),
        ("/v1/conversations/conv_1", (), "openai_responses"),
        ("/v1/models/x:generateContent", (), "gemini_generate"),
        ("/v1beta/cachedContents", (), "gemini_generate"),
        ("/v1/models", (), "openai_chat"),
        ("/v1/models", ((b"anthropic-version", b"2023-06-01"),), "anthropic_messages"),
        ("/v1/models/x", ((b"x-goog-api-key", b"ak"),), "gemini_generate"),
        ("/nowhere", (), "openai_chat"),
        ("/nowhere", ((b"anthropic-version", b"2023-06-01"),), "anthropic_messages"),
    ],
)
def test_whose_client_asks(path: str, headers: tuple[tuple[bytes, bytes], ...], protocol: str) -> None:
    assert protocol_of(resolve(path), call("GET", path, *headers)) == protocol


@pytest.mark.parametrize(
    ("method", "path", "status", "allow", "words"),
    [
        ("GET", "/v2/x", 404, None, "http://127.0.0.1:4000/v1 "),
        ("PUT", "/v1/messages", 405, b"POST", "use POST"),
        ("POST", "/v1/responses/resp_1", 405, b"GET, DELETE", "use GET or DELETE"),
        ("GET", "/v1/responses", 405, b"POST", "use POST"),
        ("GET", "/v1beta/models/x:generateContent", 405, b"POST", "use POST"),
        ("POST", "/v1/models/x", 405, b"GET", "use GET"),
        ("POST", "/v1beta/models/x:sing", 404, None, "no verb 'sing' here"),
        ("POST", "/v1/models/x:sing", 404, None, "generateContent, streamGenerateContent, countTokens"),
    ],
)
def test_what_leads_nowhere(method: str, path: str, status: int, allow: bytes | None, words: str) -> None:
    told = refuse_call(resolve(path), call(method, path))
    assert (told.status, dict(told.headers).get(b"allow")) == (status, allow)
    assert words in json.loads(told.body)["error"]["message"]
    assert dict(told.headers)[b"x-anykey-request-id"].startswith(b"req_")


def test_a_websocket_that_is_not_served_is_426() -> None:
    told = refuse_call(resolve("/v1/responses"), call("GET", "/v1/responses", (b"sec-websocket-key", b"AAAA")))
    assert (told.status, dict(told.headers)[b"upgrade"]) == (426, b"HTTP/1.1")


def test_a_known_call_that_is_not_served_is_googles_501() -> None:
    status, headers, body = unserved("/v1beta/models/x:embedContent", "req_1")
    error = json.loads(body)["error"]
    assert (status, error["code"], error["status"]) == (501, 501, "UNIMPLEMENTED")
    assert "':embedContent'" in error["message"]
    assert (b"x-anykey-request-id", b"req_1") in headers
