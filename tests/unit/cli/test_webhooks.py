"""`anykey webhooks`, as it is typed."""

import json

import pytest

from anykey.cli.main import main


def test_a_webhooks_life(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["webhooks", "list"]) == 0
    assert "There are no webhooks" in capsys.readouterr().out
    assert main(["webhooks", "create", "https://a.example/hook", "--event", "balance.low"]) == 0
    assert capsys.readouterr().out.startswith("whsec_")
    assert main(["webhooks", "create", "https://b.example", "--organisation", "default", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["organisation"], made["events"]) == ("default", ["balance.low", "budget.reached"])
    assert main(["webhooks", "list", "--json"]) == 0
    listed = capsys.readouterr().out
    assert len(json.loads(listed)) == 2
    assert made["secret"] not in listed
    assert main(["webhooks", "disable", made["id"]]) == 0
    assert main(["webhooks", "disable", made["id"]]) == 1
    capsys.readouterr()
    assert main(["webhooks", "list"]) == 0
    assert "disabled" in capsys.readouterr().out


def test_an_address_that_is_not_called(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["webhooks", "create", "http://a.example"]) == 1
    assert "https" in capsys.readouterr().err
