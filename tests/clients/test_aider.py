"""Aider (OpenAI Chat) against `anykey up`, with a model behind it that speaks Anthropic Messages only.

Aider has no tools: an edit is text in its own format, and the commit message is a second call, not streamed.
"""

import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from tests.clients.install import ensure_aider
from tests.clients.running import DEMO, Ended, GatewayProcess, anykey_up, bare_environment, run
from tests.clients.upstreams import give, say
from tests.fakes.answers import CHAT, MESSAGES
from tests.fakes.gateway import lab
from tests.fakes.wire import RecordedCall, WireConnection, WireServer

pytestmark = pytest.mark.program
EDIT = 'Here it is.\n\ngreeting.py\n```\nprint("good evening")\n```\n'
COMMIT = "feat: greet in the evening"


def repository(directory: Path) -> Path:
    """A git repository with one file."""
    folder = directory / "project"
    folder.mkdir()
    (folder / "greeting.py").write_text('print("good morning")\n')
    for command in (
        ("init", "--quiet"),
        ("config", "user.email", "test@example.com"),
        ("config", "user.name", "Test"),
        ("add", "greeting.py"),
        ("commit", "--quiet", "--message", "start"),
    ):
        subprocess.run(("git", *command), cwd=folder, env=bare_environment(directory / "aider-home"), check=True)
    return folder


async def aider(gateway: GatewayProcess, folder: Path, prompt: str, *options: str) -> Ended:
    """`aider --message PROMPT greeting.py`, which edits and commits without asking."""
    environment = {
        **bare_environment(folder.parent / "aider-home"),
        "OPENAI_API_BASE": gateway.url + "/v1",
        "OPENAI_API_KEY": gateway.key,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it asks GitHub for prices first
    }
    command = (
        *(ensure_aider(), "--model", "openai/test-model", "--no-show-model-warnings"),
        *("--yes-always", "--no-check-update", "--no-analytics", "--no-gitignore", "--no-pretty", "--no-detect-urls"),
        *("--edit-format", "whole", "--message", prompt),
        *options,
        "greeting.py",
    )
    return await run(command, folder, environment)


async def test_text_turn_on_the_demo_model(tmp_path: Path) -> None:
    async with anykey_up(tmp_path, DEMO.format(protocol=MESSAGES)) as gateway:
        ended = await aider(gateway, repository(tmp_path), "good day to you", "--no-git")
        assert ended.code == 0, ended
        assert "This is anykey's demo model." in ended.stdout
        (row,) = await gateway.rows(1)
    # It calls through the OpenAI SDK and says so.
    assert (row["client"], row["client_protocol"], row["upstream_protocol"]) == ("openai-python", CHAT, MESSAGES)
    assert (row["status"], row["stream"], row["finish"]) == (200, True, "stop")
    assert row["input_tokens"] > 100
    assert row["output_tokens"] > 0


async def test_edit_and_commit_message(tmp_path: Path) -> None:
    async def script(call: RecordedCall, connection: WireConnection) -> None:
        asked = call.json()
        await give(say(MESSAGES, EDIT if asked.get("stream") else COMMIT), call, connection)

    async with WireServer(script) as upstream, anykey_up(tmp_path, lab(MESSAGES, upstream.url)) as gateway:
        folder = repository(tmp_path)
        ended = await aider(gateway, folder, "greet in the evening")
        assert ended.code == 0, ended
        rows = await gateway.rows(2)
    assert (folder / "greeting.py").read_text() == 'print("good evening")\n'
    told = subprocess.run(
        ("git", "log", "-1", "--format=%s"), cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert told == COMMIT
    edit, commit = [call.json() for call in upstream.calls]
    assert {call.target for call in upstream.calls} == {"/v1/messages"}
    assert {call.header("x-api-key") for call in upstream.calls} == {"lab-secret"}
    assert edit["stream"] is True
    assert not commit.get("stream")
    for asked in (edit, commit):
        assert asked["model"] == "upstream-model"
        assert asked["max_tokens"] > 0
        assert asked["system"]
        roles = [message["role"] for message in asked["messages"]]
        assert set(roles) <= {"user", "assistant"}
        assert all(one != other for one, other in pairwise(roles))
    assert "greet in the evening" in upstream.calls[0].body.decode()
    assert "good evening" in upstream.calls[1].body.decode()
    assert [(row["stream"], row["input_tokens"], row["output_tokens"]) for row in rows] == [
        (True, 120, 11),
        (False, 120, 11),
    ]
