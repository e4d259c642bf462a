"""`anykey usage` over rows of the real writer."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from anykey.administration.home import prepare_home
from anykey.cli.main import main
from anykey.storage.attempts import Place, answered, as_text
from anykey.storage.records import ExchangeRow
from anykey.storage.writer import ExchangeWriter

ROW = ExchangeRow(
    id="req_1",
    at=int(time.time() * 1000),
    key_id="k1",
    client="claude-cli/2.1",
    client_protocol="anthropic_messages",
    upstream_protocol="openai_chat",
    provider="lab",
    deployment="lab/gpt-x",
    model_asked="gpt-x",
    model_answered="gpt-x-2026",
    stream=True,
    attempts=1,
    input_tokens=100,
    cache_read_tokens=900,
    output_tokens=20,
    reasoning_tokens=3,
    usage_source="upstream",
    finish="tool_calls",
    status=200,
    losses=("top_k", "metadata"),
    first_token_ms=12,
    total_ms=345,
    metadata='{"team":"search"}',
    attempt_details=as_text([answered(Place("lab/gpt-x"), 2, 5, 340, 200)]),
)
FAILED = ExchangeRow(
    id="req_2",
    at=ROW.at - 1000,
    key_id="k1",
    client="aider",
    client_protocol="openai_chat",
    model_asked="nope",
    stream=False,
    attempts=0,
    status=404,
    failure="unknown_model",
    total_ms=1,
)


@pytest.fixture
def rows(home: Path) -> None:
    async def write() -> None:
        writer = ExchangeWriter(prepare_home(home).database)
        writer.record(ROW)
        writer.record(FAILED)
        await writer.aclose()

    asyncio.run(write())


def table(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[list[str]]:
    assert main(["usage", *arguments]) == 0
    return [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]


def test_nothing_used_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert table(capsys) == [["Nothing", "was", "used", "in", "this", "period."]]


@pytest.mark.usefixtures("rows")
def test_totals_by_model(capsys: pytest.CaptureFixture[str]) -> None:
    lines = table(capsys)
    assert lines[0][:3] == ["Model", "Calls", "Failed"]
    assert lines[2:] == [
        ["gpt-x", "1", "0", "100", "900", "0", "20", "3"],
        ["nope", "1", "1", "0", "0", "0", "0", "0"],
    ]


@pytest.mark.usefixtures("rows")
def test_recent_exchanges_say_how_each_went(capsys: pytest.CaptureFixture[str]) -> None:
    lines = table(capsys, "--recent", "5")
    assert " ".join(lines[2][2:]) == (
        "claude-cli/2.1 anthropic_messages → openai_chat gpt-x → lab/gpt-x 1000/23 tool_calls 200 top_k, metadata 12/345"
    )
    assert " ".join(lines[3][2:]) == "aider openai_chat nope 0/0 unknown_model 404 - -/1"


@pytest.mark.usefixtures("rows")
def test_recent_json_is_the_whole_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["usage", "--recent", "1", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    one = {"number": 2, "deployment": "lab/gpt-x", "outcome": "answered", "began_ms": 5, "took_ms": 340, "status": 200}
    values = {"losses": list(ROW.losses), "metadata": {"team": "search"}, "attempt_details": [one]}
    assert row == {name: getattr(ROW, name) for name in ROW.__struct_fields__} | values


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    ("by", "groups"),
    [("client", ["aider", "claude-cli/2.1"]), ("provider", ["-", "lab"]), ("key", ["k1"])],
)
def test_totals_json_by(capsys: pytest.CaptureFixture[str], by: str, groups: list[str]) -> None:
    assert main(["usage", "--by", by, "--json"]) == 0
    assert [total["group"] for total in json.loads(capsys.readouterr().out)] == groups


@pytest.mark.usefixtures("rows")
def test_filters_narrow(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["usage", "--model", "nope", "--recent", "9", "--json"]) == 0
    assert [row["id"] for row in json.loads(capsys.readouterr().out)] == ["req_2"]


def test_a_wrong_period_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["usage", "--since", "yesterday"]) == 1
    assert capsys.readouterr().err.startswith("Error: yesterday is not a period.")


@pytest.mark.usefixtures("rows")
def test_by_what_calls_are_marked_with(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["usage", "--by", "metadata.team", "--json"]) == 0
    assert [total["group"] for total in json.loads(capsys.readouterr().out)] == ["-", "search"]
    assert main(["usage", "--by", "metadata.team"]) == 0
    assert "Metadata" in capsys.readouterr().out
    assert main(["usage", "--metadata", "team=search", "--recent", "9", "--json"]) == 0
    assert [row["id"] for row in json.loads(capsys.readouterr().out)] == ["req_1"]


@pytest.mark.parametrize("by", ["nothing", "metadata.", "metadata"])
def test_what_is_no_grouping_is_refused(capsys: pytest.CaptureFixture[str], by: str) -> None:
    assert main(["usage", "--by", by]) == 2
    assert "--by" in capsys.readouterr().err


def test_a_pair_has_an_equals_sign(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["usage", "--metadata", "team"]) == 1
    assert "team is no pair" in capsys.readouterr().err
