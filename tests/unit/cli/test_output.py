"""Tables for people, JSON for programs, and names that stay names."""

import json
import re
from datetime import datetime

import pytest

from anykey.cli.output import local_time, print_json, print_table


def test_a_table_has_translated_columns_and_every_cell(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("model", "exchanges"), [("m", 12), ("a-long-name" * 5, 7)])
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[0] == ["Model", "Calls"]
    assert lines[2:] == [["m", "12"], ["a-long-name" * 5, "7"]]


def test_nothing_is_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("model", "finish"), [("m", None)])
    assert re.search(r"m +-", capsys.readouterr().out)


def test_a_name_cannot_colour_or_move_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("client",), [("[red]x[/red]",), ("\x1b[2Jy\r\n\u202ez",)])
    out = capsys.readouterr().out
    assert "[red]x[/red]" in out
    assert (
        "\N{REPLACEMENT CHARACTER}[2Jy\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}z"
        in out
    )
    assert "\x1b" not in out


def test_json_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_json([{"name": "名", "at": None}])
    assert json.loads(capsys.readouterr().out) == [{"name": "名", "at": None}]


def test_times_are_the_machines_own() -> None:
    assert datetime.fromisoformat(local_time(1_700_000_000.9)).astimezone().timestamp() == 1_700_000_000
