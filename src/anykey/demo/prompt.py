"""What the demo model was asked, without the protocol it was asked in.

Law: pure values. The wire modules build a `Prompt`, the script reads it; neither sees the other's spelling.
"""

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

# Programs put context of their own into the user's message; it is not what the user said.
_CONTEXT_BLOCK = re.compile(r"<(system-reminder|environment_details|environment_context)>.*?</\1>", re.DOTALL)
_ENVELOPE = re.compile(r"</?(?:user_input|user_query|task)\b[^>]*>")
_MEDIA_TOKENS = 256

Role = Literal["system", "user", "assistant"]


THINKING_MODEL = "demo-thinking"  # reasons in every answer
STRICT_MODEL = "demo-thinking-strict"  # and refuses tool results when the reasoning before the call did not come back


class BadRequestError(ValueError):
    """The request cannot be understood; the text is for the caller, `code` for a program where the protocol has one."""

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool the caller offers: `parameters` is its JSON schema, unless it takes free text."""

    name: str
    description: str = ""
    parameters: Any = None
    free_text: bool = False
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message: its text, the tool results in it, and how many parts of it are neither."""

    role: Role
    text: str = ""
    results: tuple[str, ...] = ()
    media: int = 0


@dataclass(frozen=True)
class Prompt:
    """One request. `schema` is None unless JSON is asked for; `digest` names the request and seeds every id.

    `options` is what only the wire that read the request looks at again when it answers.
    """

    model: str
    digest: str
    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    must_call: bool = False
    schema: Any = None
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None
    stream: bool = False
    stream_usage: bool = False
    options: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def thinks(self) -> bool:
        """The model asked reasons without being told."""
        return THINKING_MODEL in self.model

    @cached_property
    def said(self) -> str:
        """The last thing the user said, without what the program added around it."""
        spoken = (spoken_text(turn.text) for turn in reversed(self.turns) if turn.role == "user")
        return next((text for text in spoken if text), "")

    @cached_property
    def new_results(self) -> tuple[str, ...]:
        """The tool results that end the conversation, in order; empty when it ends with anything else."""
        found: list[str] = []
        for turn in reversed([turn for turn in self.turns if turn.role != "system"]):
            if not turn.results:
                break
            found[:0] = turn.results
        return tuple(found)

    @cached_property
    def results_since_said(self) -> int:
        """How many tool results came since the user last said something."""
        count = 0
        for turn in reversed(self.turns):
            if turn.role == "user" and spoken_text(turn.text):
                break
            count += len(turn.results)
        return count

    @cached_property
    def system(self) -> str:
        """All system and developer text, one message a line."""
        return "\n".join(turn.text for turn in self.turns if turn.role == "system")

    @cached_property
    def input_tokens(self) -> int:
        """The size of the request as `tokens` counts it: texts, tool results and tool declarations."""
        texts = [text for turn in self.turns for text in (turn.text, *turn.results)]
        texts += [tool.name + tool.description + json.dumps(tool.parameters) for tool in self.tools]
        return max(1, sum(map(tokens, texts)) + _MEDIA_TOKENS * sum(turn.media for turn in self.turns))


def is_strict(model: str) -> bool:
    """The model asked is the one that wants its reasoning back."""
    return STRICT_MODEL in model


def tokens(text: str) -> int:
    """One token for every four UTF-8 bytes begun: the demo's own measure, close enough to look at."""
    return -(-len(text.encode()) // 4)


def spoken_text(text: str) -> str:
    """A user message without the context blocks, the envelope and the outer quotes that programs add."""
    text = _ENVELOPE.sub("", _CONTEXT_BLOCK.sub("", text)).strip()
    if len(text) > 1 and text[0] == text[-1] == '"':  # OpenCode quotes the argument of `run`
        text = text[1:-1].strip()
    return text
