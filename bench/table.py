"""The one table: each figure beside its bar, nginx and the ratio to it; and the same as JSON."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.cases import ADDED, ADDED_BAR_MS, IDLE_RSS, IDLE_RSS_BAR_MB, PLAN, START, START_BAR_S, LoadCase
from bench.measure import Measurement
from bench.planning import PLAN_BAR_US

WIDTH = 150
_CAPTION = (
    "CPU: user and system time of the process and its children, median window. "
    "p50, p99: a whole request, or from asking to the first bytes of a stream."
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `figure` and `bar` are in `unit`; a row with faults never keeps its bar."""

    name: str
    title: str
    figure: float
    bar: float
    unit: str
    measurement: Measurement | None = None
    nginx: Measurement | None = None

    @property
    def faults(self) -> tuple[str, ...]:
        """Why the figure, or nginx's beside it, is not to be trusted."""
        found = self.measurement.faults if self.measurement else ()
        return found + tuple(f"nginx: {fault}" for fault in (self.nginx.faults if self.nginx else ()))

    @property
    def kept(self) -> bool:
        """Whether the bar is kept. nginx's own faults break nothing of ours."""
        return self.figure <= self.bar and not (self.measurement and self.measurement.faults)

    @property
    def ratio(self) -> float | None:
        """How many times nginx's CPU this costs."""
        return self.figure / self.nginx.us_per_unit if self.nginx and self.nginx.us_per_unit else None


def load_row(case: LoadCase, measurement: Measurement, nginx: Measurement | None) -> Row:
    """The row of a case under load."""
    unit = "µs/event" if case.streams else "µs/request"
    return Row(case.name, case.title, measurement.us_per_unit, case.bar_us, unit, measurement, nginx)


def added_row(plain: Measurement, metered: Measurement) -> Row:
    """The row of what limits and the ledger add to the median latency of a call that is alone; both were measured so."""
    added_ms = metered.latency_ms[0] - plain.latency_ms[0]
    faults = (*metered.faults, *plain.faults)
    return Row(
        ADDED,
        "p50 that limits and wallet add, one connection",
        added_ms,
        ADDED_BAR_MS,
        "ms",
        replace(metered, faults=faults),
    )


def rss_row(rss_bytes: int) -> Row:
    """The row of the idle memory."""
    return Row(IDLE_RSS, "memory after one answer, idle", rss_bytes / 1e6, IDLE_RSS_BAR_MB, "MB")


def start_row(start_s: float) -> Row:
    """The row of the start."""
    return Row(START, "start to first answer", start_s, START_BAR_S, "s")


def plan_row(plan_us: float) -> Row:
    """The row of a plan over a thousand deployments."""
    return Row(PLAN, "plan over 1,000 deployments, slowest strategy", plan_us, PLAN_BAR_US, "µs/plan")


def table_of(rows: list[Row], title: str) -> Table:
    """The table that a person reads."""
    table = Table(title=title, title_justify="left", caption=_CAPTION, caption_justify="left")
    table.add_column("case")
    table.add_column("what is measured")
    for heading in ("CPU or figure", "bar", "", "nginx", "x nginx", "per second", "p50 ms", "p99 ms"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row))
    return table


def _cells(row: Row) -> tuple[str, ...]:
    measured, nginx = row.measurement, row.nginx
    p50, p99 = measured.latency_ms if measured else (None, None)
    verdict = "[green]pass[/]" if row.kept else "[red]FAIL[/]"
    return (
        row.name,
        row.title,
        f"{_number(row.figure)} {row.unit}",
        f"<= {row.bar:g}",
        verdict,
        _number(nginx.us_per_unit if nginx else None),
        _number(row.ratio),
        f"{measured.rate:,.0f}" if measured else "",
        _number(p50),
        _number(p99),
    )


def _number(value: float | None) -> str:
    """Three figures or so, and an empty cell for nothing."""
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def windows_line(name: str, measurement: Measurement) -> str:
    """One line that shows each window of a measurement: CPU per unit x how many units."""
    windows = ", ".join(
        f"{_number(window.us_per_unit)} µs x {window.load.units}"
        + (f" ({window.load.reads_per_unit:.2f} reads)" if window.load.reads_per_unit is not None else "")
        for window in measurement.windows
    )
    return f"{name:<18} {measurement.target:<8} {windows}"


def print_table(rows: list[Row], title: str) -> None:
    """Prints the table on standard output, wide also where that is not a terminal, then the faults."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    console.print(table_of(rows, title))
    for row in rows:
        for fault in row.faults:
            console.print(f"{row.name}: {fault}", markup=False)


def as_json(rows: list[Row], title: str) -> dict[str, Any]:
    """The same figures for a program: each row with its verdict and every window."""
    return {
        "title": title,
        "kept": all(row.kept for row in rows),
        "rows": [asdict(row) | {"kept": row.kept, "ratio": row.ratio, "faults": row.faults} for row in rows],
    }
