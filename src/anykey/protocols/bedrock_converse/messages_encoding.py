"""Messages → ``system`` and ``messages`` of an upstream request.

System messages at the beginning are the ``system`` field; later ones keep their place where the model allows it, else they
become marked text of the user. Turns of one role are joined, since roles must alternate; the first is the user's; tool results
come first in theirs, since they must follow their calls.
"""

from __future__ import annotations

from typing import NamedTuple

from anykey.conversation.message import Message
from anykey.conversation.parts import Json, MediaPart, Part
from anykey.conversation.request import GenerateRequest
from anykey.protocols.bedrock_converse.blocks_encoding import BlockWriter
from anykey.protocols.bedrock_converse.cache import POINT
from anykey.protocols.bedrock_converse.dialect import Dialect
from anykey.protocols.bedrock_converse.extras import report
from anykey.protocols.emptied import nothing_left

_SYSTEM_ROLES = ("system", "developer")
_MARKED = "<system-instruction>\n{}\n</system-instruction>"
_MADE = "You made this in your last message:"
_GO_ON = "Go on from exactly where your last message stops. Do not repeat any of it."
_BEGIN = "(The conversation begins with your own message.)"
_WITH_DOCUMENT = "Here is the document."


class Prompt(NamedTuple):
    """``system`` is a list of blocks, perhaps empty."""

    system: list[Json]
    messages: list[Json]


class _Turn:
    """Blocks of one role in a row."""

    __slots__ = ("blocks", "role")

    def __init__(self, role: str, blocks: list[Json]) -> None:
        self.role = role
        self.blocks = blocks

    def spell(self) -> Json:
        """The message: results first, and some text beside a document, which may not stand without."""
        blocks = self.blocks
        if self.role == "user":
            blocks = _results_first(blocks)
            if any("document" in block for block in blocks) and not any("text" in block for block in blocks):
                blocks = [*blocks, {"text": _WITH_DOCUMENT}]
        return {"role": self.role, "content": blocks}


def encode_prompt(request: GenerateRequest, dialect: Dialect, writer: BlockWriter) -> Prompt:
    """Both fields. FailureError (400) when no message is left to send."""
    leading = _leading(request.messages)
    system = _encode_system(request, leading, writer)
    writer.cache.region = "messages"
    turns: list[_Turn] = []
    for position in range(leading, len(request.messages)):
        turn = _encode_turn(request.messages[position], position, dialect, writer)
        if turn.role == "user" and writer.made:
            turn.blocks = [{"text": _MADE}, *writer.made, *turn.blocks]
            writer.made = []
        if not turn.blocks:
            continue
        if turns and turns[-1].role == turn.role:
            turns[-1].blocks += turn.blocks
        else:
            turns.append(turn)
    if not turns:
        raise nothing_left(writer.log.losses)
    if writer.made:
        writer.log.dropped("messages", "no message of the user comes after the picture that could show it")
    if turns[0].role != "user":
        writer.log.approximated(f"messages[{leading}]", "the user's must be first, so a remark of his stands before it")
        turns.insert(0, _Turn("user", [{"text": _BEGIN}]))
    _close_prefill(turns, dialect, writer, f"messages[{len(request.messages) - 1}]")
    if request.cache is not None:  # a conversation that is to be kept as far as it goes
        writer.cache.write(turns[-1].blocks, request.cache, "request")
    writer.cache.thin_out()
    messages = [turn.spell() for turn in turns]
    for message in messages:
        message["content"] = writer.cache.swept(message["content"])
    return Prompt(writer.cache.swept(system), messages)


def _leading(messages: tuple[Message, ...]) -> int:
    """How many messages at the beginning are system text."""
    for position, message in enumerate(messages):
        if message.role not in _SYSTEM_ROLES:
            return position
    return len(messages)


def _encode_system(request: GenerateRequest, leading: int, writer: BlockWriter) -> list[Json]:
    writer.cache.region = "instructions"
    system = _text_blocks(request.instructions, "system", writer)
    for position, message in enumerate(request.messages[:leading]):
        path = f"messages[{position}]"
        if message.role == "developer":
            writer.log.approximated(f"{path}.role", "sent as system")
        _note_message(message, path, writer)
        blocks = _text_blocks(message.parts, f"{path}.content", writer)
        _hint_last(blocks, message, path, writer)
        system += blocks
    return system


def _text_blocks(parts: tuple[Part, ...], path: str, writer: BlockWriter) -> list[Json]:
    """Blocks of system text, which holds nothing but text."""
    blocks: list[Json] = []
    for position, part in enumerate(parts):
        if isinstance(part, MediaPart):
            writer.log.dropped(f"{path}[{position}]", "system text holds no media")
        else:
            blocks += writer.blocks((part,), path, position)
    return blocks


def _note_message(message: Message, path: str, writer: BlockWriter) -> None:
    if message.name is not None:
        writer.log.dropped(f"{path}.name", "messages have no name here")
    report(message.extras, path, writer.log)


def _hint_last(blocks: list[Json], message: Message, path: str, writer: BlockWriter) -> None:
    """A hint on a whole message ends at its last block."""
    if message.cache is not None and blocks:
        writer.cache.write(blocks, message.cache, path)


def _encode_turn(message: Message, position: int, dialect: Dialect, writer: BlockWriter) -> _Turn:
    path = f"messages[{position}]"
    _note_message(message, path, writer)
    if message.role in _SYSTEM_ROLES:
        return _encode_later_system(message, path, dialect, writer)
    if message.role == "assistant":
        turn = _Turn("assistant", _assistant_blocks(message, path, writer))
    else:
        turn = _Turn("user", writer.blocks(message.parts, f"{path}.content"))
    _hint_last(turn.blocks, message, path, writer)
    return turn


def _assistant_blocks(message: Message, path: str, writer: BlockWriter) -> list[Json]:
    """What the model said before. A picture it made is shown by the user, for an assistant's message may hold none; sound and
    films cannot be shown to it again."""
    blocks: list[Json] = []
    for position, part in enumerate(message.parts):
        where = f"{path}.content[{position}]"
        if not isinstance(part, MediaPart):
            blocks += writer.blocks((part,), f"{path}.content", position)
        elif part.kind in ("audio", "video"):
            writer.log.dropped(where, f"{part.kind} that the model made has no form here")
        else:
            writer.log.emulated(where, f"the {part.kind} is shown in the next message of the user")
            writer.made += writer.blocks((part,), f"{path}.content", position)
    return blocks


def _encode_later_system(message: Message, path: str, dialect: Dialect, writer: BlockWriter) -> _Turn:
    blocks = _text_blocks(message.parts, f"{path}.content", writer)
    if dialect.mid_conversation_system:
        if message.role == "developer":
            writer.log.approximated(f"{path}.role", "sent as system")
        _hint_last(blocks, message, path, writer)
        return _Turn("system", blocks)
    writer.log.emulated(f"{path}.role", "marked text of the user, because this model takes no system message here")
    for block in blocks:
        if "text" in block:
            block["text"] = _MARKED.format(block["text"])
    _hint_last(blocks, message, path, writer)
    return _Turn("user", blocks)


def _results_first(blocks: list[Json]) -> list[Json]:
    """Tool results before all else, each with the cache point behind it."""
    first: list[Json] = []
    rest: list[Json] = []
    target = rest
    for block in blocks:
        if POINT not in block:
            target = first if "toolResult" in block else rest
        target.append(block)
    return first + rest


def _close_prefill(turns: list[_Turn], dialect: Dialect, writer: BlockWriter, path: str) -> None:
    """A last message of the assistant is the beginning of its answer; it may not end in blanks."""
    last = turns[-1]
    at = -2 if POINT in last.blocks[-1] else -1
    if last.role != "assistant" or "text" not in last.blocks[at]:
        return
    if not dialect.prefill:
        writer.log.approximated(path, "the user asks to go on from it, because this model takes no begun answer")
        turns.append(_Turn("user", [{"text": _GO_ON}]))
        return
    text = last.blocks[at]["text"]
    if text != text.rstrip():
        writer.log.approximated(path, "blanks at the end of a begun answer are refused, so they were cut")
        last.blocks[at] = {"text": text.rstrip()}
