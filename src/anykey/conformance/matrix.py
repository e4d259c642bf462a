"""A report as a matrix: a line for each feature, a column for each protocol; what did not pass is told below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from anykey.conformance.records import Cell, Outcome, Report
from anykey.conversation.parts import ProtocolName

WORDS: dict[Outcome, str] = {
    "pass": "pass",
    "fail": "FAIL",
    "unclear": "unclear",
    "unsupported": "unsupported",
    "absent": "-",
}
TITLES: dict[ProtocolName, str] = {
    "openai_chat": "Chat Completions",
    "openai_responses": "Responses",
    "anthropic_messages": "Messages",
    "gemini_generate": "generateContent",
}
_ORDER: tuple[Outcome, ...] = ("fail", "unsupported", "unclear")


class Note(NamedTuple):
    """What fell short, and why. ``request_id`` is that of the first call."""

    outcome: str
    protocol: ProtocolName
    features: str
    request_id: str
    reason: str


def protocols_of(report: Report) -> tuple[ProtocolName, ...]:
    """The columns, in the order of the run."""
    return tuple(dict.fromkeys(cell.protocol for cell in report.cells))


def matrix_rows(report: Report) -> list[tuple[str, ...]]:
    """The feature, then a word for each protocol; two words where a whole answer and a streamed one differ."""
    features = dict.fromkeys(cell.feature for cell in report.cells)
    return [
        (feature.replace("_", " "), *(_word(report, feature, protocol) for protocol in protocols_of(report)))
        for feature in features
    ]


def notes(report: Report) -> list[Note]:
    """What did not pass, failures first; what fell short for one reason is one note."""
    return [
        Note(WORDS[outcome], cells[0].protocol, _features(report, cells), cells[0].request_id or "-", cells[0].reason)
        for outcome in _ORDER
        for cells in _by_reason(cell for cell in report.cells if cell.outcome == outcome)
    ]


def as_markdown(report: Report) -> str:
    """The matrix as a page's table, with the notes below it. Names of models and reasons come from outside: they are code."""
    columns = [TITLES[protocol] for protocol in protocols_of(report)]
    lines = [_row(("Feature", *columns)), _row(("---",) * (len(columns) + 1))]
    lines += [_row(row) for row in matrix_rows(report)]
    told = notes(report)
    if told:
        lines += [
            "",
            *(f"- **{note.outcome}** {TITLES[note.protocol]}: {note.features}: {_code(note.reason)}" for note in told),
        ]
    return "\n".join(lines)


def _word(report: Report, feature: str, protocol: ProtocolName) -> str:
    found = [cell for cell in report.cells if (cell.feature, cell.protocol) == (feature, protocol)]
    return " / ".join(dict.fromkeys(WORDS[cell.outcome] for cell in found))


def _by_reason(cells: Iterable[Cell]) -> list[list[Cell]]:
    grouped: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        grouped.setdefault((cell.protocol, cell.reason), []).append(cell)
    return list(grouped.values())


def _features(report: Report, cells: Sequence[Cell]) -> str:
    """Their features; the mode where only one of two fell short."""
    told: list[str] = []
    for feature in dict.fromkeys(cell.feature for cell in cells):
        short = [cell.mode for cell in cells if cell.feature == feature]
        ran = [cell for cell in report.cells if (cell.protocol, cell.feature) == (cells[0].protocol, feature)]
        told.append(feature if len(short) == len(ran) else f"{feature} ({short[0]})")
    return ", ".join(told)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    """Text that no Markdown can hide in."""
    return f"`{' '.join(text.split()).replace('`', chr(39))}`"
