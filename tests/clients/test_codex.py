"""Codex CLI (OpenAI Responses) against `anykey up`, with models behind it that speak anything but Responses.

What Codex sends depends on the model's name: it gives `gpt-5.5` a free-text `apply_patch` tool and `tool_search`, newer names
get their tools inside the input, and names it does not know get namespaces.
"""

import json
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.clients.install import ensure_codex, node_directory
from tests.clients.running import Ended, GatewayProcess, anykey_up, bare_environment, run
from tests.clients.turns import Turn
from tests.clients.upstreams import (
    DETAILS,
    REPLAY,
    TARGETS,
    over,
    playing,
    reciting,
    serving,
    states,
    tool_names,
    tool_results,
)
from tests.fakes.agents import GEMINI, RESPONSES, signature_of
from tests.fakes.answers import CHAT, MESSAGES
from tests.fakes.wire import WireServer

pytestmark = pytest.mark.program
SOCKETS = "supports_websockets = true"
NO_SOCKET = "failed to connect to Responses WebSocket"
WAITING = Turn(tool="multi_agent_v1__wait_agent", arguments={"targets": []})
SECRET = "Sundial keeps the hours of 4711 gardens"
PATCH = "*** Begin Patch\n*** Update File: greeting.py\n@@\n-print(1)\n+print('Grüße 😀')\n*** End Patch\n"
EDITING = (
    Turn(tool="exec_command", arguments={"cmd": "cat note.txt"}, thought="First the note."),
    Turn(tool="apply_patch", arguments={"input": PATCH}, thought="Now the patch."),
    Turn("The greeting is changed.", thought="It is done."),
)


class Door(NamedTuple):
    """An upstream: its protocol, and what a provider of Chat is said to take."""

    protocol: str
    chat: str = ""

    @property
    def signed(self) -> bool:
        return self.chat != REPLAY


DOORS = {
    "messages": Door(MESSAGES),
    "chat_details": Door(CHAT, DETAILS),
    "chat_replay": Door(CHAT, REPLAY),
    "gemini": Door(GEMINI),
}


async def codex(
    gateway: GatewayProcess, directory: Path, *words: str, model: str = "gpt-5.5", provider: str = ""
) -> Ended:
    """`codex exec WORDS` in a folder with two files; `provider` is added to its table of the gateway."""
    folder = directory / "project"
    home = directory / "codex-home"
    environment = {**bare_environment(home, node_directory()), "ANYKEY_API_KEY": gateway.key}
    if not folder.exists():
        folder.mkdir()
        (folder / "note.txt").write_text(f"{SECRET}\n")
        (folder / "greeting.py").write_text("print(1)\n")
        (home / ".codex").mkdir()
    (home / ".codex" / "config.toml").write_text(f"""
model = "{model}"
model_provider = "anykey"
check_for_update_on_startup = false
[analytics]
enabled = false
[model_providers.anykey]
name = "anykey"
base_url = "{gateway.url}/v1"
env_key = "ANYKEY_API_KEY"
{provider}
""")
    options = ("--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox")
    return await run((ensure_codex(), "exec", *options, *words), folder, environment)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
async def test_it_runs_a_command_and_edits_a_file(tmp_path: Path, door: Door) -> None:
    """Show 2: three model turns, then a second turn of the user, which carries all reasoning state back."""
    turns = [turn._replace(signed=door.signed) for turn in EDITING]
    script = playing(door.protocol, *turns)
    async with (
        WireServer(script) as upstream,
        anykey_up(tmp_path, serving(door.protocol, upstream.url, "gpt-5.5", chat=door.chat)) as gateway,
    ):
        ended = await codex(gateway, tmp_path, "change the greeting as the note says")
        assert ended.code == 0, ended
        assert "The greeting is changed." in ended.stdout
        again = await codex(gateway, tmp_path, "resume", "--last", "thank you")
        assert again.code == 0, again
        rows = await gateway.rows(4)
    assert (tmp_path / "project" / "greeting.py").read_text() == "print('Grüße 😀')\n"
    first, second, third, fourth = [call.json() for call in upstream.calls]
    assert {call.target for call in upstream.calls} == {TARGETS[door.protocol]}
    assert {"exec_command", "apply_patch", "tool_search"} <= set(tool_names(first))
    assert "begin_patch" in json.dumps(first)  # the grammar is in the description of the tool
    assert SECRET in tool_results(second)[0]
    assert "greeting.py" in tool_results(third)[1]
    assert "thank you" in upstream.calls[3].body.decode()
    kept = [signature_of(number) for number in range(3)]
    if door.signed:
        assert [states(asked) for asked in (first, second, third, fourth)] == [[], kept[:1], kept[:2], kept]
    else:
        assistants = [message for message in fourth["messages"] if message["role"] == "assistant"]
        assert [message["reasoning_content"] for message in assistants] == [turn.thought for turn in turns]
    for row in rows:
        assert (row["client"], row["client_protocol"], row["upstream_protocol"]) == ("codex", RESPONSES, door.protocol)
        assert (row["failure"], row["input_tokens"], row["output_tokens"]) == (None, 120, 11)


@pytest.mark.parametrize("protocol", over(CHAT, full=(MESSAGES, GEMINI)))
async def test_tools_of_a_namespace(tmp_path: Path, protocol: str) -> None:
    """Codex knows `wait_agent` only by that name and its namespace, and then says what is wrong with the call."""
    script = playing(protocol, WAITING, Turn("{result}"))
    async with WireServer(script) as upstream, anykey_up(tmp_path, serving(protocol, upstream.url)) as gateway:
        ended = await codex(gateway, tmp_path, "wait", model="test-model")
        assert ended.code == 0, ended
    assert WAITING.tool in tool_names(upstream.calls[0].json())
    assert ended.stdout.strip() == "agent ids must be non-empty"


@pytest.mark.parametrize("protocol", over(GEMINI, full=(CHAT, MESSAGES)))
async def test_tools_that_are_searched_for(tmp_path: Path, protocol: str) -> None:
    """What a search finds stands in the input only, and yet it is a tool of the next call upstream."""
    search = Turn(tool="tool_search", arguments={"query": "wait agent", "limit": 3})
    script = playing(protocol, search, WAITING, Turn("{result}"))
    config = partial(serving, protocol)
    async with WireServer(script) as upstream, anykey_up(tmp_path, config(upstream.url, "gpt-5.5")) as gateway:
        ended = await codex(gateway, tmp_path, "wait")
        assert ended.code == 0, ended
    offered = [WAITING.tool in tool_names(call.json()) for call in upstream.calls]
    assert offered == [False, True, True]
    assert ended.stdout.strip() == "agent ids must be non-empty"


@pytest.mark.parametrize("protocol", over(MESSAGES, full=(CHAT, GEMINI)))
async def test_tools_inside_the_input(tmp_path: Path, protocol: str) -> None:
    """A model that Codex knows well gets no `tools` at all; its one tool for everything takes free text in a namespace."""
    program = 'const done = await tools.exec_command({cmd: "cat note.txt"}); text(done);'
    script = playing(protocol, Turn(tool="functions__exec", arguments={"input": program}), Turn("{result}"))
    config = partial(serving, protocol)
    async with WireServer(script) as upstream, anykey_up(tmp_path, config(upstream.url, "gpt-6.1-sol")) as gateway:
        ended = await codex(gateway, tmp_path, "read note.txt", model="gpt-6.1-sol")
        assert ended.code == 0, ended
    assert {"functions__exec", "clock__sleep"} <= set(tool_names(upstream.calls[0].json()))
    assert "Script completed" in ended.stdout
    assert SECRET in ended.stdout


@pytest.mark.parametrize("protocol", over(MESSAGES, full=(CHAT, GEMINI)))
async def test_websocket(tmp_path: Path, protocol: str) -> None:
    """Codex warms up, then sends only what is new; the upstream is asked whole each time."""
    script = playing(protocol, *EDITING)
    config = partial(serving, protocol, chat=DETAILS)
    async with WireServer(script) as upstream, anykey_up(tmp_path, config(upstream.url, "gpt-5.5")) as gateway:
        ended = await codex(gateway, tmp_path, "change the greeting", provider=SOCKETS)
        assert ended.code == 0, ended
        rows = await gateway.rows(3)
    assert NO_SOCKET not in ended.stderr
    assert (tmp_path / "project" / "greeting.py").read_text() == "print('Grüße 😀')\n"
    kept = [signature_of(number) for number in range(2)]
    assert [states(call.json()) for call in upstream.calls] == [[], kept[:1], kept]
    assert [(row["client"], row["failure"], row["output_tokens"]) for row in rows] == [("codex", None, 11)] * 3


@pytest.mark.parametrize("protocol", over(CHAT, full=(MESSAGES, GEMINI)))
async def test_websocket_switched_off(tmp_path: Path, protocol: str) -> None:
    """The 426 makes Codex go on by POST at once: any other status costs it seven attempts and six seconds."""
    script = playing(protocol, *EDITING)
    config = partial(serving, protocol, chat=DETAILS)
    switch = "[server]\nresponses_websocket = false\n"
    async with WireServer(script) as upstream, anykey_up(tmp_path, switch + config(upstream.url, "gpt-5.5")) as gateway:
        ended = await codex(gateway, tmp_path, "change the greeting", provider=SOCKETS)
        assert ended.code == 0, ended
    assert ended.stderr.count(NO_SOCKET) == 1
    assert ended.seconds < 5
    assert (tmp_path / "project" / "greeting.py").read_text() == "print('Grüße 😀')\n"
    assert len(upstream.calls) == 3


@pytest.mark.parametrize("protocol", over(GEMINI, full=(CHAT, MESSAGES)))
@pytest.mark.parametrize(
    ("name", "order"), [("anykey", "CONTEXT CHECKPOINT COMPACTION"), ("OpenAI", "write a summary")]
)
async def test_compaction(tmp_path: Path, protocol: str, name: str, order: str) -> None:
    """Codex shortens a conversation that has grown too long: by a question of its own, or, when its provider is called
    OpenAI, by an item that demands one `compaction` item, for which the gateway asks the model."""
    read = Turn(tool="exec_command", arguments={"cmd": "cat note.txt"}, thought="First the note.", read_tokens=60_000)
    script = reciting(protocol, read, Turn("SUMMARY-77: the note was read.", thought="In short."), Turn("All done."))
    config = partial(serving, protocol, chat=DETAILS)
    options = ("-c", "model_auto_compact_token_limit=20000", "-c", f'model_providers.anykey.name="{name}"')
    async with WireServer(script) as upstream, anykey_up(tmp_path, config(upstream.url, "gpt-5.5")) as gateway:
        ended = await codex(gateway, tmp_path, *options, "read the note")
        assert ended.code == 0, ended
    assert ended.stdout.strip() == "All done."
    _, asked, shortened = [call.body.decode() for call in upstream.calls]
    assert SECRET in asked
    assert order in asked
    assert "SUMMARY-77: the note was read." in shortened
    assert "read the note" in shortened
    assert SECRET not in shortened
