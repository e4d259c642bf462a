"""Gemini CLI (Gemini) against `anykey up`, with models behind it that speak anything but Gemini.

Without a model it routes itself: it first asks one small model, whole and with a JSON schema, how hard the task is.
"""

import json
from functools import partial
from pathlib import Path

import pytest

from tests.clients.install import ensure_gemini, node_directory
from tests.clients.running import Ended, GatewayProcess, anykey_up, bare_environment, run
from tests.clients.turns import Turn, told
from tests.clients.upstreams import DETAILS, TARGETS, give, over, playing, serving, states, tool_names, tool_results
from tests.fakes.agents import GEMINI, RESPONSES, signature_of
from tests.fakes.answers import CHAT, MESSAGES
from tests.fakes.wire import RecordedCall, WireConnection, WireServer

pytestmark = pytest.mark.program
FIRST_LINE = "Sundial keeps the hours of 4711 gardens"
QUESTION = "read README.md and say its first line"
ROUTER = "gemini-3.5-flash-lite"
ROUTED = "gemini-3.8-flash"


async def gemini(gateway: GatewayProcess, directory: Path, prompt: str, *words: str) -> Ended:
    """`gemini -p PROMPT` in a folder with a README.md."""
    folder = directory / "project"
    folder.mkdir(exist_ok=True)
    (folder / "README.md").write_text(f"{FIRST_LINE}\n\nSecond line.\n")
    environment = {
        **bare_environment(directory / "gemini-home", node_directory()),
        "GEMINI_API_KEY": gateway.key,
        "GOOGLE_GEMINI_BASE_URL": gateway.url,
        "GEMINI_CLI_TRUST_WORKSPACE": "true",
    }
    settings = directory / "gemini-home" / ".gemini" / "settings.json"
    settings.parent.mkdir(exist_ok=True)
    chosen = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": False},
        "general": {"disableAutoUpdate": True, "enableAutoUpdate": False},
        "telemetry": {"enabled": False},
    }
    settings.write_text(json.dumps(chosen))
    return await run((ensure_gemini(), *words, "-p", prompt), folder, environment)


@pytest.mark.parametrize("protocol", [CHAT, MESSAGES, RESPONSES])
async def test_two_tool_turns(tmp_path: Path, protocol: str) -> None:
    turns = (
        Turn(tool="read_file", arguments={"file_path": "README.md"}, thought="Read first."),
        Turn(tool="list_directory", arguments={"dir_path": "."}, thought="Look around."),
        Turn("That is all.", thought="No more."),
    )
    config = partial(serving, protocol, chat=DETAILS)
    script = playing(protocol, *turns)
    async with WireServer(script) as upstream, anykey_up(tmp_path, config(upstream.url)) as gateway:
        ended = await gemini(gateway, tmp_path, QUESTION, "-m", "test-model")
        assert ended.code == 0, ended
        rows = await gateway.rows(3)
    assert ended.stdout.strip() == "That is all."
    asked = [call.json() for call in upstream.calls]
    kept = [signature_of(number) for number in range(2)]
    assert [states(one) for one in asked] == [[], kept[:1], kept]
    assert {call.target for call in upstream.calls} == {TARGETS[protocol]}
    assert {"read_file", "glob"} <= set(tool_names(asked[0]))
    found = tool_results(asked[2])
    assert FIRST_LINE in found[0]
    assert "README.md" in found[1]
    for row in rows:
        assert (row["client"], row["client_protocol"], row["upstream_protocol"]) == ("gemini-cli", GEMINI, protocol)
        assert (row["failure"], row["input_tokens"], row["output_tokens"]) == (None, 120, 11)


@pytest.mark.parametrize("protocol", over(MESSAGES, full=(CHAT, RESPONSES)))
async def test_its_own_router(tmp_path: Path, protocol: str) -> None:
    """An answer of the router that is not the JSON it asked for would make it wait for minutes."""
    verdict = {"complexity_reasoning": "simple", "complexity_score": 5}

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        answer = "Good day." if tool_names(call.json()) else json.dumps(verdict)
        await give(told(protocol, Turn(answer)), call, connection)

    config = partial(serving, protocol)
    async with WireServer(script) as upstream, anykey_up(tmp_path, config(upstream.url, ROUTER, ROUTED)) as gateway:
        ended = await gemini(gateway, tmp_path, "hello")
        assert ended.code == 0, ended
        rows = await gateway.rows(2)
    assert ended.stdout.strip() == "Good day."
    assert [(row["model_asked"], row["stream"], row["failure"]) for row in rows] == [
        (ROUTER, False, None),
        (ROUTED, True, None),
    ]
    assert "complexity_score" in upstream.calls[0].body.decode()
