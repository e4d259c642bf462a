"""`anykey usage` over rows of the real writer."""

import asyncio
import csv
import io
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
    cost_nano=1_230_000,
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
    sums = ["gpt-x", "1", "0", "100", "900", "0", "20", "3", "$0.00123", "90%", "$0.00", "12/12", "350/395", "69"]
    assert lines[2][:6] == sums[:6]
    assert lines[2][6:11] == sums[6:11]
    assert lines[3] == ["nope", "1", "1", *"00000", "$0.00", "-", "$0.00", "-/-", "-/-", "-"]
    assert " ".join(lines[4]).startswith("Without a price: 0 calls.")


@pytest.mark.usefixtures("rows")
def test_recent_exchanges_say_how_each_went(capsys: pytest.CaptureFixture[str]) -> None:
    lines = table(capsys, "--recent", "5")
    assert " ".join(lines[2][2:]) == (
        "claude-cli/2.1 anthropic_messages → openai_chat gpt-x → lab/gpt-x 1000/23 tool_calls 200 top_k, metadata 12/345 $0.00123"
    )
    assert " ".join(lines[3][2:]) == "aider openai_chat nope 0/0 unknown_model 404 - -/1 -"


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
    [("client", ["aider", "claude-cli/2.1"]), ("provider", [None, "lab"]), ("key", ["k1"]), ("status", ["2xx", "4xx"])],
)
def test_totals_json_by(capsys: pytest.CaptureFixture[str], by: str, groups: list[str]) -> None:
    assert main(["usage", "--by", by, "--json"]) == 0
    assert [total["group"][by] for total in json.loads(capsys.readouterr().out)] == groups


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
    groups = [total["group"] for total in json.loads(capsys.readouterr().out)]
    assert groups == [{"metadata.team": None}, {"metadata.team": "search"}]
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


@pytest.mark.usefixtures("rows")
def test_two_dimensions_and_filters(capsys: pytest.CaptureFixture[str]) -> None:
    day = time.strftime("%Y-%m-%d", time.gmtime(ROW.at / 1000 + 8 * 3600))
    asked = ["--by", "day", "--by", "client", "--timezone", "+08:00", "--status", "2xx", "--client", "claude-cli/2.1"]
    assert main(["usage", *asked, "--json"]) == 0
    (line,) = json.loads(capsys.readouterr().out)
    assert line["group"] == {"day": day, "client": "claude-cli/2.1"}
    assert (line["cost_nano"], line["cost_usd"], line["cache_hit_rate"]) == (1_230_000, "0.00123", 0.9)
    assert main(["usage", *asked]) == 0
    assert day in capsys.readouterr().out


@pytest.mark.usefixtures("rows")
def test_from_and_to(capsys: pytest.CaptureFixture[str]) -> None:
    for asked, count in ((["--from", "2020-01-01"], 2), (["--since", "all", "--to", "2020-01-01"], 0)):
        assert main(["usage", *asked, "--recent", "9", "--json"]) == 0
        assert len(json.loads(capsys.readouterr().out)) == count
    assert main(["usage", "--from", "yesterday"]) == 2


@pytest.mark.usefixtures("rows")
def test_sums_as_csv_and_json_lines(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["usage", "--by", "model", "--csv"]) == 0
    head, first, second = list(csv.reader(io.StringIO(capfdbinary.readouterr().out.decode())))
    assert head[:3] == ["model", "exchanges", "failures"]
    assert first[:3] == ["gpt-x", "1", "0"]
    assert dict(zip(head, second, strict=True))["failures_by_kind"] == "unknown_model:1"
    assert main(["usage", "--by", "model", "--jsonl"]) == 0
    assert [json.loads(line)["group"]["model"] for line in capfdbinary.readouterr().out.splitlines()] == [
        "gpt-x",
        "nope",
    ]


@pytest.mark.usefixtures("rows")
def test_every_call_is_exported(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["usage", "export"]) == 0
    head, *rows = list(csv.reader(io.StringIO(capfdbinary.readouterr().out.decode())))
    assert [row[head.index("id")] for row in rows] == ["req_2", "req_1"]
    assert rows[1][head.index("cost_usd")] == "0.00123"
    assert main(["usage", "export", "--format", "jsonl", "--model", "gpt-x"]) == 0
    (line,) = capfdbinary.readouterr().out.splitlines()
    assert json.loads(line)["metadata"] == {"team": "search"}


@pytest.mark.usefixtures("rows")
def test_a_configuration_that_is_wrong_hides_no_usage(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "anykey.toml").write_text("[providers.x]\nkind = 'nonsense'\n", encoding="utf-8")
    assert table(capsys)[2][0] == "gpt-x"
