"""`anykey organisations`, from creation to closing."""

import json

import pytest

from anykey.cli.main import main


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


def test_an_organisation_is_created_shown_changed_and_closed(capsys: pytest.CaptureFixture[str]) -> None:
    said = ("--prepaid", "--allow", "a*", "--low-balance", "5", "--budget", "1d=100")
    made = json.loads(answer(capsys, "organisations", "create", "ours", *said, "--json"))
    assert (made["prepaid"], made["allowed_models"], made["low_balance_nano"]) == (True, ["a*"], 5 * 10**9)
    assert made["budgets"] == {"1d": 100 * 10**9}
    listed = answer(capsys, "organisations", "list")
    assert all(word in listed for word in ("ours", "default", "yes", "a*", "$5.00", "1d $100.00"))
    changes = ("--name", "we", "--postpaid", "--allow", "", "--low-balance", "", "--budget", "1d=")
    assert (
        answer(capsys, "organisations", "update", "ours", *changes) == f"Organisation we ({made['id']}) is changed.\n"
    )
    (_, ours) = json.loads(answer(capsys, "organisations", "list", "--json"))
    assert (ours["name"], ours["prepaid"], ours["allowed_models"], ours["budgets"]) == ("we", False, None, {})
    assert ours["low_balance_nano"] is None
    assert answer(capsys, "organisations", "close", "we") == f"Organisation we ({made['id']}) is closed.\n"
    assert "closed 2" in answer(capsys, "organisations", "list")


def test_a_key_of_an_organisation_ends_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    answer(capsys, "organisations", "create", "ours")
    answer(capsys, "keys", "create", "--name", "ci", "--organisation", "ours")
    answer(capsys, "organisations", "close", "ours")
    (key,) = json.loads(answer(capsys, "keys", "list", "--json"))
    assert key["revoked_at"] is not None


def test_what_cannot_be_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["organisations", "update", "nobody"]) == 1
    assert "No organisation has the id or name nobody" in capsys.readouterr().err
    assert main(["organisations", "create", "x", "--low-balance", "x"]) == 2
    assert "not an amount of USD" in capsys.readouterr().err
