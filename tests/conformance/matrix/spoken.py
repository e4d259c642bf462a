"""What is said in the cells of the matrix, in words of no protocol: what a client asks, what reached the upstream, what the
upstream answers and what the client was told."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

Json = dict[str, Any]


class Text(NamedTuple):
    who: str
    """``user`` or ``model``."""
    text: str


class Medium(NamedTuple):
    """An image or a PDF, base64."""

    media_type: str
    data: str


class Call(NamedTuple):
    """A tool call. ``arguments`` is the object, or the free text of a custom tool. ``id`` may be ``""`` where none is told."""

    name: str
    arguments: Any
    id: str = ""
    namespace: str = ""


class Result(NamedTuple):
    """What a tool answered to the call ``id``."""

    id: str
    text: str
    error: bool = False
    medium: Medium | None = None


Item = Text | Medium | Call | Result


class Tool(NamedTuple):
    """A function; ``custom``: its input is free text, and ``parameters`` is empty."""

    name: str
    description: str
    parameters: Json
    custom: bool = False
    namespace: str = ""


class Source(NamedTuple):
    """A citation: ``said`` is the piece of the answer it stands for, where the protocol tells."""

    url: str
    title: str
    said: str | None = None


class Usage(NamedTuple):
    """All tokens in and out, and how many of those in were read from a cache."""

    read: int = 7
    written: int = 3
    cached: int = 0


ORDINARY = Usage()


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One turn of a client. What the SDK told in earlier turns is already in its history."""

    says: tuple[Item, ...]
    system: str = ""
    tools: tuple[Tool, ...] = ()
    limit: int | None = None
    stop: tuple[str, ...] = ()
    schema: Json | None = None
    thinks: bool = False


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an upstream says. ``end``: stop, stop_sequence, length, tool_calls or refusal."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    end: str = "stop"
    usage: Usage = ORDINARY
    thought: str = ""
    state: str = ""
    """What only the maker of ``thought`` can read."""
    source: Source | None = None
    stop: str = ""
    """The sequence it stopped at."""


@dataclass(kw_only=True)
class Told:
    """What the official SDK gave its caller."""

    text: str = ""
    thought: str = ""
    refusal: str = ""
    calls: list[Call] = field(default_factory=list[Call])
    end: str = ""
    usage: Usage | None = None
    sources: list[Source] = field(default_factory=list[Source])
    stop: str | None = None
    """The sequence it stopped at, where the protocol tells."""


class Fault(NamedTuple):
    """The exception the SDK raised: its class, the HTTP status it saw (None where it saw none) and its words."""

    kind: str
    status: int | None
    message: str


@dataclass(kw_only=True)
class Heard:
    """What an upstream was asked, read from the bytes that reached it."""

    model: str
    stream: bool
    system: str = ""
    items: list[Item] = field(default_factory=list[Item])
    tools: list[Tool] = field(default_factory=list[Tool])
    limit: int | None = None
    stop: tuple[str, ...] = ()
    schema: Json | None = None
    thinks: bool = False
    states: list[str] = field(default_factory=list[str])
    thoughts: list[str] = field(default_factory=list[str])
    """The readable text beside each state, where the protocol's makers want it back."""


class Speaker(Protocol):
    """A program that talks through the official SDK of one protocol, with its own history."""

    async def say(self, ask: Ask) -> Told:
        """One turn; the answer is taken into the history."""
        ...

    async def count(self, ask: Ask) -> int:
        """The tokens of a request that is not made."""
        ...

    def fault(self, error: Exception) -> Fault:
        """What the caller sees of an error of the SDK."""
        ...


class Listener(Protocol):
    """An upstream of one protocol: what it was asked, and how it spells what it answers."""

    def heard(self, target: str, body: Json) -> Heard:
        """Read a request."""
        ...

    def whole(self, answer: Answer) -> Json:
        """The answer as one document."""
        ...

    def stream(self, answer: Answer) -> list[str]:
        """The same as events, with content from the second on at the latest."""
        ...

    def failure(self, status: int, message: str) -> Json:
        """The body of a refusal."""
        ...

    def broken(self, message: str) -> str:
        """The event that ends a stream in the middle."""
        ...

    def counted(self, tokens: int) -> Json:
        """The answer of the counting endpoint."""
        ...


def numbered(items: Iterable[Item]) -> list[Item]:
    """``items`` with the ids of calls by their order, so that only what belongs together is compared, not the ids themselves."""
    ids: dict[str, str] = {}
    found: list[Item] = []
    for item in items:
        if isinstance(item, Call):
            found.append(item._replace(id=ids.setdefault(item.id, f"#{len(ids)}")))
        elif isinstance(item, Result):
            found.append(item._replace(id=ids.get(item.id, f"nobody's {item.id}")))
        else:
            found.append(item)
    return found


def joined(items: list[Item]) -> list[Item]:
    """``items`` with what the model said in several pieces as one: a program may keep a stream as it came."""
    found: list[Item] = []
    for item in items:
        last = found[-1] if found else None
        if isinstance(item, Text) and isinstance(last, Text) and item.who == last.who == "model":
            found[-1] = Text("model", last.text + item.text)
        else:
            found.append(item)
    return found


def halves(text: str) -> list[str]:
    """``text`` as a stream cuts it."""
    middle = len(text) // 2
    return [part for part in (text[:middle], text[middle:]) if part]
