"""Which client program a request came from, for the usage rows: a guess from what it calls itself, never a permission.

The names were seen on requests of the programs themselves. Some cannot be told apart: Aider sends its SDK's name,
Cline that of the AI SDK. Qwen Code, when it speaks Anthropic Messages, calls itself `claude-cli/0.24.4 (external,
cli)` with `x-app: cli`; only the version parts it from Claude Code, which is at 2 (seen: 2.1.329).
"""

from functools import lru_cache

from anykey.clients.catalog import RECIPES

UNKNOWN = "unknown"
_LONGEST_KEY = 200  # bytes kept of a header: a caller must not fill the cache with 64 KiB values

# The beginning of the User-Agent, in lower case -> program id. The first that fits is taken.
_PROGRAMS: tuple[tuple[bytes, str], ...] = (
    (b"claude-cli/0.", "qwen-code"),
    *((mark.encode(), recipe.id) for recipe in RECIPES for mark in recipe.user_agents),
    (b"factory-cli/", "droid"),
    (b"kilo-code/", "kilo"),
    (b"ls/js ", "continue"),  # the OpenAI JS SDK under the class name that Continue 1.5's bundle gives it
    (b"litellm/", "litellm"),
    (b"openai/js", "openai-js"),
    (b"anthropic/js", "anthropic-js"),
    (b"google-genai-sdk/", "google-genai"),
    (b"ai-sdk", "ai-sdk"),  # ai-sdk/anthropic/4.0 and ai-sdk-openai/4.0: Cline among others
    (b"ai/", "ai-sdk"),
)


def recognise(user_agent: bytes | None, x_app: bytes | None) -> str:
    """The program's id, `unknown` when nothing fits. A repeated question is one look-up in a bounded cache."""
    return _recognised((user_agent or b"")[:_LONGEST_KEY], x_app == b"cli")


@lru_cache(maxsize=512)
def _recognised(user_agent: bytes, says_cli: bool) -> str:
    name = user_agent.lower()
    for mark, program in _PROGRAMS:
        if name.startswith(mark):
            return program
    # `x-app: cli` is Claude Code's own header; it stays when a proxy on the way rewrites the User-Agent.
    return "claude-code" if says_cli else UNKNOWN
