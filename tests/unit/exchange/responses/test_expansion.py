"""What was said earlier stands before the new input, for the key it belongs to and for no other."""

import json
from pathlib import Path
from typing import Any

import pytest

from anykey.accounts.keys import ApiKey
from anykey.conversation.failures import Failure, FailureError
from anykey.exchange.responses import expansion
from anykey.exchange.responses.asked import Asked
from anykey.exchange.responses.expansion import expand, input_of, items_by_id, output_of
from anykey.exchange.responses.memory import ResponseMemory
from anykey.storage.conversations import Added, StoredConversation, StoredItem, add_items, put_conversation
from anykey.storage.responses import delete_response
from tests.unit.exchange.responses.remembering import MINE, THEIRS, final, gateway_with, keep, remembering, said


async def expanded(memory: ResponseMemory | None, key: ApiKey = MINE, **fields: Any) -> dict[str, Any]:
    body = json.dumps({"model": "m", "input": "and now?", **fields}).encode()
    return json.loads(await expand(body, key, gateway_with(memory)))


async def refused(memory: ResponseMemory | None, key: ApiKey = MINE, **fields: Any) -> Failure:
    with pytest.raises(FailureError) as raised:
        await expanded(memory, key, **fields)
    return raised.value.failure


async def test_what_refers_to_nothing_stays_the_same_object(tmp_path: Path) -> None:
    for body in (b'{"model":"m","input":"hi"}', b'{"model": "m", "store": false}', b"{broken"):
        assert await expand(body, MINE, gateway_with(None)) is body


async def test_a_chain_is_told_from_its_beginning(tmp_path: Path) -> None:
    async with remembering(tmp_path) as memory:
        await keep(memory, Asked(), "one", final("r1", said("first")))
        await keep(memory, Asked(previous_response_id="r1"), "two", final("r2", said("second")))
        body = await expanded(memory, previous_response_id="r2", instructions="be brief", background=True)
    turns = [(item["role"], item["content"][0]["text"]) for item in body["input"]]
    assert turns == [
        ("user", "one"),
        ("assistant", "first"),
        ("user", "two"),
        ("assistant", "second"),
        ("user", "and now?"),
    ]
    assert set(body) == {"model", "input", "instructions"}


async def test_a_conversation_is_told_in_order(tmp_path: Path) -> None:
    items = [StoredItem(name, json.dumps(said(name, "user")).encode()) for name in ("b", "a")]
    async with remembering(tmp_path) as memory:
        conversation = StoredConversation(id="c", key_id=MINE.id, created_at=0, expires_at=memory.expiry())
        await memory.shelf.change(put_conversation, conversation)
        await memory.shelf.change(add_items, Added(MINE.id, "c", items, memory.expiry()))
        body = await expanded(memory, conversation={"id": "c"}, input=[])
        theirs = await refused(memory, THEIRS, conversation="c")
        missing = await refused(memory, conversation="c0")
    assert body == {"model": "m", "input": [said("b", "user"), said("a", "user")]}
    assert (theirs.kind, theirs.message.replace("'c'", "'c0'")) == ("not_found", missing.message)


async def test_references_are_replaced_by_what_they_name(tmp_path: Path) -> None:
    thought: dict[str, Any] = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "abc"}
    async with remembering(tmp_path) as memory:
        await keep(memory, Asked(), "hi", final("r1", thought, {**said("hello"), "id": "msg_1"}))
        references = [{"type": "item_reference", "id": "rs_1"}, {"id": "msg_1"}]
        body = await expanded(memory, input=[*references, said("more", "user")])
        missing = await refused(memory, THEIRS, input=references)
    assert body["input"] == [thought, {**said("hello"), "id": "msg_1"}, said("more", "user")]
    assert (missing.kind, missing.message) == ("not_found", "Item with id 'rs_1' not found.")


async def test_another_keys_response_is_refused_as_one_that_does_not_exist(tmp_path: Path) -> None:
    async with remembering(tmp_path) as memory:
        await keep(memory, Asked(), "secret", final("r1", said("secret")))
        theirs = await refused(memory, THEIRS, previous_response_id="r1")
        missing = await refused(memory, previous_response_id="r0")
    for failure in (theirs, missing):
        assert (failure.kind, failure.code) == ("invalid_request", "previous_response_not_found")
        assert failure.param == "previous_response_id"
    assert theirs.message.replace("r1", "r0") == missing.message


async def test_a_chain_with_a_deleted_link_says_which(tmp_path: Path) -> None:
    async with remembering(tmp_path) as memory:
        await keep(memory, Asked(), "one", final("r1"))
        await keep(memory, Asked(previous_response_id="r1"), "two", final("r2"))
        await memory.shelf.change(delete_response, MINE.id, "r1", memory.now())
        failure = await refused(memory, previous_response_id="r2")
    assert "'r1'" in failure.message


@pytest.mark.parametrize(
    ("asked", "status", "said_why"),
    [(Asked(background=True), "queued", "still queued"), (Asked(conversation="c"), "completed", "conversation 'c'")],
)
async def test_what_cannot_be_continued_says_why(tmp_path: Path, asked: Asked, status: str, said_why: str) -> None:
    async with remembering(tmp_path) as memory:
        await keep(memory, asked, "one", final("r1", status=status))
        assert said_why in (await refused(memory, previous_response_id="r1")).message


async def test_a_memory_that_is_off_says_so(tmp_path: Path) -> None:
    async with remembering(tmp_path, store=False) as memory:
        for off in (memory, None):
            failure = await refused(off, previous_response_id="r1")
            assert (failure.kind, failure.code) == ("invalid_request", "state_disabled")


async def test_what_came_before_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expansion, "LARGEST_INPUT", 50)
    async with remembering(tmp_path) as memory:
        await keep(memory, Asked(), "one", final("r1"))
        assert (await refused(memory, previous_response_id="r1")).kind == "too_large"


async def test_reasoning_without_state_goes_without_its_id(tmp_path: Path) -> None:
    bare = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]}
    whole: dict[str, Any] = {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "abc"}
    async with remembering(tmp_path) as memory:
        await keep(memory, Asked(), "one", final("r1", bare, whole))
        body = await expanded(memory, previous_response_id="r1")
    assert body["input"][1:3] == [{name: bare[name] for name in ("type", "summary")}, whole]


async def test_the_items_of_a_stored_response(tmp_path: Path) -> None:
    async with remembering(tmp_path) as memory:
        await keep(memory, Asked(), "hi", final("r1", {**said("hello"), "id": "msg_1"}))
        stored = await memory.shelf.read(expansion.find_item_home, MINE.id, "msg_1", memory.now())
    assert stored is not None
    assert [json.loads(item) for item in input_of(stored)] == [said("hi", "user")]
    assert len(items_by_id(stored)) == 2
    assert json.loads(items_by_id(stored)["msg_1"])["id"] == "msg_1"
    assert output_of(b"{}") == output_of(b"broken") == []
