"""`anykey codes`, as it is typed."""

import csv
import io
import json

import pytest

from anykey.cli.main import main


def test_a_batchs_life(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["codes", "list"]) == 0
    assert "There are no codes" in capsys.readouterr().out
    assert main(["codes", "create", "5", "--count", "3", "--batch", "spring", "--expires", "2999-01-31"]) == 0
    made = capsys.readouterr()
    first, second, third = made.out.split()
    assert "3 codes of $5.00 in the batch spring" in made.err
    assert main(["codes", "redeem", first]) == 0
    assert "$5.00 are in the wallet of default" in capsys.readouterr().out
    assert main(["codes", "redeem", second, "--organisation", "default", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["amount_usd"] == "5.00"
    assert main(["codes", "redeem", first]) == 1
    assert "used already" in capsys.readouterr().err
    assert main(["codes", "export", "spring"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["code"]: row["state"] for row in rows} == {first: "used", second: "used", third: "active"}
    assert {(row["amount_usd"], row["expires_at"]) for row in rows} == {("5.00", "32474736000")}
    assert main(["codes", "revoke", "spring"]) == 0
    assert "1 codes are out of force" in capsys.readouterr().out
    assert main(["codes", "redeem", third]) == 1
    assert "revoked" in capsys.readouterr().err
    assert main(["codes", "list", "--batch", "spring"]) == 0
    listed = capsys.readouterr().out
    assert "spring" in listed
    assert first not in listed
    assert main(["wallets", "balance", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["balance_usd"] == "10.00"


def test_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["codes", "create", "1", "--uses", "2", "--bonus", "--note", "fair", "--json"]) == 0
    (made,) = json.loads(capsys.readouterr().out)
    assert (made["uses_max"], made["bonus"], made["note"], made["state"]) == (2, True, "fair", "active")
    assert main(["codes", "export", made["batch"], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["code"] == made["code"]
    assert main(["codes", "list", "--json"]) == 0
    (item,) = json.loads(capsys.readouterr().out)["items"]
    assert "code" not in item
    assert "digest" not in item
    assert main(["codes", "revoke", made["id"], "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"revoked": [made["id"]]}


def test_what_cannot_be_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["codes", "create", "5", "--expires", "tomorrow"]) == 2
    assert "2027-01-31" in capsys.readouterr().err
    assert main(["codes", "redeem", "ac-1"]) == 1
    assert "mistyped" in capsys.readouterr().err
    assert main(["codes", "export", "nothing"]) == 1
