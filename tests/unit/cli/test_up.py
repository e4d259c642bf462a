"""`anykey up` as a newcomer meets it: one command, a key shown once, lines that work when copied."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

END = "Ctrl+C stops it."


@contextmanager
def running(home: Path, *arguments: str, **environ: str) -> Generator[str]:
    """`anykey up` in a process of its own with nothing in its environment; gives what it printed once it serves."""
    process = subprocess.Popen(
        [sys.executable, "-m", "anykey", "up", "--port", "0", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": str(home), "ANYKEY_HOME": str(home / "data"), **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        yield _read_greeting(process.stdout.fileno())
    finally:
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=10)
        assert (process.returncode, rest) == (0, b"")


def _read_greeting(stream: int) -> str:
    said, deadline = b"", time.monotonic() + 15
    while END.encode() not in said and time.monotonic() < deadline:
        if select.select([stream], [], [], 0.2)[0]:
            piece = os.read(stream, 65536)
            if not piece:
                break
            said += piece
    return said.decode()


def test_the_printed_curl_line_streams_an_answer_of_the_demo_model(tmp_path: Path) -> None:
    with running(tmp_path) as said:
        assert "demo" in said
        assert re.search(r"anykey listens on http://127\.0\.0\.1:\d+", said)
        assert str(tmp_path / "data") in said
        line = re.search(r"^ *(curl -N .*)$", said, re.MULTILINE)
        assert line is not None
        answer = subprocess.run(["sh", "-c", line[1]], capture_output=True, timeout=10, check=True, text=True).stdout
    chunks = [text for text in answer.split("\n\n") if text]
    assert len(chunks) > 5
    assert chunks[-1] == "data: [DONE]"
    assert '"finish_reason":"stop"' in answer


def test_a_key_is_made_and_shown_on_the_first_start_only(tmp_path: Path) -> None:
    with running(tmp_path) as said:
        key = re.findall(r"ak-[0-9a-z]{10}-[0-9A-Za-z]{33}", said)
        assert len(set(key)) == 1
    with running(tmp_path) as said:
        assert not re.findall(r"ak-[0-9a-z]{10}-", said)
        assert "ak-YOUR-KEY" in said


def test_providers_found_in_the_environment_are_named_without_their_credentials(tmp_path: Path) -> None:
    config = tmp_path / "own.toml"
    config.write_text("[server]\ndiscovery_hours = 0\n")  # nobody out there is asked for his models
    with running(tmp_path, "--config", str(config), DEEPSEEK_API_KEY="sk-0123456789abcdef") as said:
        assert "deepseek (DEEPSEEK_API_KEY)" in said
        assert "0123456789abcdef" not in said


def test_it_speaks_chinese(tmp_path: Path) -> None:
    process_end = "按 Ctrl+C 停止。"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules[__name__], "END", process_end)
        with running(tmp_path, ANYKEY_LANG="zh") as said:
            assert "anykey 正在监听" in said


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with running(tmp_path) as said:
        port = re.search(r"127\.0\.0\.1:(\d+)", said)
        assert port is not None
        second = subprocess.run(
            [sys.executable, "-m", "anykey", "up", "--port", port[1]],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "ANYKEY_HOME": str(tmp_path / "other")},
            capture_output=True,
            timeout=10,
            check=False,
            text=True,
        )
    assert second.returncode == 1
    assert "--port" in second.stderr
    assert len(second.stderr.strip().splitlines()) == 1


def test_a_proxy_that_cannot_be_used_is_refused_before_a_key_is_made(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "ANYKEY_HOME": str(tmp_path / "data")}
    refused = subprocess.run(
        [sys.executable, "-m", "anykey", "up", "--port", "0"],
        env={**environ, "HTTPS_PROXY": "socks5://user:hidden@localhost:1080"},
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    )
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        "Error: environment: HTTPS_PROXY: not a usable address: only proxies of the form http://host:port are spoken to\n"
    )
    with running(tmp_path) as said:
        assert re.search(r"^ *ak-[0-9a-z]{10}-", said, re.MULTILINE)
