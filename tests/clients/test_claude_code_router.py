"""claude-code-router in front of `anykey up`, and Claude Code in front of it.

It speaks Chat to us and chooses the model of each call itself, by its `Router`: `background` for Haiku, `longContext` from 60,000
tokens, `think` when the call asks for thinking, which Claude Code does unless it is told not to, else `default`.
"""

import json
import random
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.clients.install import ensure_ccr, ensure_claude, node_directory
from tests.clients.running import GatewayProcess, anykey_up, bare_environment, free_port, listening, run
from tests.clients.turns import Turn
from tests.clients.upstreams import playing, reading, serving, tool_names, tool_results
from tests.fakes.answers import CHAT
from tests.fakes.wire import WireServer

pytestmark = pytest.mark.program
PAGE = "002_94cacc2d5a3b8998.txt"
MODELS = ("gpt-5.4", "gpt-5.5", "gpt-5.3-codex")
ROUTER = {
    "default": "byecore,gpt-5.4",
    "background": "byecore,gpt-5.4",
    "think": "byecore,gpt-5.5",
    "longContext": "byecore,gpt-5.4",
}
START_TIMEOUT_S = 20
FIRST_LINE = "Sundial keeps the hours of 4711 gardens"
QUESTION = "read README.md and say its first line"
NO_THINKING = {"CLAUDE_CODE_DISABLE_THINKING": "1"}
QUIET = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1", "DISABLE_TELEMETRY": "1"}
# More than 60,000 tokens in less than the 128 KiB that one argument of a program may have.
LONG = random.Random(4711).randbytes(60_000).hex()


def configuration(url: str, key: str, models: tuple[str, ...], router: Mapping[str, str]) -> dict[str, Any]:
    """The router's `config.json`, with our gateway's URL and key."""
    chat = f"{url}/v1/chat/completions"
    provider = {"name": "byecore", "api_base_url": chat, "api_key": key, "models": list(models)}
    return {"Providers": [provider], "Router": dict(router)}


@asynccontextmanager
async def routed(
    home: Path, gateway: GatewayProcess, models: tuple[str, ...] = MODELS, router: Mapping[str, str] = ROUTER
) -> AsyncGenerator[str]:
    """`ccr start` with this home folder, where it keeps its configuration and its pid; its URL."""
    port = free_port()
    # The last two change nothing in its routes: no log files, and no terminal.
    further = {"PORT": port, "LOG": False, "NON_INTERACTIVE_MODE": True}
    file = home / ".claude-code-router" / "config.json"
    environment = bare_environment(home, node_directory())
    file.parent.mkdir()
    file.write_text(json.dumps({**configuration(gateway.url, gateway.key, models, router), **further}))
    async with listening((ensure_ccr(), "start"), home, environment, port, START_TIMEOUT_S) as url:
        yield url


def project(directory: Path) -> Path:
    """A folder with a README.md."""
    folder = directory / "project"
    folder.mkdir()
    (folder / "README.md").write_text(f"{FIRST_LINE}\n\nSecond line.\n")
    return folder


@pytest.mark.parametrize(
    ("further", "model"),
    [
        pytest.param({}, "gpt-5.5", id="think"),
        pytest.param(NO_THINKING, "gpt-5.4", id="default", marks=pytest.mark.full),
    ],
)
async def test_ccr_code_answers_a_turn_with_a_tool(tmp_path: Path, further: dict[str, str], model: str) -> None:
    folder, home = project(tmp_path), tmp_path / "home"
    script = reading(CHAT, "Read", {"file_path": str(folder / "README.md")})
    async with WireServer(script) as upstream:
        config = serving(CHAT, upstream.url, *MODELS, by_name=True)
        async with anykey_up(tmp_path, config) as gateway, routed(home, gateway):
            environment = {**bare_environment(home, node_directory()), **QUIET, **further}
            environment["CLAUDE_PATH"] = str(ensure_claude())
            command = (ensure_ccr(), "code", "-p", QUESTION, "--allowedTools", "Read,Bash")
            ended = await run(command, folder, environment)
            assert ended.code == 0, ended
            rows = await gateway.rows(2)
    assert "I was given:" in ended.stdout
    assert FIRST_LINE in ended.stdout
    first, second = [call.json() for call in upstream.calls]
    assert {call.target for call in upstream.calls} == {"/v1/chat/completions"}
    assert {call.header("authorization") for call in upstream.calls} == {"Bearer lab-secret"}
    assert (first["model"], second["model"], first["stream"]) == (model, model, True)
    assert {"Read", "Bash", "Edit"} <= set(tool_names(first))
    assert QUESTION in upstream.calls[0].body.decode()
    assert second["messages"][-2]["tool_calls"][0]["id"] == second["messages"][-1]["tool_call_id"] == "call_0"
    assert FIRST_LINE in tool_results(second)[0]
    for row in rows:
        assert (row["client_protocol"], row["upstream_protocol"], row["model_asked"]) == (CHAT, CHAT, model)
        assert (row["failure"], row["input_tokens"], row["output_tokens"]) == (None, 120, 11)


async def test_each_scenario_reaches_the_model_written_for_it(tmp_path: Path) -> None:
    scenarios = ("default", "background", "think", "longContext")
    models = tuple(f"model-for-{scenario}" for scenario in scenarios)
    router = {scenario: f"byecore,{model}" for scenario, model in zip(scenarios, models, strict=True)}
    folder = project(tmp_path)
    asked: dict[str, tuple[str, ...]] = {
        "default": ("good day",),
        "background": ("good day", "--model", "haiku"),
        "think": ("good day",),
        "longContext": (f"good day {LONG}",),
    }
    async with WireServer(playing(CHAT, Turn("Good day to you."))) as upstream:
        config = serving(CHAT, upstream.url, *models, by_name=True)
        async with anykey_up(tmp_path, config) as gateway, routed(tmp_path / "home", gateway, models, router) as url:
            for scenario, options in asked.items():
                environment = {
                    **bare_environment(tmp_path / "claude-home", node_directory()),
                    **QUIET,
                    **({} if scenario == "think" else NO_THINKING),
                    "ANTHROPIC_BASE_URL": url,
                    "ANTHROPIC_AUTH_TOKEN": "whatever",
                }
                ended = await run((ensure_claude(), "-p", *options), folder, environment)
                assert ended.code == 0, (scenario, ended)
                assert ended.stdout.strip() == "Good day to you."
    assert [call.json()["model"] for call in upstream.calls] == list(models)


@pytest.mark.corpus
async def test_the_configuration_is_the_one_that_users_are_given(corpus: Path) -> None:
    page = (corpus.parent / "seeds" / PAGE).read_text()
    given, _ = json.JSONDecoder().raw_decode(page, page.index('{\n"Providers"'))
    key = given["Providers"][0]["api_key"]
    assert configuration("https://api.byecore.com", key, MODELS, ROUTER) == given
