"""Aider: the OpenAI door, with /v1 and the prefix that its model names need."""

from anykey.clients.aider import AIDER


def test_the_lines() -> None:
    assert AIDER.connect_lines("http://127.0.0.1:4100", "ak-1", "byteplus/kimi-k2.6") == [
        "export OPENAI_API_BASE=http://127.0.0.1:4100/v1",
        "export OPENAI_API_KEY=ak-1",
        "aider --model openai/byteplus/kimi-k2.6 --no-show-model-warnings",
    ]
