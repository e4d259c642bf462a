"""The programs that guides show do what they are shown for: what they sign is accepted, what is signed to them they accept."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from anykey.accounts.signatures import HEADER, check, sign
from tests.architecture.sources import ROOT

SECRET = b"known to two servers"
LANGUAGES = ("en", "zh-CN")
SHOWN_ADDRESS = "http://127.0.0.1:4000"


def block(language: str, fence: str, holding: str) -> str:
    """The one block of the guide with this text in it."""
    guide = (ROOT / "docs" / language / "guides" / "selling-access.md").read_text(encoding="utf-8")
    found = [
        text for text in re.findall(rf"^```{fence}\n(.*?)^```", guide, re.MULTILINE | re.DOTALL) if holding in text
    ]
    assert len(found) == 1
    return found[0]


@contextmanager
def gateway() -> Generator[tuple[str, list[dict[str, Any]]], None, None]:
    """Takes signed top-ups as the gateway does: (its address, what was signed rightly)."""
    accepted: list[dict[str, Any]] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            check(SECRET, self.headers[HEADER], body, time.time())
            accepted.append(json.loads(body))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", accepted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_top_up_in_python_is_signed_rightly(language: str) -> None:
    with gateway() as (address, accepted):
        program = block(language, "python", "def top_up").replace(SHOWN_ADDRESS, address)
        environment = {**os.environ, "ANYKEY_TOPUP_SECRET": SECRET.decode(), "no_proxy": "*"}
        subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True)
    assert accepted == [{"id": "pay_1043", "organisation": "shop-customer", "amount": "25.00"}]


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="curl or openssl is not here")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_top_up_with_curl_is_signed_rightly(language: str) -> None:
    with gateway() as (address, accepted):
        program = block(language, "sh", "openssl dgst").replace(SHOWN_ADDRESS, address)
        environment = {**os.environ, "ANYKEY_TOPUP_SECRET": SECRET.decode(), "no_proxy": "*"}
        subprocess.run(["/bin/sh", "-c", program], env=environment, check=True, capture_output=True)
    assert accepted == [{"id": "pay_1044", "organisation": "shop-customer", "amount": "25.00"}]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_receiver_of_webhooks_knows_ours(language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "whsec.txt").write_bytes(SECRET + b"\n")
    monkeypatch.chdir(tmp_path)
    program = tmp_path / "receiver.py"
    program.write_text(block(language, "python", "def is_genuine").partition("\nHTTPServer(")[0], encoding="utf-8")
    spec = importlib.util.spec_from_file_location("receiver", program)
    assert spec is not None
    assert spec.loader is not None
    receiver = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(receiver)

    now_s, body = int(time.time()), b'{"event": "balance.low"}'
    signed = sign(SECRET, body, now_s)
    assert receiver.is_genuine(signed, body)
    assert not receiver.is_genuine(signed, body + b" ")
    assert not receiver.is_genuine(sign(b"another", body, now_s), body)
    assert not receiver.is_genuine(sign(SECRET, body, now_s - 301), body)
    assert not receiver.is_genuine(None, body)
