"""Helper calls of client programs: titles, summaries, routing, commit messages. Small work that a small model does as well.

A client does not say that a call is one, or only its own way; what it says is in `MARKS`, each with where it was seen. A mark is
a few words of the client's own prompt, too particular for a user's: where a release words it otherwise, the call is simply no
helper call and goes where every other goes. clients-cli.md and clients-more.md say how the programs were observed.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

Place = Literal["system", "asked", "model", "headers"]


class Mark(NamedTuple):
    """`text` stands in the beginning of a system text, or of what the user asked last, or in the header in which a client
    describes its call; for `model` it is a glob of the name. `client` empty: whoever it is. `kind` is what the call is for."""

    client: str
    place: Place
    text: str
    kind: str


MARKS: tuple[Mark, ...] = (
    # Claude Code 2.1.329: the title of a session (observed); its summaries and topic checks in releases before (from memory).
    Mark("claude-code", "system", "You are naming a coding session", "title"),
    Mark("claude-code", "system", "Summarize this coding conversation", "title"),
    Mark("claude-code", "system", "Analyze if this message indicates a new conversation topic", "title"),
    Mark("claude-code", "asked", "Your task is to create a detailed summary of the conversation", "compaction"),
    Mark("claude-code", "model", "*haiku*", "its small model"),
    # Codex 0.169 (observed): its own header, or the same text among the body's client_metadata over a WebSocket.
    Mark("codex", "headers", '"request_kind":"compaction"', "compaction"),
    Mark("codex", "asked", "Generate a concise, single-line task title", "title"),
    # Gemini CLI 0.61 (observed): hard-coded Flash-Lite models beside the one that was chosen.
    Mark("gemini-cli", "model", "gemini-*-flash-lite*", "its small model"),
    Mark("gemini-cli", "system", "You are a specialized Task Routing AI", "routing"),
    # OpenCode 1.18 and Kilo 7.7, a fork of it (observed; the summary from memory).
    Mark("opencode", "system", "You are a title generator", "title"),
    Mark("opencode", "system", "tasked with summarizing conversations", "compaction"),
    Mark("kilo", "system", "You are a title generator", "title"),
    Mark("kilo", "asked", "Summarize conversation chunk", "compaction"),
    # Qwen Code 0.24 (observed; the compression, which it has from Gemini CLI, from memory).
    Mark("qwen-code", "system", "managed memory extraction subagent", "memory"),
    Mark("qwen-code", "system", "summarizes internal chat history", "compaction"),
    Mark("gemini-cli", "system", "summarizes internal chat history", "compaction"),
    # Droid 0.215 (observed).
    Mark("droid", "system", "You excel at creating and maintaining summaries", "compaction"),
    # Aider 0.86 calls itself by its SDK's name, so its words must do (observed).
    Mark("", "system", "one-line Git commit messages", "commit message"),
)
QUOTA_CHECK = "quota"
"""Claude Code asks for one token of an answer to this word, to see whether it may call at all."""


class Spoken(NamedTuple):
    """What a call says where marks can be: the beginnings of its system texts and of the last thing the user said, the values of
    the headers that clients describe themselves in."""

    system: str
    asked: str
    model: str
    headers: str
    max_tokens: int | None


def helper_call(client: str, spoken: Spoken) -> str:
    """The kind of helper call it is; empty: it is none."""
    if client == "claude-code" and spoken.max_tokens == 1 and spoken.asked.strip() == QUOTA_CHECK:
        return "quota check"
    for mark in _marks_of(client):
        if mark.place == "model":
            if fnmatchcase(spoken.model, mark.text):
                return mark.kind
        elif mark.text in getattr(spoken, mark.place):
            return mark.kind
    return ""


def _marks_of(client: str) -> tuple[Mark, ...]:
    return _BY_CLIENT.get(client, _ANYBODY)


_ANYBODY = tuple(mark for mark in MARKS if not mark.client)
_BY_CLIENT = {
    client: tuple(mark for mark in MARKS if mark.client in {client, ""}) for client in {mark.client for mark in MARKS}
}
