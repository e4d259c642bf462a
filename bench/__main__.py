"""`python -m bench`: measures the gateway beside nginx and prints the table. Exit 1 when a bar is broken, 2 when
something that the benchmark needs is missing."""

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import click

from bench.calls import Call, call
from bench.cases import ADDED, IDLE_RSS, LOAD_CASES, NAMES, PLAN, START, chosen
from bench.gateway import Setup, prepare, prepare_peer, running_gateway
from bench.measure import FULL, QUICK, Bench, joined
from bench.nginx import running_nginx
from bench.planning import plan_us
from bench.process import rss_bytes
from bench.table import Row, added_row, as_json, load_row, plan_row, print_table, rss_row, start_row, windows_line
from bench.target import NotStarted, Target
from bench.upstream import EVENT_GAP_S, Upstream, running_upstream

IDLE_S = 0.5
ADDED_TURNS = 3


def say(line: str) -> None:
    """Progress goes to standard error, so that standard output is the table alone."""
    click.echo(line, err=True)


def machine() -> str:
    """One line about where this ran: processor, cores and how busy they were."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "unknown processor",
    )
    return f"{model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


def missing() -> str | None:
    """What keeps the benchmark from running here, if anything."""
    if not Path("/proc/self/stat").exists():
        return "the benchmark reads /proc and needs Linux"
    if shutil.which("wrk") is None:
        return "wrk is not installed (Debian: apt-get install wrk nginx)"
    return None


def first_answers(setup: Setup, probe: Call, starts: int) -> list[float]:
    """Seconds from start to first answer of so many starts, each ended again."""
    seconds: list[float] = []
    for _ in range(starts):
        with running_gateway(setup, probe) as (_, start_s):
            seconds.append(start_s)
    return seconds


def run(bench: Bench, setup: Setup, names: frozenset[str]) -> list[Row]:
    """Everything that was asked for, in the order of the table."""
    probe = call("chat", "chat", "chat", bench.key)
    # The start that is measured under load is one of the starts that are timed.
    seconds = first_answers(setup, probe, bench.effort.starts - 1 if START in names else 0)
    with ExitStack() as stack:
        gateway, start_s = stack.enter_context(running_gateway(setup, probe))
        seconds.append(start_s)
        time.sleep(IDLE_S)
        idle_bytes = rss_bytes(gateway.pid)
        nginx = stack.enter_context(running_nginx(bench.upstream.port, probe))
        if nginx is None:
            say("nginx is not installed: its column stays empty")
        rows = load_rows(bench, gateway, nginx, names)
    if IDLE_RSS in names:
        rows.append(rss_row(idle_bytes))
    if START in names:
        rows.append(start_row(statistics.median(seconds)))
    if PLAN in names:
        rows.append(plan_row(plan_us()))
    return rows


def load_rows(bench: Bench, gateway: Target, nginx: Target | None, names: frozenset[str]) -> list[Row]:
    """The rows under load, each on nginx right after the gateway where nginx can do the same work."""
    rows: list[Row] = []
    for case in LOAD_CASES:
        if case.name not in names or (case.metered and bench.metered_key is None):
            continue
        measured = bench.measure(case, gateway, bench.effort.windows)
        say(windows_line(case.name, measured))
        beside = None
        if nginx is not None and case.verbatim:
            beside = bench.measure(case, nginx, bench.effort.nginx_windows)
            say(windows_line(case.name, beside))
        rows.append(load_row(case, measured, beside))
    if ADDED in names and bench.metered_key is not None:
        rows.append(added(bench, gateway))
    return rows


def added(bench: Bench, gateway: Target) -> Row:
    """What a key with limits waits longer for its answer than one without, on one connection; by turns, so that both have the
    same machine."""
    plain, metered = (next(case for case in LOAD_CASES if case.name == name) for name in ("chat", "chat-metered"))
    turns = [[bench.measure(case, gateway, 1, connections=1) for case in (plain, metered)] for _ in range(ADDED_TURNS)]
    first, second = (joined([turn[side] for turn in turns]) for side in (0, 1))
    say(f"{ADDED:<18} p50 {first.latency_ms[0]:.3f} ms, metered {second.latency_ms[0]:.3f} ms")
    return added_row(first, second)


def setup_for(folder: Path, upstream: Upstream, command: str | None, key: str) -> Setup:
    """The gateway of this checkout, or the peer that was named."""
    if command is None:
        return prepare(folder, upstream.origin)
    return prepare_peer(command, key, folder, upstream.origin)


@click.command(name="bench")
@click.option("--quick", is_flag=True, help="Shorter windows; about half a minute in all.")
@click.option("--only", multiple=True, metavar="NAME", help=f"Only these cases, of {', '.join(NAMES)}.")
@click.option("--json", "json_path", type=click.Path(dir_okay=False), help="Also write the figures to this file.")
@click.option("--streams", type=click.IntRange(1, 200), help="Streams at once in the event cases (32).")
@click.option(
    "--event-gap",
    type=click.FloatRange(0, 1),
    default=EVENT_GAP_S,
    show_default=True,
    help="Seconds between two events.",
)
@click.option("--gateway-command", help="Measure a peer: its command, with {port} and {upstream} where they belong.")
@click.option("--gateway-key", default="bench", envvar="BENCH_GATEWAY_KEY", help="The key to call that peer with.")
def main(
    *,
    quick: bool,
    only: tuple[str, ...],
    json_path: str | None,
    streams: int | None,
    event_gap: float,
    gateway_command: str | None,
    gateway_key: str,
) -> None:
    """Measure the gateway's CPU per request and per stream event beside nginx."""
    try:
        names = chosen(only)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if absent := missing():
        say(absent)
        sys.exit(2)
    effort = QUICK if quick else FULL
    effort = replace(effort, streams=streams or effort.streams)
    try:
        with running_upstream(event_gap) as upstream, tempfile.TemporaryDirectory(prefix="anykey-bench-") as folder:
            setup = setup_for(Path(folder), upstream, gateway_command, gateway_key)
            rows = run(Bench(upstream, effort, setup.key, setup.metered_key), setup, names)
    except NotStarted as error:
        say(str(error))
        sys.exit(2)
    title = f"{setup.name} on {machine()}"
    print_table(rows, title)
    if json_path:
        Path(json_path).write_text(json.dumps(as_json(rows, title), indent=2))
    sys.exit(0 if all(row.kept for row in rows) else 1)


if __name__ == "__main__":
    main()
