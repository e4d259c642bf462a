"""OpenCode: its configuration in one environment variable, so that no file is written. Observed with 1.18.33.

It never asks for the list of models, so the model is named in the configuration. The shape is that of version 1,
which version 2 reads too. Base URLs include `/v1`.
"""

from shlex import quote

from anykey.clients.records import ClientRecipe, Connection, compact_json


def _lines(base_url: str, to: Connection) -> list[str]:
    model = f"anykey/{to.model}"
    config = {
        "$schema": "https://opencode.ai/config.json",
        "model": model,
        "small_model": model,
        "provider": {
            "anykey": {
                "npm": "@ai-sdk/openai-compatible",
                "name": "anykey",
                "options": {"baseURL": base_url, "apiKey": "{env:ANYKEY_API_KEY}"},
                "models": {to.model: {"name": to.model}},
            }
        },
    }
    return [
        f"export ANYKEY_API_KEY={quote(to.key)}",
        f"export OPENCODE_CONFIG_CONTENT={quote(compact_json(config))}",
        "opencode",
    ]


OPENCODE = ClientRecipe(
    id="opencode",
    name="OpenCode",
    language="shell",
    protocol="openai_chat",
    base_path="/v1",
    user_agents=("opencode/",),
    lines=_lines,
)
