"""Signatures that stand on a call: ``tool_calls[].extra_content.google.thought_signature``, as Google's own Chat endpoint spells
the state of its models. Clients that know nothing of ``reasoning_details`` often send a call back with all its keys.
"""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.parts import Json, OpaqueState, Part, ReasoningPart, ToolCallPart
from anykey.protocols.openai_chat.extras import NAME
from anykey.protocols.openai_chat.parsed import is_object

_ORIGIN = "gemini_generate"
_PLACE = "call"


def call_state(part: ReasoningPart) -> str | None:
    """The signature in ``part`` if it belongs on the call after it, else None."""
    state = part.state
    return state.data if state is not None and state.origin == _ORIGIN and state.place == _PLACE else None


def sign_call(entry: Json, signature: str | None) -> None:
    """Write a signature onto an entry of ``tool_calls``; None leaves it as it is."""
    if signature is not None:
        entry["extra_content"] = {**entry.get("extra_content", {}), "google": {"thought_signature": signature}}


def read_signed(part: Part, before: list[Part]) -> list[Part]:
    """``part``, and before it the state that stands on it, unless that was told already in ``before`` (in
    ``reasoning_details``). Any other ``extra_content`` stays with the call."""
    if not isinstance(part, ToolCallPart) or NAME not in part.extras:
        return [part]
    own = dict(part.extras[NAME])
    signature = _signature(own.get("extra_content"))
    if signature is None:
        return [part]
    del own["extra_content"]
    call = msgspec.structs.replace(part, extras={**part.extras, NAME: own} if own else {})
    if any(isinstance(known, ReasoningPart) and known.state and known.state.data == signature for known in before):
        return [call]
    return [ReasoningPart("", OpaqueState(_ORIGIN, signature, _PLACE), redacted=True), call]


def _signature(content: Any) -> str | None:
    """The signature if there is nothing else beside it."""
    google: Any = content.get("google") if is_object(content) and len(content) == 1 else None
    signature: Any = google.get("thought_signature") if is_object(google) and len(google) == 1 else None
    return signature if isinstance(signature, str) and signature else None
