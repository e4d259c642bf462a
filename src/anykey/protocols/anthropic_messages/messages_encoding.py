"""Messages → ``system`` and ``messages`` of an upstream request.

System messages at the beginning are the ``system`` field; later ones keep their place where the upstream allows it, else
they become marked text of the user. Turns of one role are joined, since roles must alternate, and tool results come first in
theirs, since they must follow their calls.
"""

from __future__ import annotations

from typing import NamedTuple

from anykey.conversation.message import Message
from anykey.conversation.parts import CacheHint, Json, MediaPart, Part, TextPart
from anykey.conversation.request import GenerateRequest
from anykey.protocols.anthropic_messages.dialect import Dialect
from anykey.protocols.anthropic_messages.extras import put
from anykey.protocols.anthropic_messages.parts_encoding import BlockWriter, own_extras, shorten
from anykey.protocols.emptied import nothing_left

BILLING_HEADER = "x-anthropic-billing-header"
"""How Claude Code's first system block begins; a hash in it changes at every request and would spoil prefix caches."""

_SYSTEM_ROLES = ("system", "developer")
_MARKED = "<system-instruction>\n{}\n</system-instruction>"
_MADE = "You made this in your last message:"
_GO_ON = "Go on from exactly where your last message stops. Do not repeat any of it."


class Prompt(NamedTuple):
    """``system`` is a list of blocks, perhaps empty."""

    system: list[Json]
    messages: list[Json]


class _Turn:
    """Blocks of one role in a row. ``wire`` holds the message's further fields; a turn that has any stands alone."""

    __slots__ = ("blocks", "role", "wire")

    def __init__(self, role: str, blocks: list[Json], wire: Json) -> None:
        self.role = role
        self.blocks = blocks
        self.wire = wire

    def spell(self) -> Json:
        blocks = self.blocks
        if len(blocks) > 1 and self.role == "user":
            blocks = sorted(blocks, key=lambda block: block["type"] != "tool_result")
        return {"role": self.role, "content": shorten(blocks), **self.wire}


def encode_prompt(request: GenerateRequest, dialect: Dialect, writer: BlockWriter) -> Prompt:
    """Both fields. FailureError (400) when no message is left to send."""
    leading = _leading(request.messages)
    system = _encode_system(request, leading, dialect, writer)
    writer.cache.region = "messages"
    turns: list[_Turn] = []
    for position in range(leading, len(request.messages)):
        turn = _encode_turn(request.messages[position], position, dialect, writer)
        if turn.role == "user" and writer.made:
            turn.blocks = [{"type": "text", "text": _MADE}, *writer.made, *turn.blocks]
            writer.made = []
        if not turn.blocks:
            if turn.wire:
                writer.log.dropped(f"messages[{position}]", "a message without content cannot be sent")
            continue
        last = turns[-1] if turns else None
        if last is not None and last.role == turn.role != "system" and not (last.wire or turn.wire):
            last.blocks += turn.blocks
        else:
            turns.append(turn)
    if not turns:
        raise nothing_left(writer.log.losses)
    if writer.made:
        writer.log.dropped("messages", "no message of the user comes after the picture that could show it")
    _close_prefill(turns, dialect, writer, f"messages[{len(request.messages) - 1}]")
    return Prompt(system, [turn.spell() for turn in turns])


def _leading(messages: tuple[Message, ...]) -> int:
    """How many messages at the beginning are system text that the ``system`` field can hold."""
    for position, message in enumerate(messages):
        if message.role not in _SYSTEM_ROLES or own_extras(message.extras):
            return position
        if not all(isinstance(part, TextPart | MediaPart) for part in message.parts):
            return position
    return len(messages)


def _encode_system(request: GenerateRequest, leading: int, dialect: Dialect, writer: BlockWriter) -> list[Json]:
    writer.cache.region = "instructions"
    instructions = _without_billing(request.instructions, dialect, writer)
    system = writer.blocks(_texts(instructions, "system", writer), "system")
    for position, message in enumerate(request.messages[:leading]):
        path = f"messages[{position}]"
        if message.role == "developer":
            writer.log.approximated(f"{path}.role", "sent as system")
        _note_message(message, path, writer)
        blocks = writer.blocks(_texts(message.parts, f"{path}.content", writer), f"{path}.content")
        _hint_last(blocks, message.cache, path, writer)
        system += blocks
    return system


def _texts(parts: tuple[Part, ...], path: str, writer: BlockWriter) -> tuple[Part, ...]:
    """``parts`` without media, which cannot stand in system text."""
    if not any(isinstance(part, MediaPart) for part in parts):
        return parts
    for position, part in enumerate(parts):
        if isinstance(part, MediaPart):
            writer.log.dropped(f"{path}[{position}]", "system text holds no media")
    return tuple(part for part in parts if not isinstance(part, MediaPart))


def _without_billing(parts: tuple[Part, ...], dialect: Dialect, writer: BlockWriter) -> tuple[Part, ...]:
    """``parts`` of the system text without the line that only Anthropic's own servers look at."""
    if dialect.billing_header or not any(_is_billing(part) for part in parts):
        return parts
    for position, part in enumerate(parts):
        if _is_billing(part):
            why = "the billing line of the client changes at each request and is for its own provider"
            writer.log.dropped(f"system[{position}]", why)
    return tuple(part for part in parts if not _is_billing(part))


def _is_billing(part: Part) -> bool:
    return isinstance(part, TextPart) and part.text.startswith(BILLING_HEADER)


def _note_message(message: Message, path: str, writer: BlockWriter) -> None:
    if message.name is not None:
        writer.log.dropped(f"{path}.name", "messages have no name here")
    if message.extras:
        put({}, message.extras, path, writer.log)


def _hint_last(blocks: list[Json], hint: CacheHint | None, path: str, writer: BlockWriter) -> None:
    """A hint on a whole message ends at its last block."""
    if hint is not None and blocks:
        writer.cache.write(blocks[-1], hint, path)


def _encode_turn(message: Message, position: int, dialect: Dialect, writer: BlockWriter) -> _Turn:
    path = f"messages[{position}]"
    if message.name is not None or message.extras:
        _note_message(message, path, writer)
    if message.role in _SYSTEM_ROLES:
        return _encode_later_system(message, path, dialect, writer)
    if message.role == "assistant":
        return _Turn("assistant", _assistant_blocks(message, path, writer), _wire_fields(message, path, writer))
    return _Turn("user", writer.blocks(message.parts, f"{path}.content"), _wire_fields(message, path, writer))


def _wire_fields(message: Message, path: str, writer: BlockWriter) -> Json:
    wire = dict(own_extras(message.extras))
    if message.cache is not None:
        writer.cache.write(wire, message.cache, path)
    return wire


def _assistant_blocks(message: Message, path: str, writer: BlockWriter) -> list[Json]:
    """What the model said before. A picture it made is shown by the user, for an assistant's message may hold none; sound
    cannot be shown to it again."""
    parts = message.parts
    if not any(type(part) is MediaPart for part in parts):
        return writer.blocks(parts, f"{path}.content")
    blocks: list[Json] = []
    for position, part in enumerate(parts):
        where = f"{path}.content[{position}]"
        if type(part) is not MediaPart:
            blocks += writer.blocks((part,), f"{path}.content", position)
        elif part.kind in ("audio", "video"):
            writer.log.dropped(where, f"{part.kind} that the model made has no form here")
        else:
            writer.log.emulated(where, f"the {part.kind} is shown in the next message of the user")
            writer.made += writer.blocks((part,), f"{path}.content", position)
    return blocks


def _encode_later_system(message: Message, path: str, dialect: Dialect, writer: BlockWriter) -> _Turn:
    parts = _texts(message.parts, f"{path}.content", writer)
    if dialect.mid_conversation_system:
        if message.role == "developer":
            writer.log.approximated(f"{path}.role", "sent as system")
        return _Turn("system", writer.blocks(parts, f"{path}.content"), _wire_fields(message, path, writer))
    writer.log.emulated(f"{path}.role", "marked text of the user, because this upstream takes no system message here")
    for key in own_extras(message.extras):
        writer.log.dropped(f"{path}.{key}", "a field of system messages, which this upstream does not take")
    blocks = [block for block in writer.blocks(parts, f"{path}.content") if _is_text(block, path, writer)]
    for block in blocks:
        block["text"] = _MARKED.format(block["text"])
    _hint_last(blocks, message.cache, path, writer)
    return _Turn("user", blocks, {})


def _is_text(block: Json, path: str, writer: BlockWriter) -> bool:
    if block["type"] != "text":
        writer.log.dropped(
            f"{path}.content", f"a {block['type']} block needs a system message, which this upstream does not take"
        )
    return block["type"] == "text"


def _close_prefill(turns: list[_Turn], dialect: Dialect, writer: BlockWriter, path: str) -> None:
    """A last message of the assistant is the beginning of its answer; it may not end in blanks."""
    last = turns[-1]
    if last.role != "assistant" or last.blocks[-1]["type"] != "text":
        return
    if not dialect.prefill:
        writer.log.approximated(path, "the user asks to go on from it, because this upstream takes no begun answer")
        turns.append(_Turn("user", [{"type": "text", "text": _GO_ON}], {}))
        return
    text = last.blocks[-1]["text"]
    if text != text.rstrip():
        writer.log.approximated(path, "blanks at the end of a begun answer are refused, so they were cut")
        last.blocks[-1] = {**last.blocks[-1], "text": text.rstrip()}
        if not text.rstrip():
            del last.blocks[-1]
        if not last.blocks:
            turns.pop()
