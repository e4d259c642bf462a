"""The facts of a call: from its key, its headers and its body."""

import json
from typing import Any

import pytest

from anykey.exchange.exchange import Exchange, Inbound
from anykey.exchange.facts import facts_of, visible_headers
from anykey.protocols.catalog import CODECS
from anykey.protocols.codec import Headers
from anykey.routing.ask import Grant

GRANT = Grant(key="ci", group="team-a")


def exchange(body: dict[str, Any], client: str = "unknown", headers: Headers = ()) -> Exchange:
    call = Exchange("req_1", Inbound(CODECS["openai_chat"], headers, json.dumps(body).encode(), client), 0.0, 0)
    call.model, call.stream, call.metadata = body["model"], bool(body.get("stream")), {"team": "search"}
    return call


def test_a_call() -> None:
    body = {
        "model": "gpt-6",
        "stream": True,
        "max_tokens": 50,
        "reasoning_effort": "high",
        "tools": [{"type": "function", "function": {"name": "f"}}],
        "messages": [{"role": "user", "content": "x" * 400}],
    }
    found = facts_of(exchange(body, "codex", ((b"x-team", b"search"), (b"authorization", b"Bearer ak-1"))), GRANT)
    assert (found.model, found.protocol, found.client, found.key, found.group) == (
        "gpt-6",
        "openai_chat",
        "codex",
        "ci",
        "team-a",
    )
    assert (found.stream, found.max_tokens, found.tools, found.thinking, found.effort) == (True, 50, 1, True, "high")
    assert 100 < found.tokens < 150
    assert (found.metadata, found.headers, found.background) == ({"team": "search"}, {"x-team": "search"}, "")


@pytest.mark.parametrize(
    "name",
    [
        b"authorization", b"proxy-authorization", b"x-api-key", b"x-goog-api-key", b"api-key", b"cookie", b"set-cookie",
        b"x-portkey-api-key", b"x-anykey-upstream-key", b"x-amz-security-token", b"x-auth-request", b"x-client-secret",
        b"x-hub-signature-256",
    ],
)  # fmt: skip
def test_no_credential_is_a_fact(name: bytes) -> None:
    assert visible_headers(((name, b"s3cret"), (b"accept", b"*/*"))) == {"accept": "*/*"}


def test_long_values_are_cut() -> None:
    assert len(visible_headers(((b"x-long", b"v" * 100_000),))["x-long"]) == 2048


def test_a_helper_call_is_known_by_its_words() -> None:
    title = {"model": "m", "messages": [{"role": "system", "content": "You are a title generator. Be short."}]}
    assert facts_of(exchange(title, "opencode"), GRANT).background == "title"
    assert facts_of(exchange(title, "codex"), GRANT).background == "", "another program's words"


def test_codex_describes_its_calls_in_a_header_or_in_the_body() -> None:
    described = '{"session_id": "s","request_kind":"compaction"}'
    plain = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    headers = ((b"x-codex-turn-metadata", described.encode()),)
    assert facts_of(exchange(plain, "codex", headers), GRANT).background == "compaction"
    inside = plain | {"client_metadata": {"x-codex-turn-metadata": described}}
    assert facts_of(exchange(inside, "codex"), GRANT).background == "compaction"
    assert facts_of(exchange(plain, "codex"), GRANT).background == ""
