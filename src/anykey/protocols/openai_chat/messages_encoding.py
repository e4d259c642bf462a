"""Messages of a request, neutral to wire, for one upstream.

Chat has one ``tool`` message for each result, with text only; it has no order between text and calls within a message; and its
instructions are a message like any other. What that costs is recorded.
"""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.losses import LossLog
from anykey.conversation.message import Message
from anykey.conversation.parts import (
    Json,
    MediaPart,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from anykey.conversation.request import GenerateRequest
from anykey.protocols.names import sent_name
from anykey.protocols.openai_chat.content import ContentWriter, data_uri
from anykey.protocols.openai_chat.dialect import Dialect
from anykey.protocols.openai_chat.extras import NAME, drop_extras, write_extras
from anykey.protocols.openai_chat.reasoning import mark_unknown, write_history
from anykey.protocols.openai_chat.signatures import call_state, sign_call
from anykey.protocols.openai_chat.tools import OPAQUE_CALL, encode_tool_call

BILLING_HEADER = "x-anthropic-billing-header"
"""How Claude Code's first system block begins; a hash in it changes at every request and would spoil prefix caches."""

_DETAIL = "reasoning_details."
_RANKS: dict[type[Part], int] = {ReasoningPart: 0, TextPart: 1, RefusalPart: 2, ToolCallPart: 3}
"""The only order a Chat message can tell: reasoning, text, refusal, calls."""


_SILENT: Json = {"role": "assistant", "content": ""}
_SPEAKING = ("tool_calls", "function_call", "refusal", "audio")
"""Fields beside which an assistant's content may be null; reasoning is none of them."""


class MessageWriter:
    """Writes the messages of one request: ``write`` once."""

    def __init__(self, dialect: Dialect, log: LossLog) -> None:
        self._dialect = dialect
        self._log = log
        self._content = ContentWriter(dialect, log)
        self._out: list[Json] = []
        self._followup: list[Json] = []  # media of tool results, waiting for the user message that shows them
        self._legacy_calls: set[str] = set()
        self._known_calls: set[str] = set()

    def write(self, request: GenerateRequest) -> list[Json]:
        """The ``messages`` array."""
        if request.instructions:
            self._instructions(request.instructions)
        turn_start = last_word_of_user(request.messages)
        for index, message in enumerate(request.messages):
            path = f"messages[{index}]"
            match message.role:
                case "user" | "tool":
                    self._user(message, path)
                case "assistant":
                    self._assistant(message, path, in_turn=index > turn_start)
                case _:
                    self._system(message, path)
        self._flush_followup()
        return self._out

    def _instructions(self, parts: tuple[Part, ...]) -> None:
        entries: list[Json] = []
        for index, part in enumerate(parts):
            path = f"system[{index}]"
            if not isinstance(part, TextPart):
                self._log.dropped(path, "instructions are text")
            elif part.text.startswith(BILLING_HEADER):
                self._log.dropped(
                    path, "the billing line of the client changes at each request and is for its own provider"
                )
            else:
                entries.append(self._content.text(part, path))
        if not entries:
            return
        if any(len(entry) > 2 for entry in entries):
            content: Any = entries
        else:
            content = "\n\n".join(entry["text"] for entry in entries)
        self._out.append({"role": "system", "content": content})

    def _system(self, message: Message, path: str) -> None:
        self._flush_followup()
        role = message.role
        if role == "developer" and not self._dialect.developer_role:
            self._log.emulated(f"{path}.role", "this upstream knows system, not developer")
            role = "system"
        entries: list[Json] = []
        for index, part in enumerate(message.parts):
            if isinstance(part, TextPart):
                entries.append(self._content.text(part, f"{path}.content[{index}]"))
            elif isinstance(part, OpaquePart) and part.origin == NAME:
                entries.append(part.value)
            else:
                self._log.dropped(f"{path}.content[{index}]", f"a {role} message is text")
        self._close({"role": role, "content": collapse(entries)}, message, path)

    def _user(self, message: Message, path: str) -> None:
        """Tool results first, one message each, then what the user said."""
        rest: list[tuple[int, Part]] = []
        for index, part in enumerate(message.parts):
            if isinstance(part, ToolResultPart):
                if rest:
                    self._log.approximated(
                        f"{path}.content[{index}]", "tool results are sent before the text around them"
                    )
                result = self._result(part, f"{path}.content[{index}]")
                if message.role == "tool":
                    self._close(result, message, path)
                else:
                    self._out.append(result)
            else:
                rest.append((index, part))
        if message.role == "tool" or (message.parts and not rest):
            for index, _ in rest:
                self._log.dropped(f"{path}.content[{index}]", "a tool message holds results only")
            if message.role == "user":
                self._report_envelope(message, path)
            return
        entries, self._followup = self._followup, []
        written = (self._content.write(part, f"{path}.content[{index}]") for index, part in rest)
        entries += [entry for entry in written if entry is not None]
        self._close({"role": "user", "content": collapse(entries)}, message, path)

    def _result(self, part: ToolResultPart, path: str) -> Json:
        entries: list[Json] = []
        for index, item in enumerate(part.content):
            entry = self._result_item(item, f"{path}.content[{index}]", part.call_id)
            if entry is not None:
                entries.append(entry)
        if part.is_error:
            self._mark_error(entries, path)
        if part.cache is not None:
            if entries:
                self._content.cache(entries[-1], part.cache, path)
            else:
                self._log.dropped(f"{path}.cache_control", "an empty result takes no mark")
        is_legacy = part.call_id in self._legacy_calls or (part.name and part.call_id not in self._known_calls)
        if is_legacy and part.name:
            result: Json = {"role": "function", "name": part.name, "content": collapse(entries)}
        else:
            if part.name is not None:
                self._log.dropped(f"{path}.name", "a result names its call, not its tool")
            result = {"role": "tool", "tool_call_id": part.call_id, "content": collapse(entries)}
        if part.extras:
            write_extras(result, part.extras, path, self._log)
        return result

    def _result_item(self, item: TextPart | MediaPart | OpaquePart, path: str, call_id: str) -> Json | None:
        if isinstance(item, OpaquePart) and item.origin != NAME:
            return self._content.write(item, path) or {"type": "text", "text": msgspec.json.encode(item.value).decode()}
        entry = self._content.write(item, path)
        if not isinstance(item, MediaPart) or entry is None or entry["type"] == "text":
            return entry
        if self._dialect.tool_result_images == "native":
            return entry
        kind = item.kind
        self._log.emulated(path, f"the {kind} is shown in a user message after the tool results")
        self._followup.append({"type": "text", "text": f"The {kind} that tool call {call_id} returned:"})
        self._followup.append(entry)
        return {"type": "text", "text": f"[The {kind} follows in the next user message.]"}

    def _mark_error(self, entries: list[Json], path: str) -> None:
        self._log.emulated(f"{path}.is_error", "the text itself says that it is an error")
        for entry in entries:
            if entry.get("type") == "text":
                if not entry["text"].lower().startswith("error"):
                    entry["text"] = f"Error: {entry['text']}"
                return
        entries.insert(0, {"type": "text", "text": "Error"})

    def _assistant(self, message: Message, path: str, *, in_turn: bool) -> None:
        self._flush_followup()
        out: Json = {"role": "assistant", "content": None}
        speech = _Speech()
        rank = 0
        for index, part in enumerate(message.parts):
            where = f"{path}.content[{index}]"
            is_hosted = isinstance(part, ToolCallPart) and part.kind == "hosted"  # not sent, so it has no order
            part_rank = rank if is_hosted else _RANKS.get(type(part), rank)
            if part_rank < rank:
                self._log.approximated(where, "a message has reasoning, text, refusal and calls in this order")
            rank = max(rank, part_rank)
            self._say(part, where, speech)
        if speech.signature is not None:  # no call came after it
            speech.reasoning.append(speech.signature)
        dialect = self._dialect
        echo = dialect.echo_reasoning == "always" or (dialect.echo_reasoning == "tool_turn" and in_turn)
        write_history(out, speech.reasoning, echo=echo, dialect=dialect, log=self._log)
        if echo and speech.tool_calls and dialect.empty_reasoning:
            mark_unknown(out, dialect)
        if speech.details:
            out["reasoning_details"] = [*out.get("reasoning_details", ()), *speech.details]
        out.update(speech.fields)
        for key in ("annotations", "images", "tool_calls"):
            if values := getattr(speech, key):
                out[key] = values
        if speech.content or not any(key in out for key in _SPEAKING):
            out["content"] = collapse(speech.content)
        if message.parts and out == _SILENT and message == Message("assistant", message.parts):
            return  # nothing of it could be sent, and some servers refuse an assistant that says nothing
        self._close(out, message, path)

    def _say(self, part: Part, path: str, speech: _Speech) -> None:
        """Put one part of an assistant's message where it belongs."""
        match part:
            case TextPart():
                if part.citations:
                    part = self._take_citations(part, path, speech)
                if part.text or part.cache or part.extras:
                    speech.content.append(self._content.text(part, path))
            case ReasoningPart():
                speech.think(path, part)
            case ToolCallPart():
                self._call(part, path, speech)
            case RefusalPart():
                speech.fields["refusal"] = speech.fields.get("refusal", "") + part.text
                drop_extras(part.extras, path, self._log)
            case MediaPart(kind="audio"):
                speech.fields["audio"] = encode_audio(part)
            case MediaPart(kind="image") if part.file_id is None:
                speech.images.append(self._picture(part, path))
            case OpaquePart(origin=origin) if origin == NAME:
                speech.place_opaque(part)
            case _:
                kind = part.kind if isinstance(part, OpaquePart | MediaPart) else "tool result"
                self._log.dropped(path, f"an assistant message has no place for a {kind} block")

    def _picture(self, part: MediaPart, path: str) -> Json:
        """A picture that the assistant made, as servers that make some tell of it."""
        entry: Json = {"type": "image_url", "image_url": {"url": part.url or data_uri(part)}}
        write_extras(entry, part.extras, path, self._log)
        if part.title is not None:
            self._log.dropped(f"{path}.title", "a picture of the assistant has no title")
        return entry

    def _take_citations(self, part: TextPart, path: str, speech: _Speech) -> TextPart:
        for index, citation in enumerate(part.citations):
            if citation.origin == NAME:
                speech.annotations.append(citation.raw)
            else:
                self._log.dropped(f"{path}.citations[{index}]", "a request has no place for citations")
        return msgspec.structs.replace(part, citations=())

    def _call(self, part: ToolCallPart, path: str, speech: _Speech) -> None:
        if part.kind == "hosted":
            self._log.dropped(path, f"the call of {part.name} was run by its own provider")
            return
        self._known_calls.add(part.id)
        name = sent_name(part.name)
        if name != part.name:
            self._log.emulated(f"{path}.name", f"sent as {name}; the caller sees its own name")
        entry = encode_tool_call(part, name)
        if part.kind == "legacy_function":
            self._legacy_calls.add(part.id)
            speech.fields["function_call"] = entry
        else:
            speech.sign(entry)
            speech.tool_calls.append(entry)
        if part.cache is not None:
            self._content.cache(entry, part.cache, path)
        if part.extras:
            write_extras(entry, part.extras, path, self._log)

    def _flush_followup(self) -> None:
        if self._followup:
            self._out.append({"role": "user", "content": self._followup})
            self._followup = []

    def _close(self, out: Json, message: Message, path: str) -> None:
        """Add what belongs to the message as a whole and send it."""
        if message.name is not None:
            out["name"] = message.name
        if message.cache is not None:
            self._content.cache(out, message.cache, path)
        if message.extras:
            write_extras(out, message.extras, path, self._log)
        self._out.append(out)

    def _report_envelope(self, message: Message, path: str) -> None:
        """A user message that became tool messages only has no place for what belonged to the whole."""
        if message.name is not None:
            self._log.dropped(f"{path}.name", "a tool message has no name")
        if message.cache is not None:
            self._log.dropped(f"{path}.cache_control", "a tool message takes no mark")
        drop_extras(message.extras, path, self._log)


class _Speech:
    """An assistant's message while its parts are sorted into the fields of the wire."""

    __slots__ = ("annotations", "content", "details", "fields", "images", "reasoning", "signature", "tool_calls")

    def __init__(self) -> None:
        self.content: list[Json] = []
        self.reasoning: list[tuple[str, ReasoningPart]] = []
        self.signature: tuple[str, ReasoningPart] | None = None  # waits for the call it belongs on
        self.tool_calls: list[Json] = []
        self.annotations: list[Json] = []
        self.images: list[Json] = []
        self.details: list[Json] = []
        self.fields: Json = {}

    def think(self, path: str, part: ReasoningPart) -> None:
        """Take reasoning; a signature of the next call waits for it."""
        if part.redacted and self.signature is None and call_state(part) is not None:
            self.signature = (path, part)
        else:
            self.reasoning.append((path, part))

    def sign(self, entry: Json) -> None:
        """Put the waiting signature onto a call."""
        if self.signature is not None:
            sign_call(entry, call_state(self.signature[1]))
            self.signature = None

    def place_opaque(self, part: OpaquePart) -> None:
        if part.kind.startswith(OPAQUE_CALL):
            self.tool_calls.append(part.value)
        elif part.kind.startswith(_DETAIL):
            self.details.append(part.value)
        else:
            self.content.append(part.value)


def collapse(entries: list[Json]) -> str | list[Json]:
    """Content as it is most widely understood: one plain text is a string."""
    if not entries:
        return ""
    first = entries[0]
    return first["text"] if len(entries) == 1 and len(first) == 2 and first.get("type") == "text" else entries


def encode_audio(part: MediaPart) -> Json:
    """``message.audio``: the sound, or only the id of an earlier answer."""
    audio: Json = {} if part.data is None else {"data": part.data}
    if part.file_id is not None:
        audio["id"] = part.file_id
    audio.update(part.extras.get(NAME, {}).get("audio", {}))
    return audio


def last_word_of_user(messages: tuple[Message, ...]) -> int:
    """Where the user last said something (tool results do not count); -1 when nowhere."""
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if message.role == "user" and not all(isinstance(part, ToolResultPart) for part in message.parts):
            return index
    return -1
