"""`anykey conformance` against a gateway in the same process, as table, JSON and Markdown."""

import asyncio
import json
from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path

import pytest

from anykey.cli.main import main
from anykey.conformance.features import FEATURES
from anykey.demo.serve import DemoServer
from tests.fakes.gateway import RunningGateway
from tests.fakes.wire import WireServer, reply_json

ASKED = {"text", "tool_result", "namespace_tool", "models"}


@pytest.fixture
async def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[RunningGateway]:
    """One whose demo model speaks at once, asked a few things only: ``tests/unit/conformance`` asks everything."""
    monkeypatch.setattr("anykey.conformance.run.FEATURES", [one for one in FEATURES if one.name in ASKED])
    monkeypatch.setattr("anykey.server.built_in.DemoServer", partial(DemoServer, word_delay_s=0))
    async with RunningGateway(tmp_path) as running:
        yield running


async def run(*arguments: str) -> int:
    """The command in a thread: it has an event loop of its own."""
    return await asyncio.to_thread(main, ["conformance", *arguments])


async def test_table_json_and_markdown_hold_the_same(
    gateway: RunningGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("--against", gateway.url, "--key", gateway.key, "--protocol", "gemini_generate")
    assert await run(*asked, "--protocol", "anthropic_messages") == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{gateway.url}, model demo, ")
    lines = [line.split() for line in said.splitlines()]
    assert ["Feature", "Gemini", "Messages"] in lines
    assert ["text", "pass", "pass"] in lines
    assert ["namespace", "tool", "-", "-"] in lines
    assert ", 0 failed, " in said
    assert gateway.key not in said
    assert await run(*asked, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["kept"] is True
    assert report["counts"]["fail"] == 0
    assert sum(report["counts"].values()) == len(report["cells"])
    assert {cell["outcome"] for cell in report["cells"] if cell["feature"] == "text"} == {"pass"}
    assert await run(*asked, "--markdown") == 0
    assert "| text | pass |" in capsys.readouterr().out.splitlines()


async def test_the_key_may_come_from_the_environment_and_a_failure_is_the_exit_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANYKEY_API_KEY", "from-outside")
    async with WireServer(reply_json({"object": "list", "data": [{"id": "m"}]})) as server:
        assert await run("--against", server.url, "--protocol", "openai_chat", "--timeout", "5") == 1
    assert server.calls[0].header("authorization") == "Bearer from-outside"
    said = capsys.readouterr().out
    assert "FAIL" in said
    assert "from-outside" not in said


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--against", "ftp://x", "--key", "k"], 2, "--against"),
        (["--against", "http://127.0.0.1:1"], 2, "--key is missing"),
        (["--against", "http://127.0.0.1:1", "--key", "k", "--protocol", "soap"], 2, "openai_chat"),
        (["--against", "http://127.0.0.1:1", "--key", "k"], 1, "http://127.0.0.1:1 cannot be asked: no connection"),
    ],
)
def test_what_cannot_be_asked_is_said(
    arguments: list[str],
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ANYKEY_API_KEY", raising=False)
    assert main(["conformance", *arguments]) == code
    assert said in capsys.readouterr().err


async def test_a_refused_key_and_an_empty_list_end_it_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    async with WireServer(reply_json({}, 401)) as server:
        assert await run("--against", server.url, "--key", "k") == 1
        assert "does not take the key (HTTP 401)" in capsys.readouterr().err
        server.script = reply_json({"data": []})
        assert await run("--against", server.url, "--key", "k") == 1
        assert "--model" in capsys.readouterr().err
    assert len(server.calls) == 2


def test_help_tells_what_it_costs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conformance", "--help"]) == 0
    assert "About 200 short calls" in " ".join(capsys.readouterr().out.split())
