"""The matrix as text: for a terminal, and as the reference page of both languages."""

import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from tests.conformance.matrix.exceptions import NOT_SAYABLE, impossible, not_possible, not_sayable
from tests.fakes.agents import GEMINI, RESPONSES
from tests.fakes.answers import CHAT, MESSAGES

PROTOCOLS = (CHAT, RESPONSES, MESSAGES, GEMINI)
MODES = ("whole", "stream")
NAMES = {CHAT: "Chat", RESPONSES: "Responses", MESSAGES: "Messages", GEMINI: "Gemini"}
PROVEN, FAILED, NOT_RUN, UNSAYABLE = "✓", "✗", "·", "—"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS: dict[str, Any] = tomllib.loads((Path(__file__).parent / "words.toml").read_text("utf-8"))


class Place(NamedTuple):
    """One cell."""

    feature: str
    client: str
    upstream: str
    mode: str


def places(features: Iterable[str]) -> list[Place]:
    """Every cell there is, row by row."""
    return [Place(f, c, u, m) for f in features for c in PROTOCOLS for u in PROTOCOLS for m in MODES]


def verdict(place: Place) -> str:
    """The mark of a cell that is as it should be: proven, not sayable, or the letter of why it is not possible."""
    if not_sayable(place.feature, place.client, place.mode):
        return UNSAYABLE
    found = not_possible(place.feature, place.client, place.upstream)
    return LETTERS[impossible().index(found)] if found else PROVEN


def terminal(features: Iterable[str], mark: Callable[[Place], str]) -> list[str]:
    """Lines: a row for each feature, a column for each pair, the marks of a whole answer and of a stream side by side."""
    names = list(features)
    width = max(len(name) for name in names)
    heads = "".join(f"  {f'{NAMES[client]} client':<15}" for client in PROTOCOLS)
    pairs = "".join("  " + " ".join(f"{NAMES[upstream][0]:<3}" for upstream in PROTOCOLS) for _ in PROTOCOLS)
    lines = [f"{'':<{width}}{heads}".rstrip(), f"{'upstream':<{width}}{pairs}".rstrip()]
    for name in names:
        row = ""
        for client in PROTOCOLS:
            both = ["".join(mark(Place(name, client, upstream, mode)) for mode in MODES) for upstream in PROTOCOLS]
            row += "  " + " ".join(f"{pair:<3}" for pair in both)
        lines.append(f"{name:<{width}}{row}".rstrip())
    return [*lines, *_legend()]


def _legend() -> list[str]:
    reasons = WORDS["en"]["reasons"]
    lines = ["upstreams: Chat, Responses, Messages, Gemini; in each cell a whole answer, then a stream"]
    lines.append(f"{PROVEN} proven   {UNSAYABLE} not sayable   a… not possible   {FAILED} failed   {NOT_RUN} not run")
    grouped: dict[tuple[str, str], list[str]] = {}
    for (feature, client, _), reason in NOT_SAYABLE.items():
        grouped.setdefault((feature, reason), []).append(NAMES[client])
    for (feature, reason), clients in grouped.items():
        lines.append(f"{UNSAYABLE} {feature}, {', '.join(clients)}: {reasons[reason]}")
    for letter, (reason, loss) in zip(LETTERS, impossible(), strict=False):
        lines.append(f"{letter} {loss}: {reasons[reason]}")
    return lines


def page(language: str, features: Iterable[str]) -> str:
    """The file `docs/LANGUAGE/reference/conformance.md`."""
    words = WORDS[language]
    names = list(features)
    blocks: list[str] = [f"# {words['title']}", *words["intro"]]
    for client in PROTOCOLS:
        rows: list[list[str]] = [[words["feature"], *NAMES.values()]]
        for name in names:
            marks = [" ".join(verdict(Place(name, client, up, mode)) for mode in MODES) for up in PROTOCOLS]
            rows.append([words["features"][name], *marks])
        blocks += [f"## {words['client'].format(NAMES[client])}", _markdown(rows)]
    rows = [words["columns"]]
    for (feature, client, _), reason in NOT_SAYABLE.items():
        rows.append([words["features"][feature], NAMES[client], words["reasons"][reason]])
    blocks += [f"## {words['unsayable']}", _markdown(rows)]
    told = [
        f"- {letter}: `{loss}`. {words['reasons'][why]}"
        for letter, (why, loss) in zip(LETTERS, impossible(), strict=False)
    ]
    blocks += [f"## {words['impossible']}", "\n".join(told)]
    return "\n\n".join(blocks) + "\n"


def _markdown(rows: list[list[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])
