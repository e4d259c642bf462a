"""Efforts and thinking budgets stand for each other by one table, whichever two protocols meet."""

from __future__ import annotations

from collections.abc import Collection

BUDGETS = {"minimal": 512, "low": 1024, "medium": 8192, "high": 24_576, "xhigh": 32_768, "max": 128_000}
"""Tokens to think with for an effort: what the same words mean in other gateways (CLIProxyAPI). Smallest first."""


def effort_of(budget: int, among: Collection[str] = BUDGETS) -> str:
    """The largest effort of ``among`` whose budget is not above ``budget`` (tokens); the smallest of them below all."""
    words = [word for word in BUDGETS if word in among]
    return next((word for word in reversed(words) if BUDGETS[word] <= budget), words[0])


def nearest_effort(word: str, among: Collection[str]) -> str | None:
    """The effort of ``among`` that says most nearly what ``word`` says: the next one below it, else the smallest. None for a word
    that is no effort."""
    if word not in BUDGETS and word != "none":
        return None
    return effort_of(BUDGETS.get(word, 0), among)
