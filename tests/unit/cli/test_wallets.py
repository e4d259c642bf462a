"""`anykey wallets`, as it is typed."""

import json

import pytest

from anykey.cli.main import main


def test_money_as_it_is_typed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wallets", "list"]) == 0
    assert "Nothing was moved yet" in capsys.readouterr().out
    assert main(["wallets", "topup", "default", "25.5", "--reference", "pay 1", "--note", "first"]) == 0
    told = capsys.readouterr()
    assert "$25.50 from cash to credit:default" in told.out
    assert "is not prepaid" in told.err
    assert main(["wallets", "topup", "default", "$25.50", "--reference", "pay 1", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["new"], again["amount_nano"], again["amount_usd"]) == (False, 25_500_000_000, "25.50")
    assert main(["wallets", "topup", "default", "25.5", "--reference", "pay 1"]) == 0
    assert "Nothing was moved now" in capsys.readouterr().out
    assert main(["wallets", "bonus", "default", "0.000000001"]) == 0
    assert main(["wallets", "refund", "default", "5"]) == 0
    assert main(["wallets", "adjust", "out", "default", "0.5"]) == 0
    capsys.readouterr()
    assert main(["wallets", "balance", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["balance_usd"], found["held_usd"], found["owed_usd"]) == ("20.000000001", "0.00", "0.00")
    assert main(["wallets", "balance", "default"]) == 0
    assert "$20.000000001" in capsys.readouterr().out


def test_the_list_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    for amount in "123":
        main(["wallets", "topup", "default", amount, "--reference", f"r{amount}"])
    capsys.readouterr()
    assert main(["wallets", "list", "--limit", "2", "--json"]) == 0
    page = json.loads(capsys.readouterr().out)
    assert [item["reference"] for item in page["items"]] == ["r3", "r2"]
    assert main(["wallets", "list", "--limit", "2", "--cursor", page["next"]]) == 0
    assert "r1" in capsys.readouterr().out
    assert main(["wallets", "list", "--limit", "2"]) == 0
    assert page["next"] in capsys.readouterr().err
    assert main(["wallets", "list", "--cursor", "nonsense"]) == 1


@pytest.mark.parametrize("amount", ["-1", "1e3", "1,5", "x"])
def test_what_is_no_amount(amount: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wallets", "topup", "default", "--", amount]) == 2
    assert "USD" in capsys.readouterr().err


def test_in_chinese(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ANYKEY_LANG", "zh-CN")
    assert main(["wallets", "refund", "default", "1"]) == 1
    assert "余额只有 $0.00" in capsys.readouterr().err
