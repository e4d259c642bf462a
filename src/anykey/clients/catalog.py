"""The table of client recipes, in the order in which they are shown."""

from anykey.clients.aider import AIDER
from anykey.clients.anthropic_sdk import ANTHROPIC_SDK
from anykey.clients.claude_code import CLAUDE_CODE
from anykey.clients.codex import CODEX
from anykey.clients.curl import CURL
from anykey.clients.gemini_cli import GEMINI_CLI
from anykey.clients.openai_sdk import OPENAI_SDK
from anykey.clients.opencode import OPENCODE
from anykey.clients.qwen_code import QWEN_CODE
from anykey.clients.records import ClientRecipe

RECIPES: tuple[ClientRecipe, ...] = (
    CURL,
    CLAUDE_CODE,
    CODEX,
    GEMINI_CLI,
    OPENAI_SDK,
    ANTHROPIC_SDK,
    AIDER,
    OPENCODE,
    QWEN_CODE,
)


def recipe(client_id: str) -> ClientRecipe:
    """The recipe with this id; raises KeyError when there is none."""
    for one in RECIPES:
        if one.id == client_id:
            return one
    raise KeyError(client_id)
