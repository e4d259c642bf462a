"""Prints the matrix at the end of a run that held any of its cells."""

from collections.abc import Generator

import pytest

from tests.conformance.matrix.exceptions import not_sayable
from tests.conformance.matrix.features import FEATURES
from tests.conformance.matrix.table import FAILED, NOT_RUN, Place, terminal, verdict

OUTCOMES = pytest.StashKey[dict[Place, bool]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what became of each cell."""
    report = yield
    place = getattr(getattr(item, "callspec", None), "params", {}).get("place")
    if isinstance(place, Place):
        outcomes = item.config.stash.setdefault(OUTCOMES, dict[Place, bool]())
        outcomes[place] = outcomes.get(place, True) and report.passed
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table."""
    outcomes = config.stash.get(OUTCOMES, dict[Place, bool]())
    if not outcomes:
        return

    def mark(place: Place) -> str:
        if not_sayable(place.feature, place.client, place.mode):
            return verdict(place)
        held = outcomes.get(place)
        return NOT_RUN if held is None else verdict(place) if held else FAILED

    terminalreporter.section("conformance matrix")
    for line in terminal(FEATURES, mark):
        terminalreporter.write_line(line)
