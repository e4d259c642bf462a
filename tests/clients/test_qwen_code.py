"""Qwen Code, which speaks all four protocols, against `anykey up` with a model behind it that speaks another one.

After an answer that used no tool it asks once more in the background, for what is worth remembering.
"""

import json
from functools import partial
from pathlib import Path

import pytest

from tests.clients.install import ensure_qwen, node_directory
from tests.clients.running import Ended, GatewayProcess, anykey_up, bare_environment, run
from tests.clients.turns import Turn
from tests.clients.upstreams import DETAILS, TARGETS, playing, serving, states, tool_names, tool_results
from tests.fakes.agents import GEMINI, RESPONSES, signature_of
from tests.fakes.answers import CHAT, MESSAGES
from tests.fakes.wire import WireServer

pytestmark = pytest.mark.program
FIRST_LINE = "Sundial keeps the hours of 4711 gardens"
QUESTION = "read README.md and say its first line"
MODES = {
    CHAT: ("openai", "OPENAI", "/v1"),
    RESPONSES: ("openai-responses", "OPENAI", "/v1"),
    MESSAGES: ("anthropic", "ANTHROPIC", ""),
    GEMINI: ("gemini", "GEMINI", ""),
}
"""The value of `--auth-type`, the prefix of its variables, and what its base URL ends in."""
DEFAULT = ((CHAT, MESSAGES), (RESPONSES, CHAT), (MESSAGES, GEMINI), (GEMINI, RESPONSES))
PAIRS = [
    pytest.param(mine, theirs, marks=() if (mine, theirs) in DEFAULT else pytest.mark.full)
    for mine in MODES
    for theirs in MODES
    if mine != theirs
]


async def qwen(gateway: GatewayProcess, directory: Path, protocol: str, prompt: str) -> Ended:
    """`qwen -p PROMPT` in a folder with a README.md."""
    folder = directory / "project"
    folder.mkdir(exist_ok=True)
    (folder / "README.md").write_text(f"{FIRST_LINE}\n\nSecond line.\n")
    mode, prefix, path = MODES[protocol]
    environment = {
        **bare_environment(directory / "qwen-home", node_directory()),
        f"{prefix}_API_KEY": gateway.key,
        f"{prefix}_BASE_URL": gateway.url + path,
        f"{prefix}_MODEL": "test-model",
        "GOOGLE_GEMINI_BASE_URL": gateway.url,  # without it, the library of that mode calls Google
    }
    settings = directory / "qwen-home" / ".qwen" / "settings.json"
    settings.parent.mkdir(exist_ok=True)
    chosen = {
        "privacy": {"usageStatisticsEnabled": False},
        "general": {"enableAutoUpdate": False},
        "telemetry": {"enabled": False},
    }
    settings.write_text(json.dumps(chosen))
    return await run((ensure_qwen(), "--auth-type", mode, "-p", prompt), folder, environment)


@pytest.mark.parametrize(("mine", "theirs"), PAIRS)
async def test_two_tool_turns(tmp_path: Path, mine: str, theirs: str) -> None:
    folder = tmp_path / "project"
    turns = (
        Turn(tool="read_file", arguments={"file_path": str(folder / "README.md")}, thought="Read first."),
        Turn(tool="glob", arguments={"pattern": "*.md"}, thought="Look around."),
        Turn("That is all.", thought="No more."),
    )
    config = partial(serving, theirs, chat=DETAILS)
    script = playing(theirs, *turns)
    async with WireServer(script) as upstream, anykey_up(tmp_path, config(upstream.url)) as gateway:
        ended = await qwen(gateway, tmp_path, mine, QUESTION)
        assert ended.code == 0, ended
        rows = await gateway.rows(3)
    asked = [call.json() for call in upstream.calls]
    assert ended.stdout.strip() == "That is all."
    assert {call.target for call in upstream.calls} == {TARGETS[theirs]}
    assert {"read_file", "glob"} <= set(tool_names(asked[0]))
    found = tool_results(asked[2])
    assert FIRST_LINE in found[0]
    assert "README.md" in found[1]
    for row in rows:
        assert (row["client"], row["client_protocol"], row["upstream_protocol"]) == ("qwen-code", mine, theirs)
        assert (row["failure"], row["input_tokens"], row["output_tokens"]) == (None, 120, 11)
    kept = [signature_of(number) for number in range(2)] if mine != CHAT else []
    # As a Chat client it sends back what the model thought, but no state.
    assert [states(one) for one in asked] == [[], kept[:1], kept]
