"""`anykey losses` over rows of the real writer."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from anykey.administration.home import prepare_home
from anykey.cli.main import main
from anykey.conversation.losses import Loss
from anykey.storage.records import ExchangeRow
from anykey.storage.writer import ExchangeWriter

LOSSES = (
    Loss("dropped", "tools[0]", "not there"),
    Loss("approximated", "choices[0].x", "near", "response"),
)
ROW = ExchangeRow(
    id="req_1",
    at=int(time.time() * 1000),
    key_id="k1",
    client="codex",
    client_protocol="openai_responses",
    upstream_protocol="openai_chat",
    deployment="lab/m",
    model_asked="m",
    stream=True,
    attempts=1,
    status=200,
    losses=("dropped:tools", "approximated:choices.x"),
    total_ms=5,
    loss_details=LOSSES,
)
OLDER = ExchangeRow(
    id="req_0",
    at=ROW.at - 10,
    key_id="k1",
    client="aider",
    client_protocol="openai_chat",
    upstream_protocol="anthropic_messages",
    model_asked="n",
    stream=True,
    attempts=1,
    status=200,
    losses=("dropped:seed",),
    total_ms=5,
)


@pytest.fixture
def rows(home: Path) -> None:
    async def write() -> None:
        writer = ExchangeWriter(prepare_home(home).database)
        writer.record(ROW)
        writer.record(OLDER)
        await writer.aclose()

    asyncio.run(write())


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["losses", *arguments]) == 0
    return capsys.readouterr().out


def test_nothing_lost_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys) == "Nothing was lost.\n"


@pytest.mark.usefixtures("rows")
def test_one_line_a_loss(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line for line in said(capsys).splitlines() if line.strip()]
    assert lines[0].split() == ["Time", "Id", "Protocols", "Model", "Side", "What", "Place", "Reason"]
    body = lines[2:]
    assert len(body) == 3
    assert "req_1" in body[0]
    assert "openai_responses → openai_chat" in body[0]
    assert body[0].rstrip().endswith("not there")
    assert body[1].split() == ["response", "approximated", "choices[0].x", "near"]
    assert body[2].split()[-2:] == ["dropped", "seed"]  # a row that has only codes


@pytest.mark.usefixtures("rows")
def test_json_and_filters(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(said(capsys, "--json"))
    assert [row["id"] for row in found] == ["req_1", "req_0"]
    assert found[0]["loss_details"][0] == {
        "kind": "dropped",
        "path": "tools[0]",
        "reason": "not there",
        "side": "request",
    }
    assert [row["id"] for row in json.loads(said(capsys, "--model", "n", "--json"))] == ["req_0"]
    assert [row["id"] for row in json.loads(said(capsys, "--last", "1", "--json"))] == ["req_1"]
    assert [row["id"] for row in json.loads(said(capsys, "--request", "req_0", "--json"))] == ["req_0"]


@pytest.mark.usefixtures("rows")
def test_an_unknown_request_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["losses", "--request", "nope"]) == 1
    assert "nope" in capsys.readouterr().err
