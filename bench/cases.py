"""What is measured, and the bar each figure must keep.

A load case is one kind of call in one pair of protocols (what the client speaks, what the upstream speaks). The bars
are CPU microseconds of the gateway per request or per stream event on one core.
"""

from dataclasses import dataclass
from typing import Literal

WireProtocol = Literal["chat", "messages", "responses", "gemini"]
Kind = Literal["chat", "agent", "stream"]

IDLE_RSS = "rss"
START = "start"
PLAN = "plan-1000"
ADDED = "chat-metered-added"
IDLE_RSS_BAR_MB = 100.0
START_BAR_S = 1.5
ADDED_BAR_MS = 1.0

SMALL_CONNECTIONS = 64
AGENT_CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class LoadCase:
    """One row of the table that is measured under load; `bar_us` is CPU per request, or per event if a stream. `metered`: the key
    has limits and pays, so money is held before each call and settled after it."""

    name: str
    title: str
    kind: Kind
    client: WireProtocol
    upstream: WireProtocol
    bar_us: float
    metered: bool = False

    @property
    def streams(self) -> bool:
        """Whether the unit that is counted is a stream event rather than a request."""
        return self.kind == "stream"

    @property
    def verbatim(self) -> bool:
        """Whether both sides speak one protocol, so that nginx can do the same work and be compared."""
        return self.client == self.upstream

    @property
    def connections(self) -> int:
        """How many connections wrk keeps busy (streams have their own number, an option of the command)."""
        return SMALL_CONNECTIONS if self.kind == "chat" else AGENT_CONNECTIONS


_WORDS: dict[WireProtocol, str] = {
    "chat": "Chat",
    "messages": "Messages",
    "responses": "Responses",
    "gemini": "Gemini",
}


def _agent(client: WireProtocol, upstream: WireProtocol) -> LoadCase:
    title = f"76 KB agent request, {_WORDS[client]} to {_WORDS[upstream]}"
    return LoadCase(f"agent-{client}-to-{upstream}", title, "agent", client, upstream, 1200)


def _event(client: WireProtocol, upstream: WireProtocol) -> LoadCase:
    title = f"stream event, {_WORDS[client]} from {_WORDS[upstream]}"
    return LoadCase(f"event-{client}-from-{upstream}", title, "stream", client, upstream, 45)


LOAD_CASES = (
    LoadCase("chat", "90 B request, Chat verbatim", "chat", "chat", "chat", 100),
    LoadCase(
        "chat-metered",
        "90 B request, Chat verbatim, key with limits and wallet",
        "chat",
        "chat",
        "chat",
        160,
        metered=True,
    ),
    LoadCase("chat-responses", "90 B request, Responses verbatim", "chat", "responses", "responses", 100),
    LoadCase("chat-gemini", "90 B request, Gemini verbatim", "chat", "gemini", "gemini", 100),
    LoadCase("agent", "76 KB agent request, Messages verbatim", "agent", "messages", "messages", 350),
    LoadCase("agent-to-chat", "76 KB agent request, Messages to Chat", "agent", "messages", "chat", 900),
    LoadCase("agent-to-messages", "76 KB agent request, Chat to Messages", "agent", "chat", "messages", 900),
    _agent("responses", "messages"),
    _agent("responses", "chat"),
    _agent("messages", "responses"),
    _agent("messages", "gemini"),
    _agent("gemini", "chat"),
    _agent("gemini", "messages"),
    LoadCase("event-chat", "stream event, Chat verbatim", "stream", "chat", "chat", 22),
    LoadCase("event-messages", "stream event, Messages verbatim", "stream", "messages", "messages", 22),
    LoadCase("event-responses", "stream event, Responses verbatim", "stream", "responses", "responses", 22),
    LoadCase("event-gemini", "stream event, Gemini verbatim", "stream", "gemini", "gemini", 22),
    LoadCase("event-to-chat", "stream event, Messages from Chat", "stream", "messages", "chat", 35),
    LoadCase("event-to-messages", "stream event, Chat from Messages", "stream", "chat", "messages", 35),
    *(
        _event(client, upstream)
        for client in _WORDS
        for upstream in _WORDS
        if client != upstream and not {client, upstream} <= {"chat", "messages"}
    ),
)

NAMES = (*(case.name for case in LOAD_CASES), ADDED, IDLE_RSS, START, PLAN)


def chosen(only: tuple[str, ...]) -> frozenset[str]:
    """The names that `--only` asks for: a word stands for itself and for what begins with it and a hyphen.

    No word at all means every name. Raises ValueError for a word that stands for nothing.
    """
    if not only:
        return frozenset(NAMES)
    found: set[str] = set()
    for word in only:
        names = {name for name in NAMES if name == word or name.startswith(f"{word}-")}
        if not names:
            raise ValueError(f"there is no case {word!r}; the cases are {', '.join(NAMES)}")
        found |= names
    return frozenset(found)
