"""Verdicts, and the table and JSON that show them."""

import io
import json
from dataclasses import replace

from rich.console import Console

from bench.cases import LOAD_CASES
from bench.load import LoadResult
from bench.measure import Measurement, Window
from bench.table import Row, added_row, as_json, load_row, rss_row, start_row, table_of, windows_line

CHAT = next(case for case in LOAD_CASES if case.name == "chat")


def measurement(us: float, faults: tuple[str, ...] = (), target: str = "anykey") -> Measurement:
    return Measurement(target, (Window(us * 1000, LoadResult(1000, 1000, 1.0, 4.5, 12.25, 0)),), faults)


def shown(rows: list[Row]) -> str:
    console = Console(width=160, file=io.StringIO())
    with console.capture() as capture:
        console.print(table_of(rows, "title"))
    return capture.get()


def test_a_bar_is_kept_up_to_its_very_figure() -> None:
    assert load_row(CHAT, measurement(100), None).kept
    assert not load_row(CHAT, measurement(100.1), None).kept
    assert rss_row(100_000_000).kept
    assert not rss_row(100_000_001).kept
    assert start_row(1.5).kept
    assert not start_row(1.51).kept


def test_our_faults_break_the_bar_and_nginxs_do_not() -> None:
    ours = load_row(CHAT, measurement(1, ("1 calls failed",)), None)
    theirs = load_row(CHAT, measurement(1), measurement(1, ("late",), "nginx"))
    assert not ours.kept
    assert theirs.kept
    assert theirs.faults == ("nginx: late",)


def test_the_table_shows_figure_bar_verdict_and_ratio() -> None:
    rows = [load_row(CHAT, measurement(87.25), measurement(10, target="nginx")), start_row(2.0)]
    text = shown(rows)
    chat = next(line for line in text.splitlines() if "chat" in line)
    for cell in ("87.2 µs/request", "<= 100", "pass", "10.0", "8.72", "1,000", "4.50", "12.2"):
        assert cell in chat
    assert "FAIL" in next(line for line in text.splitlines() if "start" in line)


def test_json_holds_every_window_and_the_verdict() -> None:
    rows = [load_row(CHAT, measurement(120), measurement(10, target="nginx")), rss_row(50_000_000)]
    read = json.loads(json.dumps(as_json(rows, "title")))
    assert read["kept"] is False
    assert [row["kept"] for row in read["rows"]] == [False, True]
    assert read["rows"][0]["ratio"] == 12
    assert read["rows"][0]["measurement"]["windows"][0]["load"]["units"] == 1000


def test_a_windows_line_has_cost_and_count() -> None:
    assert windows_line("chat", measurement(43.1)) == "chat               anykey   43.1 µs x 1000"


def test_what_limits_add_is_the_difference_of_the_medians() -> None:
    plain, metered = (
        Measurement("anykey", (Window(1.0, LoadResult(9, 9, 1.0, p50_ms, 9.0, 0)),), ()) for p50_ms in (0.25, 1.25)
    )
    assert added_row(plain, metered).figure == 1.0
    assert added_row(plain, metered).kept
    assert not added_row(replace(plain, faults=("late",)), metered).kept
