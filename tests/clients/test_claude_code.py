"""Claude Code (Anthropic Messages) against `anykey up`, with a model behind it that speaks OpenAI Chat only."""

import time
from functools import partial
from pathlib import Path

import pytest

from tests.clients.install import ensure_claude, node_directory
from tests.clients.running import DEMO, Ended, GatewayProcess, anykey_up, bare_environment, run
from tests.clients.turns import Turn
from tests.clients.upstreams import (
    DETAILS,
    TARGETS,
    give,
    playing,
    reading,
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
from tests.sdk.said import telling

pytestmark = pytest.mark.program
FIRST_LINE = "Sundial keeps the hours of 4711 gardens"
QUESTION = "read README.md and say its first line"


async def claude(gateway: GatewayProcess, directory: Path, prompt: str, key: str = "") -> Ended:
    """`claude -p PROMPT` in a folder with a README.md."""
    folder = directory / "project"
    folder.mkdir(exist_ok=True)
    (folder / "README.md").write_text(f"{FIRST_LINE}\n\nSecond line.\n")
    environment = {
        **bare_environment(directory / "claude-home", node_directory()),
        "ANTHROPIC_BASE_URL": gateway.url,
        "ANTHROPIC_AUTH_TOKEN": key or gateway.key,
        "ANTHROPIC_MODEL": "test-model",
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": "test-model",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_TELEMETRY": "1",
    }
    return await run((ensure_claude(), "-p", prompt, "--allowedTools", "Read,Bash"), folder, environment)


async def test_tool_turn_on_the_demo_model(tmp_path: Path) -> None:
    """Show 2: the model calls Read, Claude Code runs it, the answer is the file's first line."""
    async with anykey_up(tmp_path, DEMO.format(protocol=CHAT)) as gateway:
        ended = await claude(gateway, tmp_path, QUESTION)
        assert ended.code == 0, ended
        assert FIRST_LINE in ended.stdout
        first, second = await gateway.rows(2)
    for row in (first, second):
        assert (row["client"], row["client_protocol"], row["upstream_protocol"]) == ("claude-code", MESSAGES, CHAT)
        assert (row["status"], row["model_asked"], row["stream"]) == (200, "test-model", True)
        assert row["input_tokens"] > 1000
        assert row["output_tokens"] > 0
    assert (first["finish"], second["finish"]) == ("tool_calls", "stop")


async def test_what_a_chat_upstream_is_asked(tmp_path: Path) -> None:
    script = reading(CHAT, "Read", {"file_path": str(tmp_path / "project" / "README.md")})
    async with WireServer(script) as upstream, anykey_up(tmp_path, lab(CHAT, upstream.url)) as gateway:
        ended = await claude(gateway, tmp_path, QUESTION)
        assert ended.code == 0, ended
        assert "I was given:" in ended.stdout
        assert FIRST_LINE in ended.stdout
        first, second = [call.json() for call in upstream.calls]
        rows = await gateway.rows(2)
    assert {call.target for call in upstream.calls} == {"/v1/chat/completions"}
    assert {call.header("authorization") for call in upstream.calls} == {"Bearer lab-secret"}
    assert (first["model"], first["stream"], first["stream_options"]) == (
        "upstream-model",
        True,
        {"include_usage": True},
    )
    assert {"Read", "Bash", "Edit"} <= set(tool_names(first))
    # A line that changes with every request would spoil the upstream's prompt cache.
    assert "x-anthropic-billing-header" not in upstream.calls[0].body.decode()
    assert [message["role"] for message in first["messages"]][:1] == ["system"]
    assert QUESTION in upstream.calls[0].body.decode()
    assert second["messages"][-2]["tool_calls"][0]["id"] == second["messages"][-1]["tool_call_id"] == "call_0"
    assert FIRST_LINE in tool_results(second)[0]
    assert [(row["input_tokens"], row["output_tokens"]) for row in rows] == [(120, 11), (120, 11)]


@pytest.mark.parametrize("protocol", [GEMINI, RESPONSES, CHAT])
async def test_three_tool_turns_keep_the_state_of_the_upstream(tmp_path: Path, protocol: str) -> None:
    """Show 3: `thoughtSignature` on each call of the history, as the upstream made it; elsewhere what it has instead."""
    folder = tmp_path / "project"
    turns = (
        Turn(tool="Read", arguments={"file_path": str(folder / "README.md")}, thought="Read first."),
        Turn(tool="Bash", arguments={"command": "echo $((4711 * 2))", "description": "Double"}, thought="Count."),
        Turn(tool="Read", arguments={"file_path": str(folder / "missing.md")}, thought="Look for more."),
        Turn("That is all.", thought="No more."),
    )
    config = partial(serving, protocol, chat=DETAILS)
    script = playing(protocol, *turns)
    async with WireServer(script) as upstream, anykey_up(tmp_path, config(upstream.url)) as gateway:
        ended = await claude(gateway, tmp_path, QUESTION)
        assert ended.code == 0, ended
        rows = await gateway.rows(4)
    assert ended.stdout.strip() == "That is all."
    asked = [call.json() for call in upstream.calls]
    kept = [signature_of(number) for number in range(3)]
    assert [states(one) for one in asked] == [[], kept[:1], kept[:2], kept]
    assert {call.target for call in upstream.calls} == {TARGETS[protocol]}
    assert {"Read", "Bash", "Edit"} <= set(tool_names(asked[0]))
    found = tool_results(asked[3])
    assert FIRST_LINE in found[0]
    assert "9422" in found[1]
    assert "does not exist" in found[2]
    assert "x-anthropic-billing-header" not in upstream.calls[0].body.decode()
    for row in rows:
        assert (row["client"], row["client_protocol"], row["upstream_protocol"]) == ("claude-code", MESSAGES, protocol)
        assert (row["failure"], row["input_tokens"], row["output_tokens"]) == (None, 120, 11)


async def test_a_wrong_key_is_told_at_once(tmp_path: Path) -> None:
    """Without `x-should-retry: false` Claude Code repeats a 401 for three minutes."""
    async with anykey_up(tmp_path, DEMO.format(protocol=CHAT)) as gateway:
        ended = await claude(gateway, tmp_path, "hello", key="ak-nobody-made-this-key")
        assert ended.code == 1, ended
        assert ended.seconds < 10
        assert "not a key of this gateway" in ended.stdout


async def test_retry_after_is_kept(tmp_path: Path) -> None:
    asked_at: list[float] = []

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        asked_at.append(time.monotonic())
        if len(asked_at) == 1:
            error = {"message": "slow down", "type": "rate_limit_error", "param": None, "code": None}
            await connection.json(429, {"error": error}, (("retry-after", "3"),))
        else:
            await telling(say(CHAT, "Rested and well."))(call, connection)

    async with WireServer(script) as upstream, anykey_up(tmp_path, lab(CHAT, upstream.url)) as gateway:
        ended = await claude(gateway, tmp_path, "hello")
        assert ended.code == 0, ended
        assert "Rested and well." in ended.stdout
    assert len(asked_at) == 2
    # Its own pause before the first repetition would be 0.6 s.
    assert 2.9 < asked_at[1] - asked_at[0] < 8


async def test_a_broken_stream_is_asked_again_whole(tmp_path: Path) -> None:
    """The in-stream error makes Claude Code fall back to a call without streaming."""

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        if call.json().get("stream"):
            await connection.sse_start()
            await connection.sse(*say(CHAT, "Half of an answer").stream[:3])
            connection.reset()
        else:
            await give(say(CHAT, "Whole at last."), call, connection)

    async with WireServer(script) as upstream, anykey_up(tmp_path, lab(CHAT, upstream.url)) as gateway:
        ended = await claude(gateway, tmp_path, "hello")
        assert ended.code == 0, ended
        assert ended.stdout.strip() == "Whole at last."
        streamed, whole = await gateway.rows(2)
    assert [bool(call.json().get("stream")) for call in upstream.calls] == [True, False]
    assert (streamed["failure"], streamed["stream"]) == ("upstream_error", True)
    assert (whole["failure"], whole["stream"], whole["output_tokens"]) == (None, False, 11)
