"""What is kept of a response, and what an upstream is asked for."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from anykey.exchange.responses.asked import Asked
from anykey.exchange.responses.frames import Fields
from anykey.exchange.responses.keeper import Keeper, outgoing
from anykey.storage.conversations import StoredConversation, find_items, put_conversation
from anykey.storage.responses import find_item_home, find_response
from tests.unit.exchange.responses.remembering import MINE, final, keep, remembering, said


def fields(**values: Any) -> Fields:
    return {name: msgspec.Raw(json.dumps(value).encode()) for name, value in values.items()}


async def test_a_response_is_kept_with_its_input_and_found_by_its_items(tmp_path: Path) -> None:
    async with remembering(tmp_path) as memory:
        await keep(memory, Asked(previous_response_id="r0"), "hi", final("r1", {**said("hello"), "id": "msg_1"}))
        stored = await memory.shelf.read(find_response, MINE.id, "r1", memory.now())
        home = await memory.shelf.read(find_item_home, MINE.id, "msg_1", memory.now())
    assert stored is not None
    assert stored == home
    assert (stored.previous_id, json.loads(stored.input)) == ("r0", [said("hi", "user")])


@pytest.mark.parametrize(("status", "count"), [("completed", 2), ("incomplete", 2), ("failed", 0), ("queued", 0)])
async def test_a_conversation_gets_what_was_really_said(tmp_path: Path, status: str, count: int) -> None:
    async with remembering(tmp_path) as memory:
        conversation = StoredConversation(id="c", key_id=MINE.id, created_at=0, expires_at=memory.expiry())
        await memory.shelf.change(put_conversation, conversation)
        await keep(memory, Asked(store=False, conversation="c"), "hi", final("r1", said("hello"), status=status))
        items = await memory.shelf.read(find_items, MINE.id, "c")
        stored = await memory.shelf.read(find_response, MINE.id, "r1", memory.now())
    assert len(items) == count
    assert stored is None


async def test_response_objects_say_how_they_are_kept(tmp_path: Path) -> None:
    async with remembering(tmp_path) as memory:
        told = Keeper(memory, "k", Asked(background=True, conversation="c"), []).set_fields()
        plain = Keeper(memory, "k", Asked(store=False, previous_response_id="r"), []).set_fields()
    assert json.loads(msgspec.json.encode(told)) == {
        "store": True,
        "background": True,
        "previous_response_id": None,
        "conversation": {"id": "c"},
    }
    assert json.loads(msgspec.json.encode(plain)) == {
        "store": False,
        "background": False,
        "previous_response_id": "r",
    }


@pytest.mark.parametrize(
    ("include", "wanted"),
    [
        (None, ["reasoning.encrypted_content"]),
        (["a", "reasoning.encrypted_content"], ["a", "reasoning.encrypted_content"]),
        ("broken", ["reasoning.encrypted_content"]),
    ],
)
def test_an_upstream_keeps_nothing_and_gives_its_state(include: Any, wanted: list[str]) -> None:
    body = json.loads(outgoing(fields(model="m", store=True, include=include), ask_for_state=True))
    assert body == {"model": "m", "store": False, "include": wanted}
    assert json.loads(outgoing(fields(model="m"), ask_for_state=False)) == {"model": "m", "store": False}
