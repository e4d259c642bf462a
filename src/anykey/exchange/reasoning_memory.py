"""Reasoning text that an upstream wants back and its client does not send: remembered for a while, by tool call.

Some Chat servers refuse a conversation in which an assistant message with tool calls lacks the reasoning that led to them
(protocols table 2a), and many clients drop it. Their answers are heard here, and what they thought is put back where it is
missing. A key's memory is its own. It is in this process only, bounded in entries, bytes and time; where nothing is known the
field is sent empty, which those servers take.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from anykey.conversation import events as ev
from anykey.conversation.message import Message
from anykey.conversation.parts import ReasoningPart, ToolCallPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import GenerateResponse
from anykey.protocols.openai_chat.dialect import Dialect as ChatDialect
from anykey.protocols.openai_chat.messages_encoding import last_word_of_user

KEPT_S = 2 * 3600.0
MOST_ENTRIES = 2000
MOST_BYTES = 32 * 1024 * 1024


class _Entry(NamedTuple):
    text: str
    size: int
    until_s: float


class ReasoningMemory:
    """(key id, tool call id) → what was thought before that call. ``monotonic`` in seconds."""

    __slots__ = ("_entries", "_monotonic", "_size")

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()
        self._size = 0

    def remember(self, key_id: str, call_id: str, text: str) -> None:
        """Keep ``text`` for KEPT_S; the oldest entries make room."""
        size = len(text.encode(errors="replace"))
        if not text or size > MOST_BYTES:
            return
        self._forget((key_id, call_id))
        self._entries[key_id, call_id] = _Entry(text, size, self._monotonic() + KEPT_S)
        self._size += size
        while len(self._entries) > MOST_ENTRIES or self._size > MOST_BYTES:
            self._forget(next(iter(self._entries)))

    def recall(self, key_id: str, call_ids: Iterable[str]) -> str:
        """What was thought before the first of these calls that is known, else ``""``."""
        for call_id in call_ids:
            entry = self._entries.get((key_id, call_id))
            if entry is not None and entry.until_s > self._monotonic():
                return entry.text
        return ""

    def _forget(self, key: tuple[str, str]) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size -= entry.size


class ReasoningListener:
    """Hears one answer, as events or whole, and remembers what was thought before its calls."""

    __slots__ = ("_call_id", "_key_id", "_memory", "_text")

    def __init__(self, memory: ReasoningMemory, key_id: str) -> None:
        self._memory = memory
        self._key_id = key_id
        self._text: list[str] = []
        self._call_id: str | None = None

    def event(self, event: ev.StreamEvent) -> None:
        """Remember at the end of the first choice; one entry serves all its calls, for they come back in one message."""
        match event:
            case ev.ReasoningDelta(choice=0):
                self._text.append(event.text)
            case ev.PartStarted(part=ReasoningPart(text=text), choice=0) if text:
                self._text.append(text)
            case ev.PartStarted(part=ToolCallPart(id=call_id), choice=0) if self._call_id is None:
                self._call_id = call_id
            case ev.ChoiceFinished(choice=0) if self._call_id is not None:
                self._memory.remember(self._key_id, self._call_id, "".join(self._text))
            case _:
                pass

    def response(self, answer: GenerateResponse) -> None:
        """The same for a whole answer."""
        for choice in answer.choices[:1]:
            text = "".join(part.text for part in choice.parts if isinstance(part, ReasoningPart))
            calls = [part.id for part in choice.parts if isinstance(part, ToolCallPart)]
            if calls:
                self._memory.remember(self._key_id, calls[0], text)


def demands_echo(dialect: Any) -> bool:
    """The upstream wants the reasoning before tool calls back. ``dialect`` is any protocol's."""
    return isinstance(dialect, ChatDialect) and dialect.echo_reasoning != "never" and dialect.reasoning_field != "none"


def refill_request(
    request: GenerateRequest, dialect: ChatDialect, memory: ReasoningMemory, key_id: str
) -> GenerateRequest:
    """``request`` with remembered reasoning in the assistant messages that call tools and have none."""
    first = _first_wanted(last_word_of_user(request.messages), dialect)
    messages = list(request.messages)
    changed = False
    for index, message in enumerate(messages[first:], first):
        text = _missing(message, memory, key_id)
        if text:
            messages[index] = msgspec.structs.replace(message, parts=(ReasoningPart(text), *message.parts))
            changed = True
    return msgspec.structs.replace(request, messages=tuple(messages)) if changed else request


def _missing(message: Message, memory: ReasoningMemory, key_id: str) -> str:
    if message.role != "assistant" or any(type(part) is ReasoningPart for part in message.parts):
        return ""
    return memory.recall(key_id, [part.id for part in message.parts if type(part) is ToolCallPart])


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


class _Body(msgspec.Struct):
    messages: list[_Message]


class _Call(msgspec.Struct):
    id: str = ""


_body_decoder = msgspec.json.Decoder(_Body)
_raw_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_message_list = msgspec.json.Decoder(list[msgspec.Raw])
_call_list = msgspec.json.Decoder(list[_Call])


def refill_chat_body(body: bytes, dialect: ChatDialect, memory: ReasoningMemory, key_id: str) -> bytes:
    """A Chat client's own body with the missing reasoning put in; the same object where none is missing. Messages that lack
    nothing keep their bytes. A body that cannot be read is returned as it is: the codec says what is wrong with it."""
    if b'"tool_calls"' not in body:
        return body
    try:
        probe = _body_decoder.decode(body).messages
        last = max((index for index, message in enumerate(probe) if message.role == "user"), default=-1)
        first = _first_wanted(last, dialect)
        lacking = [index for index in range(first, len(probe)) if _lacks(probe[index])]
        if not lacking:
            return body
        fields = _raw_decoder.decode(body)
        messages = _message_list.decode(fields["messages"])
        for index in lacking:
            calls = _call_list.decode(probe[index].tool_calls)
            messages[index] = _refilled(messages[index], memory.recall(key_id, [call.id for call in calls]), dialect)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body
    fields["messages"] = msgspec.Raw(msgspec.json.encode(messages))
    return msgspec.json.encode(fields)


def _lacks(message: _Message) -> bool:
    """It calls tools and has no reasoning; null is the same as absent."""
    told = (message.reasoning_content, message.reasoning, message.reasoning_details)
    return message.role == "assistant" and _says(message.tool_calls) and not any(_says(value) for value in told)


def _says(value: msgspec.Raw) -> bool:
    return bytes(value) not in (b"", b"null")


def _refilled(message: msgspec.Raw, text: str, dialect: ChatDialect) -> msgspec.Raw:
    if not text and (not dialect.empty_reasoning or dialect.reasoning_details):
        return message
    fields: dict[str, Any] = dict(_raw_decoder.decode(message))
    fields[dialect.reasoning_field] = text
    return msgspec.Raw(msgspec.json.encode(fields))
