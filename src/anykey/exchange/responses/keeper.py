"""What becomes of one finished response: a row of its own, its items in a conversation, or both."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.exchange.responses.asked import Asked
from anykey.exchange.responses.frames import Fields, raw
from anykey.exchange.responses.items import identified, json_list
from anykey.exchange.responses.memory import ResponseMemory
from anykey.exchange.responses.recording import Final
from anykey.storage.conversations import Added
from anykey.storage.responses import StoredResponse

SPOKEN = frozenset({"completed", "incomplete"})
"""Responses whose items become part of their conversation."""


class Keeper:
    """Keeps the response to one request of ``key_id`` that added the items ``added``."""

    def __init__(self, memory: ResponseMemory, key_id: str, asked: Asked, added: list[bytes]) -> None:
        self._memory = memory
        self._key_id = key_id
        self._asked = asked
        self._added = added

    def set_fields(self) -> Fields:
        """What response objects say of how they are kept."""
        asked = self._asked
        fields: dict[str, Any] = {
            "store": asked.store,
            "background": asked.background,
            "previous_response_id": asked.previous_response_id,
        }
        if asked.conversation is not None:
            fields["conversation"] = {"id": asked.conversation}
        return {name: raw(value) for name, value in fields.items()}

    async def keep(self, final: Final, events: bytes = b"") -> bool:
        """False: it is too large or the database fails."""
        stored = self._stored(final, events) if self._asked.store else None
        return await self._memory.keep(stored, self._part(final))

    def _stored(self, final: Final, events: bytes) -> StoredResponse:
        asked = self._asked
        items = identified(self._added, f"{final.id}:in") + identified(final.output, f"{final.id}:out")
        return StoredResponse(
            id=final.id,
            key_id=self._key_id,
            created_at=final.created_at,
            expires_at=self._memory.expiry(),
            status=final.status,
            previous_id=asked.previous_response_id,
            conversation_id=asked.conversation,
            background=asked.background,
            response=final.response,
            input=json_list(self._added),
            events=events,
            item_ids=tuple(item.id for item in items),
        )

    def _part(self, final: Final) -> Added | None:
        """The items for the conversation."""
        conversation_id = self._asked.conversation
        if conversation_id is None or final.status not in SPOKEN:
            return None
        items = identified(self._added, f"{final.id}:in") + identified(final.output, f"{final.id}:out")
        return Added(self._key_id, conversation_id, items, self._memory.expiry())


def outgoing(fields: Fields, *, ask_for_state: bool) -> bytes:
    """The request as an upstream gets it: nothing is to be kept there. ``ask_for_state``: reasoning must come with its state,
    which is all that the next turn has to send back."""
    fields["store"] = raw(value=False)
    if ask_for_state:
        wanted = _texts(fields.get("include"))
        fields["include"] = raw(list(dict.fromkeys([*wanted, "reasoning.encrypted_content"])))
    return msgspec.json.encode(fields)


def _texts(value: msgspec.Raw | None) -> list[str]:
    try:
        return [] if value is None else msgspec.json.decode(value, type=list[str] | None) or []
    except msgspec.DecodeError:
        return []
