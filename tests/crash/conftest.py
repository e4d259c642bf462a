"""How hard the crash tests try, and the table they leave."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.crash.books import Ledger
from tests.crash.gateways import DATABASE, Gateway, Home
from tests.crash.lanes import Lane
from tests.crash.report import Form, form_line, total_line
from tests.crash.tenants import payers
from tests.crash.upstream import running_upstream
from tests.services.install import CannotInstall
from tests.services.postgres import OwnPostgres, own_postgres
from tests.services.processes import NotStarted


class Effort(NamedTuple):
    """How often each thing is done. `sqlite_kills` are for each of two gateways."""

    sqlite_kills: int
    group_kills: int
    one_kills: int
    postgres_kills: int
    freezes: int
    freeze_s: tuple[float, float]
    torn: int
    races: int


FAST = Effort(8, 4, 8, 3, 2, (3.0, 6.5), 50, 2)
SOAK = Effort(40, 30, 70, 25, 15, (3.0, 10.0), 500, 20)
FORMS = pytest.StashKey[list[Form]]()
RACES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def effort(request: pytest.FixtureRequest) -> Effort:
    """As much as `--soak` says."""
    return SOAK if request.config.getoption("--soak") else FAST


class Deploy(NamedTuple):
    """Makes deployments in `folder`; all they start is ended with `stack`."""

    folder: Path
    stack: ExitStack

    def lane(
        self,
        name: str,
        gateways: int = 1,
        database: str | None = None,
        *,
        more: str = "",
        options: tuple[str, ...] = (),
        make_keys: Callable[[Home], list[str]] = payers,
    ) -> Lane:
        """So many `anykey up`, not started yet, on SQLite or on the PostgreSQL database of this URL, with a provider, and keys of
        their own. `more` is TOML of their configuration, `options` are those of `up`."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        upstream = self.stack.enter_context(running_upstream(folder / "upstream.log"))
        home = Home(folder, upstream.origin, database=database, more=more)
        processes = [Gateway(home, f"gateway-{number}", options) for number in range(gateways)]
        for process in processes:
            self.stack.callback(process.kill)
        keys = make_keys(home)
        return Lane(name, home, processes, Ledger(database or home.path / DATABASE), upstream, keys)


@pytest.fixture
def deploy(tmp_path: Path) -> Iterator[Deploy]:
    """A maker of deployments."""
    with ExitStack() as stack:
        yield Deploy(tmp_path, stack)


@pytest.fixture(scope="session")
def durable_postgres() -> Iterator[OwnPostgres]:
    """A PostgreSQL that may be killed and frozen; it syncs as in production."""
    try:
        with own_postgres(durable=True) as server:
            yield server
    except (CannotInstall, NotStarted) as problem:
        pytest.fail(str(problem), pytrace=False)


@pytest.fixture(scope="session")
def forms(request: pytest.FixtureRequest) -> list[Form]:
    """Where each test leaves its row of the table."""
    return request.config.stash.setdefault(FORMS, [])


@pytest.fixture(scope="session")
def races(request: pytest.FixtureRequest) -> list[str]:
    """Where the budget races leave their lines."""
    return request.config.stash.setdefault(RACES, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table; the line about all forms comes last."""
    no_forms: list[Form] = []
    no_races: list[str] = []
    forms, races = config.stash.get(FORMS, no_forms), config.stash.get(RACES, no_races)
    if not forms and not races:
        return
    terminalreporter.section("crash proof")
    for line in [*map(form_line, forms), *races, *([total_line(forms)] if forms else [])]:
        terminalreporter.write_line(line)
