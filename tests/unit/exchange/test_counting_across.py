"""Counting asked in one protocol and answered by the endpoint of another: the question is translated, the number comes back."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.gateway import RunningGateway
from tests.fakes.wire import WireServer, reply_json

TEXT = "What is this?"
ASKED: dict[str, tuple[str, dict[str, Any], str]] = {
    "anthropic_messages": (
        "/v1/messages/count_tokens",
        {"model": "test-model", "messages": [{"role": "user", "content": TEXT}]},
        "input_tokens",
    ),
    "openai_responses": ("/v1/responses/input_tokens", {"model": "test-model", "input": TEXT}, "input_tokens"),
    "gemini_generate": (
        "/v1beta/models/test-model:countTokens",
        {"contents": [{"role": "user", "parts": [{"text": TEXT}]}]},
        "totalTokens",
    ),
}
"""Client protocol → path, question, and where the number stands in the answer."""

COUNTING: dict[str, tuple[str, str, str]] = {
    "anthropic_messages": ("anthropic", "/v1/messages/count_tokens", "input_tokens"),
    "openai_responses": ("openai", "/v1/responses/input_tokens", "input_tokens"),
    "gemini_generate": ("gemini", "/v1beta/models/upstream-model:countTokens", "totalTokens"),
}
"""Upstream protocol → a kind of provider that counts in it, its endpoint, and where its number stands."""


def at(protocol: str, url: str) -> str:
    """One provider that speaks only ``protocol``."""
    kind = COUNTING[protocol][0]
    base = url + ("/v1" if protocol == "openai_responses" else "")
    lines = ["[server]", "environment_providers = false", "[providers.lab]", f'kind = "{kind}"']
    lines += [f'protocol = "{protocol}"', f'base_url = "{base}"', 'api_key = { env = "LAB_KEY" }']
    return "\n".join([*lines, '[models."test-model"]', 'deployments = ["lab/upstream-model"]', ""])


@pytest.mark.parametrize("upstream", COUNTING)
@pytest.mark.parametrize("client", ASKED)
async def test_any_client_gets_the_count_of_any_upstream(tmp_path: Path, client: str, upstream: str) -> None:
    path, question, place = ASKED[client]
    _, endpoint, counted_at = COUNTING[upstream]
    async with (
        WireServer(reply_json({counted_at: 4321})) as server,
        RunningGateway(tmp_path, at(upstream, server.url)) as gateway,
    ):
        reply = await gateway.post(path, question)
    assert (reply.status, reply.json()[place]) == (200, 4321)
    assert "x-anykey-token-count" not in reply.headers
    assert reply.headers["x-anykey-request-id"]
    (call,) = server.calls
    assert call.target == endpoint
    assert TEXT in call.body.decode()
    assert "test-model" not in call.body.decode()
    assert "stream" not in json.loads(call.body)


@pytest.mark.parametrize("client", ASKED)
async def test_a_refusal_of_what_was_translated_is_not_the_clients(tmp_path: Path, client: str) -> None:
    upstream = "anthropic_messages" if client != "anthropic_messages" else "gemini_generate"
    path, question, place = ASKED[client]
    async with (
        WireServer(reply_json({"error": {"message": "no", "code": 400}}, status=400)) as server,
        RunningGateway(tmp_path, at(upstream, server.url)) as gateway,
    ):
        reply = await gateway.post(path, question)
    assert (reply.status, reply.headers["x-anykey-token-count"]) == (200, "estimated")
    assert 1 <= reply.json()[place] <= 20
