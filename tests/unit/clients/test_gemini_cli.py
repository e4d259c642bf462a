"""Gemini CLI: the address without a path, the model on the command line."""

from anykey.clients.gemini_cli import GEMINI_CLI


def test_the_lines() -> None:
    assert GEMINI_CLI.connect_lines("http://127.0.0.1:4100/v1", "ak-1", "lab/it's") == [
        "export GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:4100",
        "export GEMINI_API_KEY=ak-1",
        "gemini -m 'lab/it'\"'\"'s'",
    ]
