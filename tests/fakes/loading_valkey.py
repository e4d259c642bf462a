"""A Valkey that has just been started and still reads its data: it takes connections and refuses every command."""

import socketserver
import threading
from collections.abc import Generator
from contextlib import contextmanager

REFUSAL = b"-LOADING Valkey is loading the dataset in memory\r\n"


class _Loading(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        for line in self.rfile:
            if line.startswith(b"*"):  # each command is an array
                self.wfile.write(REFUSAL)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


@contextmanager
def loading_valkey() -> Generator[str]:
    """Its URL."""
    with _Server(("127.0.0.1", 0), _Loading) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"redis://127.0.0.1:{server.server_address[1]}/0"
        finally:
            server.shutdown()
            thread.join()
