"""How answers are shown: a table for a person, JSON for a program.

Names of models, clients and keys come from outside: in a table each cell is plain text, without markup and without
control characters, so that no name can move a terminal's cursor or colour its neighbours.
"""

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import click
import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from anykey.language import say

# Where nobody looks through a window, lines may be as long as their content.
PIPED_WIDTH = 240


def print_json(value: Any) -> None:
    """Write `value` (what msgspec can encode) as indented JSON."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table: `columns` are codes under `column.`; numbers stand right, None is `-`."""
    cells = [list(row) for row in rows]
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        numbers = all(isinstance(row[index], int) for row in cells)
        table.add_column(say(f"column.{column}"), justify="right" if numbers else "left", overflow="fold")
    for row in cells:
        table.add_row(*(Text(_shown(cell)) for cell in row))
    seen = sys.stdout is not None and sys.stdout.isatty()  # pyright: ignore[reportUnnecessaryComparison] - None where the caller closed it
    Console(width=None if seen else PIPED_WIDTH, highlight=False).print(table)


def local_time(unix_s: float) -> str:
    """A moment in the machine's own time zone, to the second."""
    return datetime.fromtimestamp(unix_s, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _shown(cell: object) -> str:
    text = "-" if cell is None else str(cell)
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
