"""Items: read from any form of input, named, listed in pages."""

import json
from typing import Any

import msgspec
import pytest

from anykey.conversation.failures import FailureError
from anykey.exchange.responses.items import (
    Page,
    identified,
    items_of,
    json_list,
    list_page,
    listed,
    reference_of,
)
from anykey.storage.conversations import StoredItem


def raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


def numbered(count: int) -> list[StoredItem]:
    return identified([b'{"role":"user","content":"%d"}' % number for number in range(count)], "seed")


def page(items: list[StoredItem], **asked: Any) -> dict[str, Any]:
    return json.loads(list_page(items, Page(**asked)))


def test_a_text_is_one_message_and_items_keep_their_bytes() -> None:
    (message,) = items_of(raw("Grüße"))
    assert json.loads(message) == {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "Grüße"}],
    }
    odd = b'{ "role":"user",\n "content" : 1.50 }'
    assert items_of(msgspec.Raw(b"[%b]" % odd)) == [odd]
    assert items_of(None) == items_of(raw(None)) == items_of(raw([])) == []
    assert json_list([odd, odd]) == b"[%b,%b]" % (odd, odd)


@pytest.mark.parametrize("value", [5, {"role": "user"}, True])
def test_other_input_is_refused(value: Any) -> None:
    with pytest.raises(FailureError) as refused:
        items_of(raw(value))
    assert refused.value.failure.param == "input"


def test_an_item_that_is_no_object_is_named_by_its_place() -> None:
    with pytest.raises(FailureError) as refused:
        identified([b'{"type":"message"}', b"5"], "seed")
    assert refused.value.failure.param == "input[1]"


def test_ids_are_kept_or_follow_from_the_place() -> None:
    items = [b'{"type":"reasoning","id":"rs_own"}', b'{"role":"user"}', b'{"type":"function_call"}', b'{"type":"new"}']
    ids = [item.id for item in identified(items, "resp_1:in")]
    assert ids[0] == "rs_own"
    assert [name.split("_")[0] for name in ids] == ["rs", "msg", "fc", "item"]
    assert ids == [item.id for item in identified(items, "resp_1:in")]
    assert set(ids[1:]).isdisjoint(item.id for item in identified(items, "resp_2:in"))


def test_a_reference_is_told_from_an_item() -> None:
    assert reference_of(b'{"type":"item_reference","id":"msg_1"}') == "msg_1"
    assert reference_of(b'{"id":"msg_1"}') == "msg_1"
    assert reference_of(b'{"role":"user","id":"msg_1","content":"item_reference"}') is None
    assert reference_of(b'{"type":"reasoning","id":"rs_1"}') is None


@pytest.mark.parametrize(("role", "part"), [("user", "input_text"), ("assistant", "output_text")])
def test_a_message_is_listed_in_full_form(role: str, part: str) -> None:
    told = json.loads(listed(StoredItem("msg_1", json.dumps({"role": role, "content": "hi"}).encode())))
    assert (told["id"], told["type"], told["status"], told["role"]) == ("msg_1", "message", "completed", role)
    assert (told["content"][0]["type"], told["content"][0]["text"]) == (part, "hi")


def test_other_items_are_listed_as_they_are_with_their_id() -> None:
    call = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
    assert json.loads(listed(StoredItem("fc_1", json.dumps(call).encode()))) == {**call, "id": "fc_1"}


def test_the_newest_come_first_unless_asked_otherwise() -> None:
    items = numbered(25)
    ids = [item.id for item in items]
    first = page(items)
    assert ([item["id"] for item in first["data"]], first["has_more"]) == (ids[:4:-1], True)
    assert (first["first_id"], first["last_id"], first["object"]) == (ids[24], ids[5], "list")
    rest = page(items, after=first["last_id"])
    assert ([item["id"] for item in rest["data"]], rest["has_more"]) == (ids[4::-1], False)
    assert [item["id"] for item in page(items, order="asc", limit=3)["data"]] == ids[:3]


def test_an_empty_list_and_a_place_that_is_not_in_it() -> None:
    assert page([]) == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    with pytest.raises(FailureError) as refused:
        page(numbered(2), after="msg_other")
    assert refused.value.failure.param == "after"
