"""Claude Code: environment variables are enough, no login and no file. Observed with 2.1.329.

It adds `/v1/messages?beta=true` to the base URL, which therefore has no `/v1`. `ANTHROPIC_AUTH_TOKEN` is sent as a
bearer token, and only while `ANTHROPIC_API_KEY` is unset. Helper calls use the model that the alias `haiku` stands for.
"""

from shlex import quote

from anykey.clients.records import ClientRecipe, Connection


def _lines(base_url: str, to: Connection) -> list[str]:
    return [
        "unset ANTHROPIC_API_KEY",
        f"export ANTHROPIC_BASE_URL={quote(base_url)}",
        f"export ANTHROPIC_AUTH_TOKEN={quote(to.key)}",
        f"export ANTHROPIC_MODEL={quote(to.model)}",
        f"export ANTHROPIC_DEFAULT_HAIKU_MODEL={quote(to.model)}",
        "claude",
    ]


CLAUDE_CODE = ClientRecipe(
    id="claude-code",
    name="Claude Code",
    language="shell",
    protocol="anthropic_messages",
    base_path="",
    # `claude-cli/2.1.329 (external, cli)` on every call but model discovery, which says `claude-code/2.1.329`.
    user_agents=("claude-cli/", "claude-code/"),
    lines=_lines,
)
