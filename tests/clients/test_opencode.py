"""OpenCode, which speaks all four protocols, against `anykey up` with a model behind it that speaks another one.

The most fragile client of all: a stream without its end makes it ask again for ever, five times a second.
"""

import asyncio
import json
import time
from contextlib import suppress
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from tests.clients.install import ensure_opencode, node_directory
from tests.clients.running import DEMO, Ended, GatewayProcess, anykey_up, bare_environment, run
from tests.clients.turns import Turn
from tests.clients.upstreams import (
    DETAILS,
    TARGETS,
    give,
    over,
    playing,
    say,
    serving,
    states,
    tool_names,
    tool_results,
)
from tests.fakes.agents import GEMINI, RESPONSES, signature_of
from tests.fakes.answers import CHAT, MESSAGES
from tests.fakes.gateway import lab
from tests.fakes.wire import RecordedCall, WireConnection, WireServer

pytestmark = pytest.mark.program
FIRST_LINE = "Sundial keeps the hours of 4711 gardens"
QUESTION = "read README.md and say its first line"
PACKAGES = {
    CHAT: "@ai-sdk/openai-compatible",
    MESSAGES: "@ai-sdk/anthropic",
    RESPONSES: "@ai-sdk/openai",
    GEMINI: "@ai-sdk/google",
}
DEFAULT = ((CHAT, MESSAGES), (MESSAGES, CHAT), (RESPONSES, GEMINI), (GEMINI, RESPONSES))
PAIRS = [
    pytest.param(mine, theirs, marks=() if (mine, theirs) in DEFAULT else pytest.mark.full)
    for mine in PACKAGES
    for theirs in PACKAGES
    if mine != theirs
]
UNTITLED = ("--title", "test")  # without it, OpenCode first asks the model for a title
OPPOSITE = {CHAT: MESSAGES, MESSAGES: CHAT}


async def opencode(gateway: GatewayProcess, directory: Path, protocol: str, *words: str) -> Ended:
    """`opencode run WORDS`, speaking this protocol, in a folder with a README.md."""
    folder = directory / "project"
    folder.mkdir(exist_ok=True)
    (folder / "README.md").write_text(f"{FIRST_LINE}\n\nSecond line.\n")
    model = {"name": "Test", "reasoning": True, "limit": {"context": 200000, "output": 32000}}
    path = "/v1beta" if protocol == GEMINI else "/v1"
    config = {
        "$schema": "https://opencode.ai/config.json",
        "model": "anykey/test-model",
        "small_model": "anykey/test-model",
        "autoupdate": False,
        "share": "disabled",
        "provider": {
            "anykey": {
                "npm": PACKAGES[protocol],
                "name": "anykey",
                "options": {"baseURL": gateway.url + path, "apiKey": "{env:ANYKEY_API_KEY}"},
                "models": {"test-model": model},
            }
        },
    }
    environment = {
        **bare_environment(directory / "opencode-home", node_directory()),
        "ANYKEY_API_KEY": gateway.key,
        "OPENCODE_CONFIG_CONTENT": json.dumps(config),
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    }
    return await run((ensure_opencode(), "run", *words), folder, environment)


@pytest.mark.parametrize("protocol", over(CHAT, full=(MESSAGES,)))
async def test_tool_turn_on_the_demo_model(tmp_path: Path, protocol: str) -> None:
    async with anykey_up(tmp_path, DEMO.format(protocol=OPPOSITE[protocol])) as gateway:
        ended = await opencode(gateway, tmp_path, protocol, *UNTITLED, QUESTION)
        assert ended.code == 0, ended
        assert FIRST_LINE in ended.stdout
        first, second = await gateway.rows(2)
    for row in (first, second):
        found = (row["client"], row["client_protocol"], row["upstream_protocol"])
        assert found == ("opencode", protocol, OPPOSITE[protocol])
        assert (row["status"], row["model_asked"], row["stream"]) == (200, "test-model", True)
        assert row["input_tokens"] > 1000
        assert row["output_tokens"] > 0
    assert (first["finish"], second["finish"]) == ("tool_calls", "stop")


@pytest.mark.parametrize(("mine", "theirs"), PAIRS)
async def test_two_tool_turns(tmp_path: Path, mine: str, theirs: str) -> None:
    turns = (
        Turn(tool="read", arguments={"filePath": str(tmp_path / "project" / "README.md")}, thought="Read first."),
        Turn(tool="bash", arguments={"command": "echo $((4711 * 2))", "description": "Double"}, thought="Count."),
        Turn("That is all.", thought="No more."),
    )
    config = partial(serving, theirs, chat=DETAILS)
    script = playing(theirs, *turns)
    async with WireServer(script) as upstream, anykey_up(tmp_path, config(upstream.url)) as gateway:
        ended = await opencode(gateway, tmp_path, mine, *UNTITLED, QUESTION)
        assert ended.code == 0, ended
        assert "That is all." in ended.stdout
        rows = await gateway.rows(3)
    asked = [call.json() for call in upstream.calls]
    assert {call.target for call in upstream.calls} == {TARGETS[theirs]}
    assert {"read", "bash", "glob"} <= set(tool_names(asked[0]))
    found = tool_results(asked[2])
    assert FIRST_LINE in found[0]
    assert "9422" in found[1]
    for row in rows:
        assert (row["client"], row["client_protocol"], row["upstream_protocol"]) == ("opencode", mine, theirs)
        assert (row["failure"], row["input_tokens"], row["output_tokens"]) == (None, 120, 11)
    kept = [signature_of(number) for number in range(2)] if mine != CHAT else []
    # As a Chat client it sends back what the model thought, but no state.
    assert [states(one) for one in asked] == [[], kept[:1], kept]


@pytest.mark.parametrize("protocol", over(CHAT, full=(MESSAGES,)))
async def test_text_turn_and_title(tmp_path: Path, protocol: str) -> None:
    """Two calls at once: the answer, and a title, which comes without tools and with two user messages in a row."""
    other = OPPOSITE[protocol]

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        asked = call.json()
        await give(say(other, "Good day." if tool_names(asked) else "A title"), call, connection)

    async with WireServer(script) as upstream, anykey_up(tmp_path, lab(other, upstream.url)) as gateway:
        ended = await opencode(gateway, tmp_path, protocol, "hello")
        assert ended.code == 0, ended
        assert "Good day." in ended.stdout
        rows = await gateway.rows(2)
    assert sorted(bool(tool_names(call.json())) for call in upstream.calls) == [False, True]
    assert [(row["failure"], row["status"], row["output_tokens"]) for row in rows] == [(None, 200, 11)] * 2


@pytest.mark.parametrize("protocol", [CHAT, MESSAGES])
async def test_a_broken_stream_does_not_make_it_loop(tmp_path: Path, protocol: str) -> None:
    """The upstream always ends cleanly in the middle of its answer, which alone would mean five requests a second."""
    other = OPPOSITE[protocol]
    asked_at: list[float] = []

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        asked_at.append(time.monotonic())
        told = say(other, "Half of an answer").stream
        await connection.sse_start()
        await connection.sse(*told[:3])
        await connection.sse_end()

    async with WireServer(script) as upstream, anykey_up(tmp_path, lab(other, upstream.url)) as gateway:
        program = asyncio.create_task(opencode(gateway, tmp_path, protocol, *UNTITLED, "hello"))
        while len(asked_at) < 3 and not program.done():
            await asyncio.sleep(0.1)
        program.cancel()
        with suppress(asyncio.CancelledError):
            await program
        rows = await gateway.rows(1)
    # It shows the error of Messages at once; that of Chat it takes for passing, and waits 2 s, then 4 s.
    assert len(asked_at) == (1 if protocol == MESSAGES else 3)
    assert all(later - earlier > 1 for earlier, later in pairwise(asked_at))
    assert {row["failure"] for row in rows} == {"upstream_error"}
