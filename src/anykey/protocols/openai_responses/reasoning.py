"""``reasoning`` items: what can be read of the model's thoughts, and the state that only its maker can read."""

from __future__ import annotations

from typing import Any

from anykey.conversation.parts import Extras, Json, OpaqueState, ReasoningPart
from anykey.protocols.fields import Fields
from anykey.protocols.openai_responses.extras import NAME, kept, own
from anykey.protocols.openai_responses.shapes import is_object, list_of, text_of

_PLAIN = frozenset({"type", "id", "summary", "content", "encrypted_content"})

SEPARATOR = "\n\n"
"""Between the pieces of a summary, which are paragraphs with a heading each."""


def decode_reasoning(fields: Fields) -> ReasoningPart | None:
    """The item after ``type``, ``id`` and ``status`` were read; None when it says nothing without its id."""
    summary, content = fields.array("summary") or [], fields.array("content") or []
    encrypted = fields.text("encrypted_content")
    text = SEPARATOR.join(_texts(summary)) or "".join(_texts(content))
    rest = fields.rest()
    if content or len(summary) > 1 or (summary and summary != [summary_piece(text)]):
        rest["summary"] = summary
    if content:
        rest["content"] = content
    state = OpaqueState(NAME, encrypted) if encrypted else None
    if state is None and not text and not rest:
        return None
    return ReasoningPart(text, state, redacted=state is not None and not text, extras=kept(rest))


def plain_reasoning(item: Json) -> ReasoningPart | None:
    """State without a summary, as clients mostly send it, without a cursor; None for any other item."""
    state = item.get("encrypted_content")
    if not state or type(state) is not str or item.get("summary") or item.get("content") or not item.keys() <= _PLAIN:
        return None
    return ReasoningPart("", OpaqueState(NAME, state), redacted=True)


def encode_reasoning(part: ReasoningPart) -> Json:
    """The item without an id: with one that it did not make, OpenAI answers 404."""
    kept_keys = own(part.extras)
    item: Json = {"type": "reasoning", "summary": [summary_piece(part.text)] if part.text else []}
    item.update(kept_keys)
    if part.state is not None:
        item["encrypted_content"] = part.state.data
    return item


def foreign(extras: Extras) -> Extras:
    """``extras`` without our own keys."""
    return {origin: keys for origin, keys in extras.items() if origin != NAME}


def summary_piece(text: str) -> Json:
    return {"type": "summary_text", "text": text}


def _texts(pieces: list[Any]) -> list[str]:
    """The texts of ``pieces``; some servers send pieces that have none yet."""
    return [text for piece in list_of(pieces) if is_object(piece) and (text := text_of(piece.get("text")))]
