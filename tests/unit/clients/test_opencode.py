"""OpenCode: one environment variable holds its configuration, another the key."""

import json
import subprocess

from anykey.clients.opencode import OPENCODE


def test_the_configuration_as_the_program_gets_it() -> None:
    lines = OPENCODE.connect_lines("http://127.0.0.1:4100", "ak-1", "lab/it's")
    assert (lines[0], lines[-1]) == ("export ANYKEY_API_KEY=ak-1", "opencode")
    script = "\n".join([*lines[:-1], 'printf %s "$OPENCODE_CONFIG_CONTENT"'])
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=10, check=True)
    config = json.loads(done.stdout)
    assert config["model"] == config["small_model"] == "anykey/lab/it's"
    provider = config["provider"]["anykey"]
    assert provider["options"] == {"baseURL": "http://127.0.0.1:4100/v1", "apiKey": "{env:ANYKEY_API_KEY}"}
    assert provider["models"] == {"lab/it's": {"name": "lab/it's"}}
    assert "ak-1" not in done.stdout
