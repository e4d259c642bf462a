"""The curl line is run as printed."""

import json
import shlex
import shutil
import subprocess

import pytest

from anykey.clients.curl import CURL
from tests.unit.clients.conftest import Gateway


def test_the_line_streams_a_chat_completion() -> None:
    (line,) = CURL.connect_lines("http://127.0.0.1:4100", "ak-1", "demo")
    words = shlex.split(line)
    assert words[:3] == ["curl", "-N", "http://127.0.0.1:4100/v1/chat/completions"]
    assert words[4] == "Authorization: Bearer ak-1"
    body = json.loads(words[-1])
    assert (body["model"], body["stream"]) == ("demo", True)


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_the_line_works(gateway: Gateway) -> None:
    (line,) = CURL.connect_lines(gateway.address, gateway.key, "it's/a model")
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=10, check=True)
    assert '"model":"it\'s/a model"' in done.stdout
    assert done.stdout.endswith("data: [DONE]\n\n")
