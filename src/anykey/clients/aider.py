"""Aider, through its OpenAI door: the model name gets the prefix `openai/`, the base URL ends in `/v1`.

Observed with 0.86.2. It calls through LiteLLM and the OpenAI SDK and sends their `User-Agent`, so that its calls
cannot be told from theirs.
"""

from shlex import quote

from anykey.clients.records import ClientRecipe, Connection


def _lines(base_url: str, to: Connection) -> list[str]:
    return [
        f"export OPENAI_API_BASE={quote(base_url)}",
        f"export OPENAI_API_KEY={quote(to.key)}",
        f"aider --model {quote('openai/' + to.model)} --no-show-model-warnings",
    ]


AIDER = ClientRecipe(
    id="aider",
    name="Aider",
    language="shell",
    protocol="openai_chat",
    base_path="/v1",
    user_agents=(),
    lines=_lines,
)
