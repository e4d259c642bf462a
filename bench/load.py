"""Requests by wrk: one run gives how many were answered, how fast, and how many failed."""

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.calls import Call

_SCRIPT = Path(__file__).with_name("post.lua")
_MARK = "BENCH "


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What the load saw in one window.

    `calls` are those answered well, `units` what the CPU is divided by: the calls, or the events of their streams.
    Latency is of a whole request, or from sending one to the first bytes of its stream.
    """

    calls: int
    units: int
    duration_s: float
    latency_ms_p50: float
    latency_ms_p99: float
    failed: int
    reads_per_unit: float | None = None
    """Streams only: how many reads the client made for each event; near 1 when no hop joined events."""


def parse_report(output: str) -> LoadResult:
    """Reads the line that post.lua writes. Raises ValueError when wrk ended without one."""
    for line in output.splitlines():
        if line.startswith(_MARK):
            report = json.loads(line[len(_MARK) :])
            return LoadResult(
                calls=report["requests"],
                units=report["requests"],
                duration_s=report["duration_us"] / 1e6,
                latency_ms_p50=report["p50_us"] / 1e3,
                latency_ms_p99=report["p99_us"] / 1e3,
                failed=report["failed"],
            )
    raise ValueError(f"wrk gave no report: {output.strip()[-300:]}")


def run_wrk(port: int, call: Call, connections: int, duration_s: int) -> LoadResult:
    """Keeps `connections` connections to 127.0.0.1 busy with `call` for `duration_s` seconds (wrk knows whole ones)."""
    with tempfile.NamedTemporaryFile(prefix="anykey-bench-") as body:
        body.write(call.body)
        body.flush()
        headers = "\n".join(f"{name}:{value}" for name, value in call.headers.items())
        environment = os.environ | {"BENCH_BODY": body.name, "BENCH_HEADERS": headers}
        command = ["wrk", "-t1", f"-c{connections}", f"-d{duration_s}s", "--timeout", "10s", "-s", str(_SCRIPT)]
        command.append(f"http://127.0.0.1:{port}{call.path}")
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=duration_s + 20, check=False
        )
    return parse_report(ended.stdout + ended.stderr)
