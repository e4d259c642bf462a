"""LiteLLM's proxy in front of `anykey up`, as a team has it that owns one already, and clients in front of LiteLLM.

Its configuration has the shape that gateways give their users: each model as `openai/NAME` with `api_base` and `api_key`. For a
client of Messages it then calls the Responses API of what it believes to be OpenAI, and Chat for a client of Chat.
"""

import json
import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from openai import AsyncOpenAI

from tests.clients.install import ensure_claude, ensure_litellm, node_directory
from tests.clients.running import GatewayProcess, anykey_up, bare_environment, free_port, listening, run
from tests.clients.turns import Turn
from tests.clients.upstreams import playing, reading, serving, tool_names, tool_results
from tests.fakes.agents import RESPONSES
from tests.fakes.answers import CHAT
from tests.fakes.wire import WireServer

pytestmark = [pytest.mark.program, pytest.mark.asyncio(loop_scope="module")]
PAGE = "002_94cacc2d5a3b8998.txt"
MODELS = ("gpt-5.4", "gpt-5.5")
# The proxy refuses to start without a key of its own.
MASTER_KEY = "sk-of-the-lab-0123456789abcdef0123456789abcdef"
START_TIMEOUT_S = 60
FIRST_LINE = "Sundial keeps the hours of 4711 gardens"
QUESTION = "read README.md and say its first line"


class Chain(NamedTuple):
    """`url` is LiteLLM's; it calls `gateway`, which calls `upstream`, a model that speaks Chat."""

    url: str
    gateway: GatewayProcess
    upstream: WireServer


def configuration(url: str, key: str) -> dict[str, Any]:
    """LiteLLM's, with our gateway's URL and key."""
    served = {"api_base": f"{url}/v1", "api_key": key}
    return {
        "model_list": [
            {"model_name": model, "litellm_params": {"model": f"openai/{model}", **served}} for model in MODELS
        ]
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chain(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Chain]:
    """All three; LiteLLM takes ten seconds to start, so there is one for all tests here."""
    directory = tmp_path_factory.mktemp("litellm")
    nowhere = f"http://127.0.0.1:{free_port()}"
    environment = {
        **bare_environment(directory / "litellm-home"),
        "LITELLM_MASTER_KEY": MASTER_KEY,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it asks GitHub for prices first
        "HTTPS_PROXY": nowhere,  # what it would ask of the network fails at once
    }
    async with WireServer(playing(CHAT, Turn("Nothing yet."))) as upstream:
        config = serving(CHAT, upstream.url, *MODELS, by_name=True)
        async with anykey_up(directory, config) as gateway:
            file = directory / "config.yaml"
            file.write_text(json.dumps(configuration(gateway.url, gateway.key)))  # JSON is YAML
            port = free_port()
            served = ("--host", "127.0.0.1", "--port", str(port), "--telemetry", "False")
            command = (ensure_litellm(), "--config", file, *served)
            async with listening(command, directory, environment, port, START_TIMEOUT_S) as url:
                yield Chain(url, gateway, upstream)


@pytest.fixture(autouse=True)
def forgotten(chain: Chain) -> None:
    """Each test counts its own calls."""
    chain.upstream.calls.clear()


async def test_a_tool_turn_of_claude_code(chain: Chain, tmp_path: Path) -> None:
    """Messages to LiteLLM, Responses to us, Chat to the model, and the whole way back, twice."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "README.md").write_text(f"{FIRST_LINE}\n\nSecond line.\n")
    chain.upstream.script = reading(CHAT, "Read", {"file_path": str(folder / "README.md")})
    environment = {
        **bare_environment(tmp_path / "claude-home", node_directory()),
        "ANTHROPIC_BASE_URL": chain.url,
        "ANTHROPIC_AUTH_TOKEN": MASTER_KEY,
        "ANTHROPIC_MODEL": "gpt-5.4",
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": "gpt-5.4",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_TELEMETRY": "1",
    }
    ended = await run((ensure_claude(), "-p", QUESTION, "--allowedTools", "Read,Bash"), folder, environment)
    assert ended.code == 0, ended
    assert "I was given:" in ended.stdout
    assert FIRST_LINE in ended.stdout
    calls = chain.upstream.calls
    first, second = [call.json() for call in calls]
    assert {call.target for call in calls} == {"/v1/chat/completions"}
    assert {call.header("authorization") for call in calls} == {"Bearer lab-secret"}
    assert (first["model"], first["stream"]) == ("gpt-5.4", True)
    assert {"Read", "Bash", "Edit"} <= set(tool_names(first))
    assert QUESTION in calls[0].body.decode()
    assert second["messages"][-2]["tool_calls"][0]["id"] == second["messages"][-1]["tool_call_id"] == "call_0"
    assert FIRST_LINE in tool_results(second)[0]
    rows = await chain.gateway.rows(2, model_asked="gpt-5.4")
    assert len(rows) == 2
    for row in rows:
        assert (row["client"], row["client_protocol"], row["upstream_protocol"]) == ("litellm", RESPONSES, CHAT)
        assert (row["failure"], row["input_tokens"], row["output_tokens"]) == (None, 120, 11)


async def test_a_client_of_chat(chain: Chain) -> None:
    """Its own clients are pointed at its `/v1`."""
    chain.upstream.script = playing(CHAT, Turn("Set in stone."))
    async with AsyncOpenAI(base_url=f"{chain.url}/v1", api_key=MASTER_KEY, max_retries=0) as client:
        tool: Any = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
        answer = await client.chat.completions.create(
            model="gpt-5.5", messages=[{"role": "user", "content": "What of the sundial?"}], tools=[tool]
        )
    assert answer.choices[0].message.content == "Set in stone."
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (120, 11)
    (call,) = chain.upstream.calls
    asked = call.json()
    assert (call.target, asked["model"]) == ("/v1/chat/completions", "gpt-5.5")
    assert asked["messages"] == [{"role": "user", "content": "What of the sundial?"}]
    assert tool_names(asked) == ["look"]


@pytest.mark.corpus
async def test_the_configuration_is_the_one_that_users_are_given(corpus: Path) -> None:
    """The page has lost its indentation."""
    page = (corpus.parent / "seeds" / PAGE).read_text()
    entry = re.compile(r"- model_name: (\S+)\nlitellm_params:\nmodel: (\S+)\napi_base: (\S+)\napi_key: ")
    listed = configuration("https://api.byecore.com", "")["model_list"]
    served = [(one["model_name"], one["litellm_params"]) for one in listed]
    assert {(name, to["model"], to["api_base"]) for name, to in served} == set(entry.findall(page))
