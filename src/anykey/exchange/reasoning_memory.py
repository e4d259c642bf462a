"""Reasoning that an upstream wants back and its client does not send: remembered for a while, by tool call.

Some Chat servers refuse a conversation in which an assistant message with tool calls lacks the reasoning that led to them
(protocols table 2a), and many clients drop it. Their answers are heard here, and what they thought is put back where it is
missing. Where the text only sums up a thought and ``encrypted_content`` holds the thought itself (byteplus.md §4), that is put
back too, and to the provider that made it only. A key's memory is its own. It is in this process only, bounded in entries, bytes
and time; where nothing is known the field is sent empty, which those servers take.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from anykey.conversation import events as ev
from anykey.conversation.message import Message
from anykey.conversation.parts import Part, ReasoningPart, ToolCallPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import GenerateResponse
from anykey.protocols.openai_chat.dialect import Dialect as ChatDialect
from anykey.protocols.openai_chat.messages_encoding import last_word_of_user
from anykey.protocols.openai_chat.sealed import KEY as SEALED
from anykey.protocols.openai_chat.sealed import add_sealed, is_sealed, sealed_in

KEPT_S = 2 * 3600.0
MOST_ENTRIES = 2000
MOST_BYTES = 32 * 1024 * 1024


class Thought(NamedTuple):
    """``text`` as it could be read; ``sealed`` is the whole of it, for its ``maker`` (a provider's id) alone."""

    text: str = ""
    sealed: str = ""
    maker: str = ""


NOTHING = Thought()


class _Entry(NamedTuple):
    thought: Thought
    size: int
    until_s: float


class ReasoningMemory:
    """(key id, tool call id) → what was thought before that call. ``monotonic`` in seconds."""

    __slots__ = ("_entries", "_monotonic", "_size")

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()
        self._size = 0

    def remember(self, key_id: str, call_id: str, thought: Thought) -> None:
        """Keep ``thought`` for KEPT_S; the oldest entries make room."""
        size = len(thought.text.encode(errors="replace")) + len(thought.sealed)
        if not size or size > MOST_BYTES:
            return
        self._forget((key_id, call_id))
        self._entries[key_id, call_id] = _Entry(thought, size, self._monotonic() + KEPT_S)
        self._size += size
        while len(self._entries) > MOST_ENTRIES or self._size > MOST_BYTES:
            self._forget(next(iter(self._entries)))

    def recall(self, key_id: str, call_ids: Iterable[str]) -> Thought:
        """What was thought before the first of these calls that is known."""
        for call_id in call_ids:
            entry = self._entries.get((key_id, call_id))
            if entry is not None and entry.until_s > self._monotonic():
                return entry.thought
        return NOTHING

    def _forget(self, key: tuple[str, str]) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size -= entry.size


class Recollection(NamedTuple):
    """What one key and one provider share of the memory."""

    memory: ReasoningMemory
    key_id: str
    provider: str

    def remember(self, call_id: str, text: str, sealed: str) -> None:
        self.memory.remember(self.key_id, call_id, Thought(text, sealed, self.provider if sealed else ""))

    def recall(self, call_ids: Iterable[str]) -> Thought:
        """As ``ReasoningMemory.recall``, without what another provider sealed."""
        found = self.memory.recall(self.key_id, call_ids)
        return found if found.maker == self.provider or not found.sealed else Thought(found.text)


class ReasoningListener:
    """Hears one answer, as events or whole, and remembers what was thought before its calls."""

    __slots__ = ("_call_id", "_own", "_sealed", "_text")

    def __init__(self, own: Recollection) -> None:
        self._own = own
        self._text: list[str] = []
        self._sealed = ""
        self._call_id: str | None = None

    def event(self, event: ev.StreamEvent) -> None:
        """Remember at the end of the first choice; one entry serves all its calls, for they come back in one message."""
        match event:
            case ev.ReasoningDelta(choice=0):
                self._text.append(event.text)
            case ev.StateDelta(state=state, choice=0) if is_sealed(state):
                self._sealed = state.data
            case ev.PartStarted(part=ReasoningPart() as part, choice=0):
                self._text.append(part.text)
                self._sealed = sealed_in((part,)) or self._sealed
            case ev.PartStarted(part=ToolCallPart(id=call_id), choice=0) if self._call_id is None:
                self._call_id = call_id
            case ev.ChoiceFinished(choice=0) if self._call_id is not None:
                self._own.remember(self._call_id, "".join(self._text), self._sealed)
            case _:
                pass

    def response(self, answer: GenerateResponse) -> None:
        """The same for a whole answer."""
        for choice in answer.choices[:1]:
            thoughts = [part for part in choice.parts if isinstance(part, ReasoningPart)]
            calls = [part.id for part in choice.parts if isinstance(part, ToolCallPart)]
            if calls:
                self._own.remember(calls[0], "".join(part.text for part in thoughts), sealed_in(thoughts) or "")


def demands_echo(dialect: Any) -> bool:
    """The upstream wants the reasoning before tool calls back. ``dialect`` is any protocol's."""
    return isinstance(dialect, ChatDialect) and dialect.echo_reasoning != "never" and dialect.reasoning_field != "none"


def refill_request(request: GenerateRequest, dialect: ChatDialect, own: Recollection) -> GenerateRequest:
    """``request`` with remembered reasoning in the assistant messages that call tools and lack it; else the same object."""
    first = _first_wanted(last_word_of_user(request.messages), dialect)
    messages = list(request.messages)
    changed = False
    for index, message in enumerate(messages[first:], first):
        parts = _refilled_parts(message, dialect, own)
        if parts is not None:
            messages[index] = msgspec.structs.replace(message, parts=tuple(parts))
            changed = True
    return msgspec.structs.replace(request, messages=tuple(messages)) if changed else request


def _refilled_parts(message: Message, dialect: ChatDialect, own: Recollection) -> list[Part] | None:
    """The parts with what is missing; None where nothing is, or nothing is known."""
    if message.role != "assistant":
        return None
    thoughts = [part for part in message.parts if type(part) is ReasoningPart]
    if thoughts and (not dialect.encrypted_content or any(part.state is not None for part in thoughts)):
        return None
    found = own.recall([part.id for part in message.parts if type(part) is ToolCallPart])
    parts = list(message.parts)
    if found.text and not thoughts:
        parts.insert(0, ReasoningPart(found.text))
    if found.sealed and dialect.encrypted_content:
        add_sealed(parts, found.sealed)
    return parts if parts != list(message.parts) else None


def _first_wanted(last_word: int, dialect: ChatDialect) -> int:
    """The first message whose reasoning is wanted back."""
    return 0 if dialect.echo_reasoning == "always" else last_word + 1


_ABSENT = msgspec.Raw()


class _Message(msgspec.Struct):
    """What tells whether reasoning is missing; the rest of the message is passed over."""

    role: str | None = None
    tool_calls: msgspec.Raw = _ABSENT
    reasoning_content: msgspec.Raw = _ABSENT
    reasoning: msgspec.Raw = _ABSENT
    reasoning_details: msgspec.Raw = _ABSENT
    encrypted_content: msgspec.Raw = _ABSENT

    @property
    def calls(self) -> bool:
        return self.role == "assistant" and _says(self.tool_calls)

    @property
    def tells(self) -> bool:
        """There is reasoning; null is the same as absent."""
        return any(_says(value) for value in (self.reasoning_content, self.reasoning, self.reasoning_details))


class _Body(msgspec.Struct):
    messages: list[_Message]


class _Call(msgspec.Struct):
    id: str = ""


_body_decoder = msgspec.json.Decoder(_Body)
_raw_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_message_list = msgspec.json.Decoder(list[msgspec.Raw])
_call_list = msgspec.json.Decoder(list[_Call])


def refill_chat_body(body: bytes, dialect: ChatDialect, own: Recollection) -> bytes:
    """A Chat client's own body with the missing reasoning put in; the same object where there is none to put. Messages that lack
    nothing keep their bytes. A body that cannot be read is returned as it is: the codec says what is wrong with it."""
    if b'"tool_calls"' not in body:
        return body
    try:
        probe = _body_decoder.decode(body).messages
        last = max((index for index, message in enumerate(probe) if message.role == "user"), default=-1)
        refilled: dict[int, msgspec.Raw] = {}
        fields: dict[str, msgspec.Raw] = {}
        messages: list[msgspec.Raw] = []
        for index in range(_first_wanted(last, dialect), len(probe)):
            more = _missing(probe[index], dialect, own)
            if more and not messages:
                fields = _raw_decoder.decode(body)
                messages = _message_list.decode(fields["messages"])
            if more:
                refilled[index] = msgspec.Raw(msgspec.json.encode({**_raw_decoder.decode(messages[index]), **more}))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body
    if not refilled:
        return body
    told = [refilled.get(index, message) for index, message in enumerate(messages)]
    fields["messages"] = msgspec.Raw(msgspec.json.encode(told))
    return msgspec.json.encode(fields)


def _missing(message: _Message, dialect: ChatDialect, own: Recollection) -> dict[str, str]:
    """What this message shall say besides."""
    tells, seals = message.tells, dialect.encrypted_content
    if not message.calls or (_says(message.encrypted_content) if seals else tells):
        return {}
    found = own.recall([call.id for call in _call_list.decode(message.tool_calls)])
    more: dict[str, str] = {}
    if not tells and (found.text or (dialect.empty_reasoning and not dialect.reasoning_details)):
        more[dialect.reasoning_field] = found.text
    if seals and found.sealed:
        more[SEALED] = found.sealed
    return more


def _says(value: msgspec.Raw) -> bool:
    return bytes(value) not in (b"", b"null")
