"""Qwen Code, as a Chat client: environment variables are enough. Observed with 0.24.4.

It speaks all four protocols (`--auth-type openai-responses`, `anthropic`, `gemini`), each with variables of its own. Speaking
Messages it calls itself `claude-cli/0.24.4`.
"""

from shlex import quote

from anykey.clients.records import ClientRecipe, Connection


def _lines(base_url: str, to: Connection) -> list[str]:
    return [
        f"export OPENAI_BASE_URL={quote(base_url)}",
        f"export OPENAI_API_KEY={quote(to.key)}",
        f"export OPENAI_MODEL={quote(to.model)}",
        "qwen --auth-type openai",
    ]


QWEN_CODE = ClientRecipe(
    id="qwen-code",
    name="Qwen Code",
    language="shell",
    protocol="openai_chat",
    base_path="/v1",
    user_agents=("qwencode/",),
    lines=_lines,
)
