"""Programs are known by the names they were seen to send."""

import timeit

import pytest

from anykey.clients.recognise import UNKNOWN, recognise

SEEN: list[tuple[bytes | None, bytes | None, str]] = [
    (b"claude-cli/2.1.329 (external, sdk-cli)", b"cli", "claude-code"),
    (b"claude-cli/2.1.329 (external, cli)", b"cli", "claude-code"),
    (b"claude-code/2.1.329", None, "claude-code"),
    (b"claude-cli/0.24.4 (external, cli)", b"cli", "qwen-code"),
    (b"QwenCode/0.24.4 (linux; x64)", None, "qwen-code"),
    (b"codex_exec/0.169.0 (Debian 12.0.0; x86_64) unknown (codex_exec; 0.169.0)", None, "codex"),
    (b"codex-tui/0.169.0 (Debian 12.0.0; x86_64) xterm-256color (codex-tui; 0.169.0)", None, "codex"),
    (b"opencode/1.18.33 ai-sdk/provider-utils/4.0.46 runtime/bun/1.3.14", None, "opencode"),
    (b"GeminiCLI-tui/0.61.0/gemini-3.1-pro-preview (linux; x64; terminal)", None, "gemini-cli"),
    (b"factory-cli/0.215.0", None, "droid"),
    (b"Kilo-Code/7.7.7 ai-sdk/provider-utils/4.0.27 runtime/bun/1.3.14", None, "kilo"),
    (b"ls/JS 5.23.2", None, "continue"),
    (b"ai-sdk/anthropic/4.0.42 ai-sdk/provider-utils/5.0.30 runtime/bun/1.3.13", None, "ai-sdk"),
    (b"ai/7.0.173 ai-sdk-provider-utils/5.0.81 node.js/22", None, "ai-sdk"),
    (b"OpenAI/Python 3.52.0", None, "openai-python"),
    (b"AsyncOpenAI/Python 3.52.0", None, "openai-python"),
    (b"OpenAI/JS 7.55.0", None, "openai-js"),
    (b"Anthropic/Python 2.11.0", None, "anthropic-python"),
    (b"AsyncAnthropic/Python 2.11.0", None, "anthropic-python"),
    (b"Anthropic/JS 1.11.0", None, "anthropic-js"),
    (b"google-genai-sdk/3.4.0 gl-python/3.11.7", None, "google-genai"),
    (b"litellm/1.81.10", None, "litellm"),
    (b"curl/8.5.0", None, "curl"),
    (b"Bun/1.4.4", None, UNKNOWN),
    (b"node-fetch", None, UNKNOWN),
    (b"rewritten-by-a-proxy", b"cli", "claude-code"),
    (b"", None, UNKNOWN),
    (None, None, UNKNOWN),
    (None, b"web", UNKNOWN),
    (b"\xff\xfe", None, UNKNOWN),
]


@pytest.mark.parametrize(("user_agent", "x_app", "program"), SEEN)
def test_a_name_that_was_seen(user_agent: bytes | None, x_app: bytes | None, program: str) -> None:
    assert recognise(user_agent, x_app) == program


def test_a_repeated_question_costs_at_most_two_microseconds() -> None:
    runs = timeit.repeat(lambda: recognise(b"claude-cli/2.1.329 (external, cli)", b"cli"), number=1000, repeat=20)
    assert min(runs) / 1000 < 2e-6


def test_the_tail_of_a_long_name_does_not_matter() -> None:
    assert recognise(b"curl/8 " + b"x" * 60_000, None) == "curl"
