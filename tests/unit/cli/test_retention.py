"""`anykey retention`, as it is typed."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from anykey.cli.main import main
from anykey.storage.migrate import open_database


def test_rules_are_shown_and_what_is_over_goes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["retention", "run"]) == 0
    assert capsys.readouterr().out == "Nothing is over.\n"
    (home / "anykey.toml").write_text("[retention]\nexchanges_days = 7\n")
    assert main(["retention", "show"]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert "7 days" in rows["exchanges"]
    assert "for ever" in rows["audit"]
    assert "until its own end" in rows["responses"]
    with closing(open_database(home).connect()) as connection:
        connection.execute("INSERT INTO deliveries (id, webhook_id, event, body, at) VALUES ('d', 'w', 'e', '{}', 0)")
    assert main(["retention", "show", "--json"]) == 0
    shown = {row["table"]: row for row in json.loads(capsys.readouterr().out)}
    assert shown["deliveries"] == {"table": "deliveries", "keeps": "days", "days": 30, "rows": 1}
    assert main(["retention", "run"]) == 0
    assert capsys.readouterr().out == "deliveries: 1 rows deleted.\n"
    assert main(["retention", "run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {}


def test_a_setting_that_is_none_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home.mkdir()
    (home / "anykey.toml").write_text("[retention]\naudit_days = 7\n")
    assert main(["retention", "show"]) == 2
    assert "audit_days" in capsys.readouterr().err
