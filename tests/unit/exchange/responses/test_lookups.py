"""Stored responses over HTTP: found, listed, streamed again, and never found by the wrong question."""

from pathlib import Path

from tests.fakes.answers import CHAT, answering
from tests.fakes.gateway import RunningGateway, lab
from tests.fakes.wire import WireServer

PATH = "/v1/responses"


async def test_a_stored_response_by_all_its_verbs(tmp_path: Path) -> None:
    async with WireServer(answering(CHAT)) as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
        made = await gateway.post(PATH, {"model": "test-model", "input": "hi"})
        name = made.json()["id"]
        assert name == "resp_" + made.headers["x-anykey-request-id"].removeprefix("req_")
        found = await gateway.get(f"{PATH}/{name}?include=reasoning.encrypted_content")
        assert (found.status, found.json()) == (200, made.json())
        items = (await gateway.get(f"{PATH}/{name}/input_items?limit=1")).json()
        assert ([item["content"][0]["text"] for item in items["data"]], items["has_more"]) == (["hi"], False)
        assert (await gateway.get(f"{PATH}/{name}/input_items?limit=0")).json()["error"]["param"] == "limit"
        assert (await gateway.get(f"{PATH}/{name}?stream=true")).status == 400
        assert (await gateway.post(f"{PATH}/{name}/cancel", b"")).status == 400
        gone = await gateway.request("DELETE", f"{PATH}/{name}")
        assert gone.json() == {"id": name, "object": "response", "deleted": True}
        for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/input_items"), ("POST", "/cancel")):
            missing = await gateway.request(method, f"{PATH}/{name}{path}")
            assert missing.status == 404
            assert missing.json()["error"]["message"] == f"Response with id '{name}' not found."
            assert missing.headers["x-request-id"].startswith("req_")


async def test_a_background_response_is_streamed_from_any_place(tmp_path: Path) -> None:
    async with WireServer(answering(CHAT)) as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
        asked = {"model": "test-model", "input": "hi", "background": True, "stream": True}
        whole = (await gateway.post(PATH, asked)).body
        name = whole.partition(b'"id":"')[2].partition(b'"')[0].decode()
        frames = whole.split(b"\n\n")[:-1]
        for after in (-1, 0, len(frames) - 2, len(frames), 10**6):
            rest = await gateway.get(f"{PATH}/{name}?stream=true&starting_after={after}")
            assert rest.body.split(b"\n\n")[:-1] == frames[after + 1 :]
        assert (await gateway.get(f"{PATH}/{name}?stream=true&starting_after=x")).status == 400
        gone = await gateway.request("DELETE", f"{PATH}/{name}")
        assert gone.status == 200


async def test_a_key_is_needed(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path) as gateway:
        for method, path in (("GET", "/resp_1"), ("DELETE", "/resp_1"), ("POST", ""), ("POST", "/compact")):
            assert (await gateway.request(method, PATH + path, b"{}", {})).status == 401
