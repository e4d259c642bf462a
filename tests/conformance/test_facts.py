"""Facts of every request that real client programs were captured with: an estimate near the one by a full decoding, and helper
calls known as such."""

import json
import re
from collections import Counter
from typing import Any, NamedTuple

import pytest

from anykey.clients.recognise import recognise
from anykey.conversation.estimate import estimate_input_tokens
from anykey.conversation.parts import ProtocolName
from anykey.exchange.exchange import Exchange, Inbound
from anykey.exchange.facts import facts_of
from anykey.protocols.catalog import CODECS
from anykey.protocols.codec import RequestPath
from anykey.routing.ask import Facts, Grant
from tests.conformance.recordings import all_captured

pytestmark = pytest.mark.corpus

PROTOCOLS: dict[str, ProtocolName] = {
    "/messages": "anthropic_messages",
    "/chat/completions": "openai_chat",
    "/responses": "openai_responses",
    ":generateContent": "gemini_generate",
    ":streamGenerateContent": "gemini_generate",
}
CODING = {"claude-code", "codex", "gemini-cli", "opencode", "qwen-code", "kilo", "droid"}
LEAST_HELPERS = {
    ("claude-code", "title"): 2,
    ("codex", "title"): 1,
    ("gemini-cli", "its small model"): 7,
    ("opencode", "title"): 5,
    ("qwen-code", "memory"): 4,
    ("kilo", "compaction"): 1,
    ("droid", "compaction"): 3,
    ("openai-python", "commit message"): 1,  # Aider
}
"""How many helper calls the captures hold, by client, as clients-cli.md and clients-more.md describe them."""


class Seen(NamedTuple):
    scenario: str
    body: bytes
    path: RequestPath
    facts: Facts


def seen() -> list[Seen]:
    """Every generate call over HTTP."""
    found: list[Seen] = []
    for row in all_captured():
        request = row["request"]
        target = str(request["path"]).partition("?")[0]
        protocol = next((name for end, name in PROTOCOLS.items() if target.endswith(end)), None)
        if protocol is None or not isinstance(request["body"], dict) or request["method"] != "POST":
            continue
        body = json.dumps(request["body"]).encode()
        named = re.search(r"/models/(.+):", target)
        headers = tuple((name.lower().encode(), value.encode()) for name, value in request["headers"])
        client = recognise(dict(headers).get(b"user-agent"), dict(headers).get(b"x-app"))
        path = RequestPath(named[1] if named else None, stream=None)
        exchange = Exchange("req_1", Inbound(CODECS[protocol], headers, body, client, path), 0.0, 0)
        exchange.model = named[1] if named else request["body"].get("model", "")
        found.append(Seen(f"{row['client']}-{row['scenario']}", body, path, facts_of(exchange, Grant())))
    return found


@pytest.fixture(scope="module")
def calls() -> list[Seen]:
    found = seen()
    assert len(found) > 800
    return found


def test_estimates_are_near_those_of_a_full_decoding(calls: list[Seen]) -> None:
    """A tenth too much is the price of counting JSON with its words; small requests with tools pay more."""
    off: list[Any] = []
    for call in calls:
        codec = CODECS[call.facts.protocol]  # pyright: ignore[reportArgumentType] - a protocol's name
        if b'"item_reference"' in call.body:
            continue  # only who stored them can read them
        exact = estimate_input_tokens(codec.decode_request(call.body, call.path).value)
        if exact > 2000 and not 0.85 < call.facts.tokens / exact < 1.2:
            off.append((call.scenario, call.facts.tokens, exact))
    assert off == []


def test_helper_calls_of_clients_are_known(calls: list[Seen]) -> None:
    found = Counter((call.facts.client, call.facts.background) for call in calls if call.facts.background)
    assert {kind: found[kind] for kind in LEAST_HELPERS if found[kind] < LEAST_HELPERS[kind]} == {}


def test_main_calls_of_coding_agents_are_no_helper_calls(calls: list[Seen]) -> None:
    """A call with all of an agent's tools is its work, whatever it is asked; but for a compaction, which has them too."""
    wrong = [
        (call.scenario, call.facts.background)
        for call in calls
        if call.facts.client in CODING
        and call.facts.tools > 6
        and call.facts.background not in {"", "compaction", "its small model"}
    ]
    assert wrong == []


def test_claude_codes_search_is_a_search_and_an_agents_turn_is_none(calls: list[Seen]) -> None:
    searches = {call.scenario for call in calls if call.facts.web_search and call.facts.tools <= 1}
    assert "claude-websearch" in searches
    assert not any(scenario.startswith("codex") for scenario in searches)
