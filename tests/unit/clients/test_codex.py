"""Codex CLI: its settings are TOML on the command line."""

import subprocess
import tomllib

from anykey.clients.codex import CODEX


def test_the_settings_as_the_program_gets_them() -> None:
    exported, command = CODEX.connect_lines("http://127.0.0.1:4100", "ak-1", 'lab/it\'s "big"')
    assert exported == "export ANYKEY_API_KEY=ak-1"
    script = f"codex() {{ shift 0; for word; do printf '%s\\n' \"$word\"; done; }}\n{command}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=10, check=True)
    words = done.stdout.splitlines()
    assert words[::2] == ["-c"] * 6
    settings = tomllib.loads("\n".join(words[1::2]))
    assert (settings["model"], settings["model_provider"]) == ('lab/it\'s "big"', "anykey")
    assert settings["model_providers"]["anykey"] == {
        "name": "anykey",
        "base_url": "http://127.0.0.1:4100/v1",
        "env_key": "ANYKEY_API_KEY",
        "supports_websockets": True,
    }
