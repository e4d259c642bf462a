"""`anykey up` as processes on fixed ports, to be killed and started again; everything else about them goes through the CLI."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from copy import copy
from pathlib import Path
from typing import Any

from tests.clients.running import bare_environment
from tests.crash.calls import WIRES
from tests.services.processes import Program, descendants, free_port

DATABASE = "anykey.db"
ANYKEY = (sys.executable, "-m", "anykey")
_PROTOCOLS = {"chat": "openai_chat", "messages": "anthropic_messages", "responses": "openai_responses"}
_PROVIDER = """
[providers.{wire}]
kind = "custom"
protocol = "{protocol}"
base_url = "{origin}"
api_key = {{ env = "LAB_KEY" }}
[models."{wire}-*"]
deployments = ["{wire}/{wire}-*"]
"""
_RACE = """
[models."race-*"]
deployments = ["chat/race-*"]
"""


class Home:
    """One gateway's data and configuration. `database` is a PostgreSQL URL; without it there is a SQLite file."""

    def __init__(self, folder: Path, origin: str, *, database: str | None = None, more: str = "") -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "home"
        self.config = folder / "anykey.toml"
        self.config.write_text(more + "".join(_provider(wire, origin) for wire in WIRES) + _RACE)
        self.environment: dict[str, str] = {
            **bare_environment(folder / "user"),
            "ANYKEY_HOME": str(self.path),
            "LAB_KEY": "lab-secret",
        }
        if database is not None:
            self.environment["ANYKEY_DATABASE_URL"] = database

    def with_database(self, folder: Path) -> "Home":
        """The same home with the database file in `folder`, to which its secrets are copied."""
        other = copy(self)
        for file in self.path.iterdir():
            if file.is_file() and not (folder / file.name).exists() and not file.name.startswith(DATABASE):
                shutil.copyfile(file, folder / file.name)
        other.environment = {**self.environment, "ANYKEY_HOME": str(folder)}
        return other

    def anykey(self, *words: str) -> str:
        """Run `anykey` with these words: what it printed. AssertionError, with what it said, when it fails."""
        done = subprocess.run(
            [*ANYKEY, *words],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"anykey {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def told(self, *words: str) -> Any:
        """The same with `--json`, as a value."""
        return json.loads(self.anykey(*words, "--json"))


def _provider(wire: str, origin: str) -> str:
    join = "" if wire == "messages" else "/v1"
    return _PROVIDER.format(wire=wire, protocol=_PROTOCOLS[wire], origin=origin + join)


class Gateway:
    """One `anykey up`, always on the same port."""

    def __init__(self, home: Home, name: str = "gateway", options: tuple[str, ...] = ()) -> None:
        self.port = free_port()
        self.home = home
        command = (*ANYKEY, "up", "--config", str(home.config), "--port", str(self.port), *options)
        self._program = Program(command, home.folder / f"{name}.log", environment=home.environment)

    def start(self) -> None:
        """Start it and wait until it is ready. NotStarted when it is not."""
        self._program.start(self._is_ready)

    def kill(self) -> None:
        """kill -9 of the process and all its workers."""
        self._program.kill()

    def stop(self) -> None:
        """Ask it to end."""
        self._program.stop()

    def freeze(self) -> None:
        """Stop all of it where it stands."""
        self._program.freeze()

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self._program.thaw()

    def workers(self) -> list[int]:
        """The processes below it."""
        return descendants(self._program.pid)[1:]

    @staticmethod
    def kill_worker(pid: int) -> None:
        """kill -9 of one of them."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def _is_ready(self) -> bool:
        return get(self.port, "/readyz") == 200


def get(port: int, path: str, headers: Mapping[str, str] | None = None) -> int:
    """The status of one GET; 0 when there is no answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
