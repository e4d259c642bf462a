"""Where the recorded traffic lies, and the one line that says when it does not; the option that suites share.

The recordings belong to others, so they are never committed: they are read from `../shared/corpus` beside the
checkout, or from the folder that `ANYKEY_CORPUS` names. Tests that need them carry the marker `corpus`.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.install import CannotInstall
from tests.services.postgres import PostgresServer, running_postgres
from tests.services.processes import NotStarted
from tests.services.valkey import ValkeyServer, running_valkey

ROOT = Path(__file__).resolve().parent.parent


def corpus_directory() -> Path:
    """The folder with `recorded.jsonl.gz`; it may not exist."""
    return Path(os.environ.get("ANYKEY_CORPUS") or ROOT.parent / "shared" / "corpus")


def has_corpus() -> bool:
    """Whether the recordings are there to be read."""
    return (corpus_directory() / "recorded.jsonl.gz").is_file()


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The recorded traffic; a test that asks for it without the marker fails where there is none."""
    assert has_corpus(), f"no recorded traffic in {corpus_directory()}"
    return corpus_directory()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL for the session; it is started for the first test that asks."""
    try:
        with running_postgres() as server:
            yield server
    except (CannotInstall, NotStarted) as problem:
        pytest.fail(str(problem), pytrace=False)


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    """One Valkey or Redis for the session; it is started for the first test that asks."""
    try:
        with running_valkey() as server:
            yield server
    except (CannotInstall, NotStarted) as problem:
        pytest.fail(str(problem), pytrace=False)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="clients, faults: all pairs of protocols, not one of each")
    parser.addoption("--soak", action="store_true", help="crash: hundreds of kills, not thirty")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the corpus tests out where there is no corpus; the summary says how many."""
    if has_corpus():
        return
    left_out = [item for item in items if "corpus" in item.keywords]
    for item in left_out:
        item.add_marker(pytest.mark.skip(reason="no recorded traffic on this machine"))
    config.stash[LEFT_OUT] = len(left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say in one line that the corpus tests did not run."""
    count = config.stash.get(LEFT_OUT, 0)
    if count:
        where = corpus_directory()
        terminalreporter.write_line(f"corpus: {count} test(s) did not run: no recorded traffic in {where}")


LEFT_OUT = pytest.StashKey[int]()
