"""Conversations over HTTP: the shapes of their answers and what they refuse."""

from pathlib import Path
from typing import Any

import pytest

from tests.fakes.gateway import RunningGateway

PATH = "/v1/conversations"


def message(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": text}


async def test_a_conversation_by_all_its_verbs(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path) as gateway:
        made = (await gateway.post(PATH, {"metadata": {"a": "b"}, "items": [message("one")]})).json()
        assert set(made) == {"id", "object", "created_at", "metadata"}
        assert (made["object"], made["metadata"]) == ("conversation", {"a": "b"})
        here = f"{PATH}/{made['id']}"
        added = (await gateway.post(f"{here}/items", {"items": [message("two"), message("three")]})).json()
        assert [item["content"][0]["text"] for item in added["data"]] == ["two", "three"]
        listed = (await gateway.get(f"{here}/items?order=asc")).json()
        assert listed["data"][1:] == added["data"]
        one = listed["data"][0]
        assert (await gateway.get(f"{here}/items/{one['id']}")).json() == one
        assert (await gateway.request("DELETE", f"{here}/items/{one['id']}")).json() == made
        assert (await gateway.get(f"{here}/items/{one['id']}")).status == 404
        changed = (await gateway.post(here, {"metadata": {}})).json()
        assert changed == (await gateway.get(here)).json() == {**made, "metadata": {}}
        gone = (await gateway.request("DELETE", here)).json()
        assert gone == {"id": made["id"], "object": "conversation.deleted", "deleted": True}
        for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/items"), ("POST", "")):
            assert (await gateway.request(method, here + path, b"{}")).status == 404


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"metadata": {"a": 1}}, "metadata"),
        ({"metadata": {"a" * 65: "b"}}, "metadata"),
        ({"metadata": {"a": "b" * 513}}, "metadata"),
        ({"metadata": {str(n): "x" for n in range(17)}}, "metadata"),
        ({"items": [message("x")] * 21}, "items"),
        ({"items": 5}, "input"),
    ],
)
async def test_what_is_refused_names_its_field(tmp_path: Path, body: dict[str, Any], param: str) -> None:
    async with RunningGateway(tmp_path) as gateway:
        refused = await gateway.post(PATH, body)
        assert (refused.status, refused.json()["error"]["param"]) == (400, param)
        empty = await gateway.post(PATH, b"")
        assert (empty.status, empty.json()["metadata"]) == (200, {})
