"""The same rows out of a SQLite file, CSV exports and the answers of the API."""

import csv
import json
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from anykey.administration.errors import AdministrationError
from anykey.administration.importing.new_api_dump import Dump, read_dump

CHANNEL = {"id": 1, "type": 1, "key": "sk-a\nsk-b", "models": "m1,m2", "group": "default"}
TOKEN = {"id": 7, "name": "ci", "remain_quota": 500_000, "group": "", "key": "abc"}
OPTIONS = {"ModelRatio": '{"m1": 1.25}'}


def texts(dump: Dump) -> tuple[list[dict[str, str]], list[dict[str, str]], dict[str, str]]:
    """The dump with every value as text: what CSV makes of all of them."""
    channels, tokens = (
        [{name: str(value) for name, value in row.items()} for row in rows] for rows in (dump.channels, dump.tokens)
    )
    return channels, tokens, dump.options


def test_every_form_says_the_same(tmp_path: Path) -> None:
    database = tmp_path / "one-api.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute('CREATE TABLE channels (id INTEGER, type INTEGER, "key" TEXT, models TEXT, "group" TEXT)')
        connection.execute("INSERT INTO channels VALUES (?, ?, ?, ?, ?)", tuple(CHANNEL.values()))
        connection.execute(
            'CREATE TABLE tokens (id INTEGER, name TEXT, remain_quota INTEGER, "group" TEXT, "key" TEXT)'
        )
        connection.execute("INSERT INTO tokens VALUES (?, ?, ?, ?, ?)", tuple(TOKEN.values()))
        connection.execute('CREATE TABLE options ("key" TEXT, value TEXT)')
        connection.executemany("INSERT INTO options VALUES (?, ?)", OPTIONS.items())
        connection.commit()
    before = database.read_bytes()
    tables = {"channels": [CHANNEL], "tokens": [TOKEN], "options": [{"key": k, "value": v} for k, v in OPTIONS.items()]}
    sheets: list[Path] = []
    for name, rows in tables.items():
        sheets.append(tmp_path / f"{name}.csv")
        with sheets[-1].open("w", encoding="utf-8-sig", newline="") as out:
            writer = csv.DictWriter(out, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    answers = [tmp_path / f"{name}.json" for name in tables]
    for file, (name, rows) in zip(answers, tables.items(), strict=True):
        data = {"items": rows, "total": 1} if name == "channels" else rows
        file.write_text(json.dumps({"success": True, "data": data}))
    whole = tmp_path / "whole.json"
    whole.write_text(json.dumps({**tables, "options": OPTIONS}))
    expected = texts(read_dump([database]))
    assert expected == ([{k: str(v) for k, v in CHANNEL.items()}], [{k: str(v) for k, v in TOKEN.items()}], OPTIONS)
    assert texts(read_dump(sheets)) == texts(read_dump(answers)) == texts(read_dump([whole])) == expected
    assert database.read_bytes() == before


def test_numbers_keep_their_digits(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('[{"type": 1, "models": "m", "weight": 0.1}]')
    assert read_dump([file]).channels[0]["weight"] == Decimal("0.1")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"a,b\n1,2\n", "import.no_tables"),
        (b"{", "import.unreadable_dump"),
        (b"[" * 100_000, "import.unreadable_dump"),
        (b"\xff\xfe", "import.unreadable_dump"),
        (b"SQLite format 3\0 and then not", "import.unreadable_dump"),
        (b"", "import.no_tables"),
    ],
)
def test_what_is_no_dump_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    file = tmp_path / "dump"
    file.write_bytes(content)
    with pytest.raises(AdministrationError) as raised:
        read_dump([file])
    assert raised.value.code == code
