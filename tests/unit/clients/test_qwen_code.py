"""Qwen Code: the variables of its Chat mode."""

from anykey.clients.qwen_code import QWEN_CODE


def test_the_lines() -> None:
    assert QWEN_CODE.connect_lines("http://127.0.0.1:4100", "ak-1", "lab/it's") == [
        "export OPENAI_BASE_URL=http://127.0.0.1:4100/v1",
        "export OPENAI_API_KEY=ak-1",
        "export OPENAI_MODEL='lab/it'\"'\"'s'",
        "qwen --auth-type openai",
    ]
