"""Codex CLI: settings on its command line, so that no file is written. Observed with 0.169.0.

It speaks Responses only and adds `/responses` to the base URL, which therefore ends in `/v1`. The provider may not be called
OpenAI: under that name it asks for compaction in a form of its own. Its WebSocket spares sending the history each turn.
"""

from shlex import quote

from anykey.clients.records import ClientRecipe, Connection, compact_json


def _lines(base_url: str, to: Connection) -> list[str]:
    # Its settings are TOML, whose basic strings take every escape of JSON's.
    settings = {
        "model": to.model,
        "model_provider": "anykey",
        "model_providers.anykey.name": "anykey",
        "model_providers.anykey.base_url": base_url,
        "model_providers.anykey.env_key": "ANYKEY_API_KEY",
    }
    options = [f"-c {quote(f'{key}={compact_json(value)}')}" for key, value in settings.items()]
    options.append("-c model_providers.anykey.supports_websockets=true")
    return [f"export ANYKEY_API_KEY={quote(to.key)}", f"codex {' '.join(options)}"]


CODEX = ClientRecipe(
    id="codex",
    name="Codex CLI",
    language="shell",
    protocol="openai_responses",
    base_path="/v1",
    user_agents=("codex",),  # codex_exec/, codex-tui/, codex_cli_rs/
    lines=_lines,
)
