"""What is known of one client program. Law: pure values; facts only, no file is read and nothing is run."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Connection:
    """What a client needs: the gateway's address (`http://HOST:PORT`, nothing after it), a key and a model name."""

    address: str
    key: str
    model: str


@dataclass(frozen=True, slots=True)
class ClientRecipe:
    """One client program.

    `user_agents` are the beginnings, in lower case, of the `User-Agent` values it sends (a program that sends its
    SDK's has none). `base_path` is what this program wants after the address: "" or "/v1". `lines` are the
    copy-paste lines.
    """

    id: str
    name: str
    language: Literal["shell", "python"]
    protocol: Literal["openai_chat", "openai_responses", "anthropic_messages", "gemini_generate"]
    base_path: Literal["", "/v1"]
    user_agents: tuple[str, ...]
    lines: Callable[[str, Connection], list[str]]

    def base_url(self, address: str) -> str:
        """The base URL in this program's own convention; an address that already ends in `/v1` is understood."""
        return address.rstrip("/").removesuffix("/v1").rstrip("/") + self.base_path

    def connect_lines(self, address: str, key: str, model: str) -> list[str]:
        """Lines to copy: shell commands, or Python for an SDK. They contain the key."""
        return self.lines(self.base_url(address), Connection(address, key, model))


def compact_json(value: object) -> str:
    """JSON on one line, readable in a shell quote."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def python_text(value: str) -> str:
    """A Python string literal in double quotes."""
    return json.dumps(value, ensure_ascii=False)
