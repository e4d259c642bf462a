"""Gemini CLI: environment variables are enough. Observed with 0.61.0.

It adds `/v1beta/models/…` to the base URL, which therefore has no path. Without `-m` it asks for models of Google's by name,
first for `gemini-3.5-flash-lite` to choose between the others.
"""

from shlex import quote

from anykey.clients.records import ClientRecipe, Connection


def _lines(base_url: str, to: Connection) -> list[str]:
    return [
        f"export GOOGLE_GEMINI_BASE_URL={quote(base_url)}",
        f"export GEMINI_API_KEY={quote(to.key)}",
        f"gemini -m {quote(to.model)}",
    ]


GEMINI_CLI = ClientRecipe(
    id="gemini-cli",
    name="Gemini CLI",
    language="shell",
    protocol="gemini_generate",
    base_path="",
    user_agents=("geminicli",),  # GeminiCLI/, GeminiCLI-tui/
    lines=_lines,
)
