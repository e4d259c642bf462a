"""`anykey ledger`, as it is typed."""

import asyncio
import json
from contextlib import closing
from pathlib import Path

import pytest

from anykey.administration.home import Home, prepare_home
from anykey.cli.main import main
from anykey.storage.processes import give_up
from anykey.storage.till import Till
from tests.fakes.charges import NOON_MS, ask, ending, fill, opening, purse


@pytest.fixture
def ledger(home: Path) -> Home:
    """A wallet of 1000, a call that was settled at 30, one that is unknown at 100."""
    made = prepare_home(home)
    fill(made.database, 1000)

    async def calls() -> str:
        till = Till(made.database, clock_ms=lambda: NOON_MS, watched=False)
        for name in "ab":
            await till.open(opening(name, purse(prepaid=True), 100))
        till.close(ending("a", 30))
        await till.aclose()
        return till.process_id

    process = asyncio.run(calls())
    with closing(made.database.connect()) as connection:
        give_up(connection, process)
    return made


def test_a_right_ledger(ledger: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ledger", "verify"]) == 0
    told = capsys.readouterr().out
    assert "Debits $0.00000103, credits $0.00000103" in told
    assert "1 settled for $0.00000003 ($0.00000003 paid), 0 void, 0 open, 1 unknown" in told
    assert "The ledger is right" in told
    assert main(["ledger", "verify", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["balanced"], report["settled_nano"], report["broken"]) == (True, 30, [])
    assert main(["ledger", "list"]) == 0
    assert "credit:default" in capsys.readouterr().out
    assert main(["ledger", "list", "--json", "--limit", "1"]) == 0
    page = json.loads(capsys.readouterr().out)
    assert page["items"][0]["kind"] in {"call", "topup"}
    assert page["next"]


def test_a_wrong_one(ledger: Home, capsys: pytest.CaptureFixture[str]) -> None:
    ask(ledger.database, "UPDATE balances SET debits_posted = debits_posted + 7 WHERE account = 'cash'")
    assert main(["ledger", "verify"]) == 1
    told = capsys.readouterr().out
    assert "WRONG: all debits = all credits: $0.000001037 is not $0.00000103" in told
    assert "wrong in 2 places" in told
    assert main(["ledger", "verify", "--json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["broken"]) == 2


def test_the_unknown_is_settled(ledger: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ledger", "unsettled"]) == 0
    assert "unknown" in capsys.readouterr().out
    assert main(["ledger", "unsettled", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["items"][0]["id"] == "b"
    file = tmp_path / "amounts.csv"
    file.write_text("request_id,amount\nb,0.00000005\nzzz,1\n", encoding="utf-8-sig")
    assert main(["ledger", "reconcile", "--from", str(file)]) == 0
    told = capsys.readouterr()
    assert "Settled 1 calls for $0.00000005, voided 0" in told.out
    assert "zzz" in told.err
    assert main(["ledger", "unsettled"]) == 0
    assert "Everything is settled" in capsys.readouterr().out
    assert main(["ledger", "verify"]) == 0


@pytest.mark.parametrize(("option", "settled", "voided"), [("--settle", 1, 0), ("--void", 0, 1)])
def test_by_decision(ledger: Home, option: str, settled: int, voided: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ledger", "reconcile", "b", option, "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["settled"], done["voided"], done["left_out"]) == (settled, voided, [])


@pytest.mark.parametrize("arguments", [[], ["--void", "--from", "-"], ["b", "--from", "-"]])
def test_one_way_at_a_time(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ledger", "reconcile", *arguments]) == 2
    assert "--from FILE" in capsys.readouterr().err
