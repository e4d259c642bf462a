"""Reasoning that stands in a message: plain text under ``reasoning_content`` or ``reasoning``, or entries of
``reasoning_details``, which also carry the state (signatures, encrypted content) that only the model's maker can read.

The official types know none of these; they are what compatible servers send and clients send back.
"""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json, OpaquePart, OpaqueState, Part, ReasoningPart
from anykey.protocols.fields import Fields
from anykey.protocols.openai_chat.dialect import Dialect
from anykey.protocols.openai_chat.extras import NAME, drop_extras, kept, write_extras
from anykey.protocols.openai_chat.sealed import KEY as SEALED
from anykey.protocols.openai_chat.sealed import add_sealed, is_sealed, sealed_in, without_sealed

_FORMAT_OF_ORIGIN = {
    "anthropic_messages": "anthropic-claude-v1",
    "openai_responses": "openai-responses-v1",
    "gemini_generate": "google-gemini-v1",
}
_ORIGIN_OF_FORMAT = {spelled: origin for origin, spelled in _FORMAT_OF_ORIGIN.items()}
SIGNED_FORMATS = frozenset({"anthropic-claude-v1"})
"""Formats whose text is followed by a signature."""
_TEXT_KEY = {"reasoning.text": "text", "reasoning.summary": "summary"}


def read_reasoning(fields: Fields) -> list[Part]:
    """The reasoning of a message, whichever keys hold it. Text given twice (details and plain) is kept once."""
    details: list[Any] = fields.array("reasoning_details") or []
    parts = [decode_detail(entry, f"{fields.at('reasoning_details')}[{n}]") for n, entry in enumerate(details)]
    plain = fields.text("reasoning_content")
    other = fields.any("reasoning")
    if not plain and isinstance(other, str):
        plain = other
    if plain and not any(isinstance(part, ReasoningPart) and part.text for part in parts):
        _place_text(plain, parts)
    sealed = fields.text(SEALED)
    if sealed:
        add_sealed(parts, sealed)
    return parts


def _place_text(text: str, parts: list[Part]) -> None:
    """A stream's text comes in ``reasoning_content`` and its signature after it, in a detail without text: they are one part."""
    for index, part in enumerate(parts):
        if isinstance(part, ReasoningPart) and part.state is not None and not part.redacted:
            parts[index] = msgspec.structs.replace(part, text=text)
            return
    parts.insert(0, ReasoningPart(text))


def decode_detail(value: Any, path: str) -> Part:
    """One entry of ``reasoning_details``. Its ``index`` is its position and is not kept."""
    fields = Fields(value, path)
    kind = fields.text("type") or "reasoning.text"
    fields.any("index")
    spelled = fields.text("format")
    origin = NAME if spelled is None else _ORIGIN_OF_FORMAT.get(spelled, spelled)
    if kind == "reasoning.encrypted":
        state = OpaqueState(origin, fields.text("data") or "")
        return ReasoningPart("", state, redacted=True, extras=kept(fields.rest()))
    key = _TEXT_KEY.get(kind)
    if key is None:
        return OpaquePart(NAME, f"reasoning_details.{kind}", value)
    text, signature = fields.text(key) or "", fields.text("signature")
    rest = fields.rest()
    if key == "summary":
        rest["type"] = kind
    if signature:
        return ReasoningPart(text, OpaqueState(origin, signature), extras=kept(rest))
    if spelled is not None:
        rest["format"] = spelled
    return ReasoningPart(text, extras=kept(rest))


def encode_detail(part: ReasoningPart, index: int) -> Json:
    """``part`` as an entry of ``reasoning_details``."""
    own = part.extras.get(NAME, {})
    if part.redacted:
        entry: Json = {"type": "reasoning.encrypted", "data": part.state.data if part.state else ""}
    elif own.get("type") == "reasoning.summary":
        entry = {"type": "reasoning.summary", "summary": part.text}
    else:
        entry = {"type": "reasoning.text", "text": part.text}
        if part.state is not None:
            entry["signature"] = part.state.data
    if part.state is not None:
        entry.update(encode_format(part.state))
    entry.update({key: value for key, value in own.items() if key != "type"})
    entry["index"] = index
    return entry


def encode_format(state: OpaqueState) -> Json:
    """The ``format`` key that names who made ``state``; nothing when nobody said."""
    return {} if state.origin == NAME else {"format": _FORMAT_OF_ORIGIN.get(state.origin, state.origin)}


def needs_details(parts: list[ReasoningPart]) -> bool:
    """Plain text cannot carry ``parts``: there is state that has no key of its own, or a vendor's keys."""
    return any((part.state is not None and not is_sealed(part.state)) or NAME in part.extras for part in parts)


def write_history(
    message: Json, parts: list[tuple[str, ReasoningPart]], *, echo: bool, dialect: Dialect, log: LossLog
) -> None:
    """Send earlier reasoning back in the form this upstream takes it, or say that it is not sent. ``parts`` with paths."""
    if not parts:
        return
    values = [part for _, part in parts]
    if dialect.encrypted_content:
        sealed = sealed_in(values)
        if sealed is not None:
            message[SEALED] = sealed
            parts = [(path, without_sealed(part)) for path, part in parts]
            values = [part for _, part in parts]
    as_details = dialect.reasoning_details and needs_details(values)
    if not echo or (dialect.reasoning_field == "none" and not as_details):
        for path, _ in parts:
            log.dropped(path, "this upstream does not take its earlier reasoning back")
    elif as_details:
        message["reasoning_details"] = [encode_detail(part, index) for index, part in enumerate(values)]
        for path, part in parts:
            write_extras({}, part.extras, path, log)
    else:
        text = "".join(part.text for part in values)
        if text or SEALED not in message:
            message[dialect.reasoning_field] = text
        _report_plain(parts, log)


def mark_unknown(message: Json, dialect: Dialect) -> None:
    """Reasoning before tool calls that nobody knows any more goes back empty; signed state would not be, but left out."""
    if dialect.reasoning_field != "none" and not dialect.reasoning_details:
        message.setdefault(dialect.reasoning_field, "")


def _report_plain(parts: list[tuple[str, ReasoningPart]], log: LossLog) -> None:
    """What plain reasoning text does not carry."""
    for path, part in parts:
        if part.state is not None:
            log.dropped(f"{path}.state", "plain reasoning text has no place for the maker's state")
        drop_extras(part.extras, path, log)
    if len(parts) > 1:
        log.approximated(parts[1][0], "several pieces of reasoning are sent as one text")
