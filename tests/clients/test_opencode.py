"""OpenCode against `anykey up`: as a Chat client of a Messages model, and as a Messages client of a Chat model.

The most fragile client of all: a stream without its end makes it ask again for ever, five times a second.
"""

import json
from pathlib import Path

import pytest

from tests.clients.install import ensure_opencode, node_directory
from tests.clients.running import DEMO, PROGRAM_TIMEOUT_S, Ended, GatewayProcess, anykey_up, bare_environment, run
from tests.clients.upstreams import give, reading, say, tool_names, tool_result
from tests.fakes.answers import CHAT, MESSAGES
from tests.fakes.gateway import lab
from tests.fakes.wire import RecordedCall, WireConnection, WireServer

pytestmark = pytest.mark.program
FIRST_LINE = "Sundial keeps the hours of 4711 gardens"
QUESTION = "read README.md and say its first line"
PACKAGES = {CHAT: "@ai-sdk/openai-compatible", MESSAGES: "@ai-sdk/anthropic"}
UNTITLED = ("--title", "test")  # without it, OpenCode first asks the model for a title
OPPOSITE = {CHAT: MESSAGES, MESSAGES: CHAT}


async def opencode(
    gateway: GatewayProcess, directory: Path, protocol: str, *words: str, timeout_s: float = PROGRAM_TIMEOUT_S
) -> Ended:
    """`opencode run WORDS`, speaking this protocol, in a folder with a README.md."""
    folder = directory / "project"
    folder.mkdir(exist_ok=True)
    (folder / "README.md").write_text(f"{FIRST_LINE}\n\nSecond line.\n")
    model = {"name": "Test", "limit": {"context": 200000, "output": 32000}}
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
                "options": {"baseURL": gateway.url + "/v1", "apiKey": "{env:ANYKEY_API_KEY}"},
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
    return await run((ensure_opencode(), "run", *words), folder, environment, timeout_s)


@pytest.mark.parametrize("protocol", [CHAT, MESSAGES])
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


@pytest.mark.parametrize("protocol", [CHAT, MESSAGES])
async def test_what_the_upstream_is_asked(tmp_path: Path, protocol: str) -> None:
    other = OPPOSITE[protocol]
    script = reading(other, "read", {"filePath": str(tmp_path / "project" / "README.md")})
    async with WireServer(script) as upstream, anykey_up(tmp_path, lab(other, upstream.url)) as gateway:
        ended = await opencode(gateway, tmp_path, protocol, *UNTITLED, QUESTION)
        assert ended.code == 0, ended
        assert "I was given:" in ended.stdout
        assert FIRST_LINE in ended.stdout
        rows = await gateway.rows(2)
    first, second = [call.json() for call in upstream.calls]
    assert {call.target for call in upstream.calls} == {"/v1/chat/completions" if other == CHAT else "/v1/messages"}
    assert (first["model"], first["stream"]) == ("upstream-model", True)
    assert {"read", "bash", "glob"} <= set(tool_names(first))
    assert FIRST_LINE in (tool_result(second) or "")
    assert [(row["input_tokens"], row["output_tokens"]) for row in rows] == [(120, 11), (120, 11)]


@pytest.mark.parametrize("protocol", [CHAT, MESSAGES])
async def test_text_turn_and_title(tmp_path: Path, protocol: str) -> None:
    """Two calls at once: the answer, and a title, which comes without tools and with two user messages in a row."""
    other = OPPOSITE[protocol]

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        asked = call.json()
        await give(say(other, "Good day." if tool_names(asked) else "A title"), asked, connection)

    async with WireServer(script) as upstream, anykey_up(tmp_path, lab(other, upstream.url)) as gateway:
        ended = await opencode(gateway, tmp_path, protocol, "hello")
        assert ended.code == 0, ended
        assert "Good day." in ended.stdout
        rows = await gateway.rows(2)
    assert sorted(bool(tool_names(call.json())) for call in upstream.calls) == [False, True]
    assert [(row["failure"], row["status"], row["output_tokens"]) for row in rows] == [(None, 200, 11)] * 2


@pytest.mark.parametrize("protocol", [CHAT, MESSAGES])
async def test_a_broken_stream_does_not_make_it_loop(tmp_path: Path, protocol: str) -> None:
    """The upstream always ends cleanly in the middle of its answer, which alone would mean 50 requests in 10 seconds."""
    other = OPPOSITE[protocol]

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        told = say(other, "Half of an answer").stream
        await connection.sse_start()
        await connection.sse(*told[:3])
        await connection.sse_end()

    async with WireServer(script) as upstream, anykey_up(tmp_path, lab(other, upstream.url)) as gateway:
        await opencode(gateway, tmp_path, protocol, *UNTITLED, "hello", timeout_s=10)
        # It shows the error of Messages at once; that of Chat it takes for passing, and waits 2 s, 4 s, 8 s.
        assert 1 <= len(upstream.calls) <= (1 if protocol == MESSAGES else 4)
        rows = await gateway.rows(1)
    assert {row["failure"] for row in rows} == {"upstream_error"}
