"""Portkey's SDK against `anykey up`, with BytePlus ModelArk behind it: a program for Portkey's gateway works with another key and
base URL.

Four calls of Portkey's page on BytePlus are about chat and responses: its quick start, with the provider in the model's name; the
variant of its tip, with the provider in `Portkey()`; the Responses API; and `thinking` with a stream, of its features. Where the
page lies beside the checkout, its own programs are run too. The last test is what it links to: a config, metadata, a trace.
"""

import json
import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from tests.clients.install import ensure_portkey
from tests.clients.running import GatewayProcess, anykey_up, bare_environment, run
from tests.clients.turns import Turn, told
from tests.clients.upstreams import give
from tests.fakes.agents import RESPONSES
from tests.fakes.answers import CHAT
from tests.fakes.wire import RecordedCall, WireConnection, WireServer

pytestmark = [pytest.mark.program, pytest.mark.asyncio(loop_scope="module")]
PAGE = "001_5fb59213805a6013.txt"
ENDPOINT = "ep-m-your-endpoint-id"
ANSWER = "The hedgehog sleeps."
CONFIG = """
[providers.byteplus]
kind = "byteplus"
base_url = "{url}/api/v3"
api_key = {{ env = "LAB_KEY" }}
[providers.exhausted]
kind = "byteplus"
base_url = "{url}/exhausted/api/v3"
api_key = {{ env = "LAB_KEY" }}
[providers.spare]
kind = "custom"
protocol = "openai_chat"
base_url = "{url}/spare"
api_key = {{ env = "LAB_KEY" }}
"""
QUICK_START = """
from portkey_ai import Portkey
portkey = Portkey(api_key="PORTKEY_API_KEY")
response = portkey.chat.completions.create(
    model="@byteplus/ep-m-your-endpoint-id", messages=[{"role": "user", "content": "What of the hedgehog?"}]
)
print(response.choices[0].message.content)
print(response.usage.total_tokens)
"""
TIP = """
from portkey_ai import Portkey
portkey = Portkey(api_key="PORTKEY_API_KEY", provider="@byteplus")
response = portkey.chat.completions.create(
    model="ep-m-your-endpoint-id", messages=[{"role": "user", "content": "What of the hedgehog?"}]
)
print(response.choices[0].message.content)
print(response.usage.total_tokens)
"""
RESPONSE = """
from portkey_ai import Portkey
portkey = Portkey(api_key="PORTKEY_API_KEY")
response = portkey.responses.create(model="@byteplus/ep-m-your-endpoint-id", input="What of the hedgehog?")
print(response.output_text)
print(response.usage.total_tokens)
"""
STREAM = """
from portkey_ai import Portkey
portkey = Portkey(api_key="PORTKEY_API_KEY", provider="@byteplus")
chunks = portkey.chat.completions.create(
    model="ep-m-your-endpoint-id",
    messages=[{"role": "user", "content": "What of the hedgehog?"}],
    thinking={"type": "enabled"},
    stream=True,
    stream_options={"include_usage": True},
)
said = list(chunks)
print("".join(chunk.choices[0].delta.content or "" for chunk in said if chunk.choices))
print(said[-1].usage.total_tokens)
"""
REGION = """
from portkey_ai import Portkey
portkey = Portkey(api_key="PORTKEY_API_KEY", provider="@byteplus", byteplus_region="eu-west-1")
try:
    portkey.responses.create(model="ep-m-your-endpoint-id", input="What of the hedgehog?")
except Exception as error:
    print(error.status_code, error.code)
"""
LINKED = """
from portkey_ai import Portkey
config = {
    "strategy": {"mode": "fallback", "on_status_codes": [429, 503]},
    "targets": [
        {"provider": "@exhausted", "override_params": {"model": "ep-m-first"}},
        {"provider": "@spare", "override_params": {"model": "second-model", "temperature": 0.25}},
    ],
}
portkey = Portkey(
    api_key="PORTKEY_API_KEY", config=config, metadata={"team": "garden", "_user": "u-17"}, trace_id="trace-4711"
)
response = portkey.chat.completions.create(messages=[{"role": "user", "content": "What of the hedgehog?"}])
print(response.choices[0].message.content)
print(response.usage.total_tokens)
"""


class Ark(NamedTuple):
    """A gateway, and all its providers at one address."""

    gateway: GatewayProcess
    upstream: WireServer


async def answering(call: RecordedCall, connection: WireConnection) -> None:
    """What the providers say."""
    if call.target.startswith("/exhausted/"):
        error = {"code": "QuotaExceeded", "message": "The quota is used up.", "type": "TooManyRequests", "param": ""}
        await connection.json(429, {"error": error})
        return
    await give(told(RESPONSES if call.target.endswith("/responses") else CHAT, Turn(ANSWER)), call, connection)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Ark]:
    """One gateway for all programs."""
    directory = tmp_path_factory.mktemp("portkey")
    async with WireServer(answering) as upstream, anykey_up(directory, CONFIG.format(url=upstream.url)) as gateway:
        yield Ark(gateway, upstream)


@pytest.fixture
def ark(served: Ark) -> Ark:
    """It, with no calls of other tests."""
    served.upstream.calls.clear()
    return served


async def printed(ark: Ark, directory: Path, *programs: str) -> list[str]:
    """Run programs, changed in nothing but the key and the base URL, in one process: the lines they print."""
    text = "\n".join(programs).replace('"PORTKEY_API_KEY"', f'"{ark.gateway.key}", base_url="{ark.gateway.url}/v1"')
    (directory / "program.py").write_text(text)
    environment = bare_environment(directory / "portkey-home")
    ended = await run((ensure_portkey(), directory / "program.py"), directory, environment)
    assert ended.code == 0, ended
    return ended.stdout.splitlines()


def asked(ark: Ark) -> dict[str, Any]:
    """The body of the only call upstream, which carried the provider's key and nothing of Portkey's."""
    (call,) = ark.upstream.calls
    assert call.header("authorization") == "Bearer lab-secret"
    assert not [name for name, _ in call.headers if "portkey" in name.lower()]
    assert ark.gateway.key.encode() not in call.body
    return call.json()


@pytest.mark.parametrize("program", [QUICK_START, TIP], ids=["quick_start", "tip"])
async def test_chat(ark: Ark, tmp_path: Path, program: str) -> None:
    assert await printed(ark, tmp_path, program) == [ANSWER, "131"]
    body = asked(ark)
    assert ark.upstream.calls[0].target == "/api/v3/chat/completions"
    assert body == {"model": ENDPOINT, "messages": [{"role": "user", "content": "What of the hedgehog?"}]}


async def test_responses(ark: Ark, tmp_path: Path) -> None:
    assert await printed(ark, tmp_path, RESPONSE) == [ANSWER, "131"]
    body = asked(ark)
    assert ark.upstream.calls[0].target == "/api/v3/responses"
    assert body["model"] == ENDPOINT
    assert "What of the hedgehog?" in json.dumps(body["input"])


async def test_thinking_and_a_stream(ark: Ark, tmp_path: Path) -> None:
    """And the region, whose header is understood: a provider at an address of its own has none, so the call is not sent."""
    assert await printed(ark, tmp_path, STREAM, REGION) == [ANSWER, "131", "400 region_not_found"]
    body = asked(ark)
    assert ark.upstream.calls[0].target == "/api/v3/chat/completions"
    assert (body["model"], body["thinking"], body["stream"]) == (ENDPOINT, {"type": "enabled"}, True)


async def test_fallback_metadata_and_trace(ark: Ark, tmp_path: Path) -> None:
    """The quota of the first target is used up, so the second answers. Asked for no model, the SDK names `portkey-default`."""
    assert await printed(ark, tmp_path, LINKED) == [ANSWER, "131"]
    first, second = ark.upstream.calls
    assert (first.target, first.json()["model"]) == ("/exhausted/api/v3/chat/completions", "ep-m-first")
    assert (second.target, second.json()["model"]) == ("/spare/chat/completions", "second-model")
    assert second.json()["temperature"] == 0.25
    (row,) = await ark.gateway.rows(1, trace_id="trace-4711")
    assert (row["attempts"], row["status"], row["provider"]) == (2, 200, "spare")
    assert row["metadata"] == {"team": "garden", "_user": "u-17"}


@pytest.mark.corpus
async def test_the_programs_of_the_page(ark: Ark, tmp_path: Path, corpus: Path) -> None:
    page = (corpus.parent / "seeds" / PAGE).read_text()
    programs = re.findall(r"^from portkey_ai import Portkey$.*?^print\(.*?\)$", page, re.DOTALL | re.MULTILINE)
    wanted = [program for program in programs if "chat.completions" in program or "responses.create" in program]
    assert len(wanted) == 2
    lines = await printed(ark, tmp_path, *wanted)
    assert lines[0] == ANSWER
    assert ANSWER in "\n".join(lines[1:])
    calls = [(call.target, call.json()["model"]) for call in ark.upstream.calls]
    assert calls == [("/api/v3/chat/completions", ENDPOINT), ("/api/v3/responses", ENDPOINT)]
