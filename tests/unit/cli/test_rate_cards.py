"""`anykey rate-cards`, as it is typed."""

import io
import json
import sys
from pathlib import Path

import pytest

from anykey.cli.main import main

CARD = """
model = "made-here"
provider = "lab"
effective_from = "2026-11-01"
currency = "CNY"
usd_per_unit = "0.5"
input = "2"
output = "8"
per_call = "0.001"
"""
CONFIG = """
[providers.lab]
kind = "custom"
protocol = "openai_chat"
base_url = "http://127.0.0.1:9/v1"
models = ["made-here", "new"]
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    file = tmp_path / "anykey.toml"
    file.write_text(CONFIG)
    return str(file)


def test_a_cards_life(tmp_path: Path, config: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "card.toml"
    file.write_text(CARD)
    assert main(["rate-cards", "list"]) == 0
    assert "no rate cards" in capsys.readouterr().out
    assert main(["rate-cards", "put", str(file)]) == 0
    assert "made-here@lab/v1 is kept" in capsys.readouterr().out
    assert main(["rate-cards", "list"]) == 0
    shown = capsys.readouterr().out
    for text in ("made-here@lab/v1", "2026-11-01 00:00:00Z", "2 CNY", "8 CNY", "per_call"):
        assert text in shown
    assert main(["rate-cards", "show", "made-here@lab"]) == 0
    again = tmp_path / "again.json"
    again.write_text(capsys.readouterr().out)
    assert main(["rate-cards", "put", str(again)]) == 0
    assert "made-here@lab/v1 says the same already" in capsys.readouterr().out
    assert main(["rate-cards", "list", "--unpriced", "--config", config]) == 0
    shown = capsys.readouterr().out
    assert "lab/new" in shown
    assert "made-here" not in shown
    assert main(["rate-cards", "withdraw", "made-here@lab/v1"]) == 0
    assert "is withdrawn" in capsys.readouterr().out
    assert main(["rate-cards", "withdraw", "made-here@lab/v1"]) == 1
    capsys.readouterr()
    assert main(["rate-cards", "list", "--withdrawn", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["card"], row["rates"]["input"], row["withdrawn_at"] > 0) == ("made-here@lab/v1", "2", True)


def test_a_quote_line_by_line(tmp_path: Path, config: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "card.toml"
    file.write_text(CARD)
    asked = ["rate-cards", "quote", "--model", "lab/made-here", "--input", "1000", "--output", "10", "--config", config]
    assert main(asked) == 0
    assert "unpriced" in capsys.readouterr().out
    assert main(["rate-cards", "put", str(file)]) == 0
    capsys.readouterr()
    assert main(asked) == 0
    shown = capsys.readouterr().out
    for text in ("lab/made-here", "made-here@lab/v1", "$0.00154", "1,000 input, 10 output, 1 call"):
        assert text in shown
    assert main([*asked, "--json"]) == 0
    (quote,) = json.loads(capsys.readouterr().out)
    assert (quote["cost_nano"], quote["card"], quote["listed"]) == (1_540_000, "made-here@lab/v1", False)
    assert quote["lines"][0] == {
        "unit": "input",
        "quantity": 1000,
        "price_pico": 1_000_000,
        "amount_pico": 1_000_000_000,
    }


def test_the_list_of_models_shows_what_they_are_sold_at(
    tmp_path: Path, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "card.toml"
    file.write_text(CARD)
    assert main(["rate-cards", "put", str(file)]) == 0
    assert main(["models", "--config", config, "--json"]) == 0
    entries = json.loads(capsys.readouterr().out.partition("\n")[2])
    assert {entry["id"]: entry["card"] for entry in entries} == {"lab/made-here": "made-here@lab/v1", "lab/new": None}
    assert main(["models", "--config", config]) == 0
    shown = capsys.readouterr().out
    assert [" ".join(line.split()) for line in shown.splitlines() if "lab/" in line] == [
        "lab/made-here lab Chat - 1 4 -",
        "lab/new lab Chat - unpriced - -",
    ]


def test_images_of_the_example(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rate-cards", "import", "--example", "image-sizes", "--model", "made-here"]) == 0
    assert "made-here/v1 is kept" in capsys.readouterr().out
    asked = ["rate-cards", "quote", "--model", "lab/made-here", "--config", config]
    assert main([*asked, "--image", "1024x1024", "--image", "auto"]) == 0
    shown = capsys.readouterr().out
    assert "$0.15" in shown
    assert "1 image:1K, 1 image:2K" in shown


def test_the_import_says_what_has_no_list_price(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rate-cards", "import", "--config", config]) == 0
    assert "lab/made-here has no list price" in capsys.readouterr().out


def test_from_standard_input_and_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'model = "m"\ninput = "0"\n')))
    assert main(["rate-cards", "put", "-"]) == 0
    assert "m/v1 is kept" in capsys.readouterr().out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'model = "m"\ninput = "a"\n')))
    assert main(["rate-cards", "put", "-"]) == 1
    assert "input: 'a'" in capsys.readouterr().err
