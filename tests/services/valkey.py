"""Valkey (or Redis) for tests: a server of our own on a free port of 127.0.0.1 that keeps nothing.

`ANYKEY_TEST_VALKEY_URL` names a server to use instead; it cannot be killed, and tests must use keys of their own in it.
"""

import os
import shutil
import socket
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.services.install import valkey_program
from tests.services.processes import Program, free_port, unprivileged

GIVEN = "ANYKEY_TEST_VALKEY_URL"


class ValkeyServer:
    """A server at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url


class OwnValkey(ValkeyServer):
    """A server of our own, with its folder. It forgets everything when it is killed."""

    def __init__(self) -> None:
        program = valkey_program()
        self.folder = Path(tempfile.mkdtemp(prefix="anykey-valkey-"))
        self.port = free_port()
        super().__init__(f"redis://127.0.0.1:{self.port}/0")
        account = unprivileged("valkey", "redis", "nobody")
        if account is not None:
            os.chown(self.folder, account.uid, account.gid)
        command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder, "--save", ""]
        self._program = Program([*command, "--appendonly", "no", "--daemonize", "no"], self.folder / "log", account)

    def start(self) -> None:
        """Start it, on the same port and empty."""
        self._program.start(self._answers)

    def kill(self) -> None:
        """kill -9."""
        self._program.kill()

    def freeze(self) -> None:
        """Stop it where it stands: connections stay open and nothing answers."""
        self._program.freeze()

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self._program.thaw()

    def close(self) -> None:
        """End it and remove its folder."""
        self._program.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as asked:
                asked.sendall(b"PING\r\n")
                return asked.recv(16).startswith(b"+PONG")
        except OSError:
            return False


@contextmanager
def running_valkey() -> Generator[ValkeyServer]:
    """The server that was given, or one of our own. Raises CannotInstall or NotStarted."""
    given = os.environ.get(GIVEN)
    if given is not None:
        yield ValkeyServer(given)
        return
    with own_valkey() as server:
        yield server


@contextmanager
def own_valkey() -> Generator[OwnValkey]:
    """A server of our own, for tests that kill it or freeze it."""
    server = OwnValkey()
    try:
        server.start()
        yield server
    finally:
        server.close()
