"""Claude Code: a base URL without /v1, a bearer token that no API key outranks."""

import subprocess

from anykey.clients.claude_code import CLAUDE_CODE


def test_the_lines() -> None:
    assert CLAUDE_CODE.connect_lines("http://127.0.0.1:4100/v1", "ak-1", "demo") == [
        "unset ANTHROPIC_API_KEY",
        "export ANTHROPIC_BASE_URL=http://127.0.0.1:4100",
        "export ANTHROPIC_AUTH_TOKEN=ak-1",
        "export ANTHROPIC_MODEL=demo",
        "export ANTHROPIC_DEFAULT_HAIKU_MODEL=demo",
        "claude",
    ]


def test_a_shell_reads_any_model_name_as_it_is() -> None:
    name = "claude-opus-5-5[1m] $HOME 'x'"
    lines = CLAUDE_CODE.connect_lines("http://h", "ak-1", name)[:-1]
    script = "\n".join([*lines, 'printf %s "$ANTHROPIC_MODEL"'])
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=10, check=True)
    assert done.stdout == name
