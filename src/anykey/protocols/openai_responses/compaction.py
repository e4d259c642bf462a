"""Compaction over a model that does not know it: a summary is asked for in words, and travels as an item that looks like the
provider's own, ``{"type": "compaction", "encrypted_content": "akc1.…"}``. What follows ``akc1.`` is base64 of its UTF-8 text.
"""

from __future__ import annotations

import binascii

from anykey.conversation.parts import Json

PREFIX = "akc1."
HEADING = "Summary of the conversation so far:\n\n"
"""Stands before the summary where it is read to a model."""

SUMMARISE = (
    "Stop working on the task and write a summary of this conversation, from which another model can go on without having "
    "seen it. Tell what the user asked for, what was decided and why, what has been done (files, commands, results), what is "
    "left to do, and every name, path, number and constraint that is still needed. Be concise and structured. Answer with the "
    "summary alone and call no tools."
)
"""What a ``compaction_trigger`` asks of the model."""


def summary_item(text: str) -> Json:
    """The item that carries ``text``, without an id."""
    sealed = binascii.b2a_base64(text.encode("utf-8", "replace"), newline=False).decode()
    return {"type": "compaction", "encrypted_content": PREFIX + sealed}


def holds_summary(body: bytes) -> bool:
    """The JSON ``body`` has a compaction of ours, which is nothing to any provider as it is. A search, no parse."""
    return b'"compaction"' in body and b'"' + PREFIX.encode() in body


def read_summary(sealed: str) -> str | None:
    """The text of a compaction of ours; None for any other. ValueError if ours cannot be read."""
    if not sealed.startswith(PREFIX):
        return None
    return binascii.a2b_base64(sealed[len(PREFIX) :], strict_mode=True).decode()
