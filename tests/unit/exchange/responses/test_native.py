"""Providers that keep their own state: requests go out untouched, and each key reaches its own responses only."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from anykey.administration.keys import create_key
from tests.fakes.gateway import RunningGateway
from tests.fakes.wire import RecordedCall, WireConnection, WireServer
from tests.unit.providers.auth.keys import authorized_user

PATH = "/v1/responses"
ITEM = {"type": "message", "id": "msg_9", "role": "assistant", "status": "completed"}
SAID: dict[str, Any] = {**ITEM, "content": [{"type": "output_text", "text": "hello", "annotations": []}]}
USAGE = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
ANSWER: dict[str, Any] = {
    "id": "resp_9",
    "object": "response",
    "created_at": 5,
    "status": "completed",
    "model": "m",
    "output": [SAID],
}
CONFIG = """
[providers.keeper]
kind = "custom"
protocol = "openai_responses"
base_url = "{url}/v1"
api_key = {{ env = "LAB_KEY" }}
native_state = {native}
{dialect}
[models."test-model"]
deployments = ["keeper/upstream-model", "keeper/other"]
"""


class Lab(NamedTuple):
    upstream: WireServer
    gateway: RunningGateway
    stranger: dict[str, str]

    @property
    def asked(self) -> list[tuple[str, str]]:
        return [(call.method, call.target) for call in self.upstream.calls]


async def keeps(call: RecordedCall, connection: WireConnection) -> None:
    """A provider that has one response."""
    if call.method == "POST" and call.target == PATH:
        await connection.json(200, {**ANSWER, "usage": USAGE})
    elif "stream=true" in call.target:
        await connection.sse_start()
        await connection.sse('event: response.completed\ndata: {"type":"response.completed"}\n\n')
        await connection.sse_end()
    elif call.method == "DELETE":
        await connection.json(200, {"id": "resp_9", "object": "response", "deleted": True})
    else:
        await connection.json(200, {"seen": call.target})


@asynccontextmanager
async def running(directory: Path, *, native: bool = True, dialect: str = "") -> AsyncGenerator[Lab]:
    async with WireServer(keeps) as upstream:
        config = CONFIG.format(url=upstream.url, native=str(native).lower(), dialect=dialect)
        async with RunningGateway(directory, config) as gateway:
            key = create_key(gateway.home, "stranger").text
            yield Lab(upstream, gateway, {"authorization": f"Bearer {key}"})


def body(**fields: Any) -> bytes:
    return json.dumps({"model": "upstream-model", "input": "hi", **fields}).encode()


async def test_a_call_goes_out_untouched_and_is_continued_where_it_is(tmp_path: Path) -> None:
    async with running(tmp_path) as lab:
        asked = body(model="keeper/upstream-model", background=True)
        made = await lab.gateway.post(PATH, asked)
        more = await lab.gateway.post(PATH, body(model="test-model", previous_response_id="resp_9"))
    assert (made.status, made.json()["id"], more.status) == (200, "resp_9", 200)
    first, second = [call.json() for call in lab.upstream.calls]
    assert first == json.loads(body(background=True))
    assert (second["previous_response_id"], second["input"]) == ("resp_9", "hi")
    assert "store" not in second


async def test_the_operator_s_word_is_stronger_than_what_the_provider_is_said_to_know(tmp_path: Path) -> None:
    partly = "[providers.keeper.dialect.openai_responses]\nverbatim = false"
    async with running(tmp_path, dialect=partly) as lab:
        asked = body(model="keeper/upstream-model", client_metadata={"a": "b"}, store=True)
        assert (await lab.gateway.post(PATH, asked)).status == 200
    assert lab.upstream.calls[0].json() == json.loads(body(client_metadata={"a": "b"}, store=True))


async def test_a_response_is_continued_by_the_deployment_that_has_it(tmp_path: Path) -> None:
    async with running(tmp_path) as lab:
        for fields in ({"model": "keeper/other"}, {"model": "test-model", "previous_response_id": "resp_9"}):
            assert (await lab.gateway.post(PATH, body(**fields))).status == 200
    assert [call.json()["model"] for call in lab.upstream.calls] == ["other", "other"]


async def test_its_verbs_are_asked_of_the_provider(tmp_path: Path) -> None:
    async with running(tmp_path) as lab:
        await lab.gateway.post(PATH, body(model="test-model"))
        found = await lab.gateway.get(f"{PATH}/resp_9?include=a&key={lab.gateway.key}")
        items = await lab.gateway.get(f"{PATH}/resp_9/input_items?limit=5")
        stopped = await lab.gateway.post(f"{PATH}/resp_9/cancel", b"")
        stream = await lab.gateway.get(f"{PATH}/resp_9?stream=true&starting_after=3")
        gone = await lab.gateway.request("DELETE", f"{PATH}/resp_9")
        after = await lab.gateway.get(f"{PATH}/resp_9")
    assert found.json() == {"seen": f"{PATH}/resp_9?include=a"}
    assert items.json() == {"seen": f"{PATH}/resp_9/input_items?limit=5"}
    assert stopped.json() == {"seen": f"{PATH}/resp_9/cancel"}
    assert b"event: response.completed" in stream.body
    assert lab.asked[4] == ("GET", f"{PATH}/resp_9?stream=true&starting_after=3")
    assert (gone.json()["deleted"], after.status) == (True, 404)
    assert {call.header("authorization") for call in lab.upstream.calls} == {"Bearer lab-secret"}


async def test_another_key_gets_nowhere(tmp_path: Path) -> None:
    async with running(tmp_path) as lab:
        await lab.gateway.post(PATH, body(model="test-model"))
        for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/input_items")):
            assert (await lab.gateway.request(method, f"{PATH}/resp_9{path}", b"", lab.stranger)).status == 404
        continued = body(model="test-model", previous_response_id="resp_9")
        referred = body(model="test-model", input=[{"type": "item_reference", "id": "msg_9"}])
        for asked, status in ((continued, 400), (referred, 404)):
            refused = await lab.gateway.post(PATH, asked, lab.stranger)
            assert refused.status == status
        assert (await lab.gateway.post(PATH, referred)).status == 200
    assert lab.asked == [("POST", PATH)] * 2


async def test_without_the_setting_the_provider_is_told_to_keep_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, native=False) as lab:
        made = await lab.gateway.post(PATH, body(model="test-model"))
        found = await lab.gateway.get(f"{PATH}/resp_9")
    asked = lab.upstream.calls[0].json()
    assert (asked["store"], asked["include"]) == (False, ["reasoning.encrypted_content"])
    assert (made.json()["store"], found.json()) == (True, made.json())
    assert lab.asked == [("POST", PATH)]


@pytest.mark.parametrize(
    "refusal", [(400, {"error": "invalid_grant"}), (503, {}), None], ids=["refused", "ill", "gone"]
)
async def test_a_lookup_without_an_access_token_fails_as_any_call_does(
    tmp_path: Path, refusal: tuple[int, Any] | None, caplog: pytest.LogCaptureFixture
) -> None:
    """``None``: who gives out tokens hangs up."""
    granting = True

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        if call.target != "/token":
            await keeps(call, connection)
        elif granting:
            await connection.json(200, {"access_token": "t-0", "expires_in": 60})
        elif refusal is not None:
            await connection.json(*refusal)
        else:
            connection.reset()

    async with WireServer(script) as upstream:
        account = authorized_user(token_uri=f"{upstream.url}/token", quota_project_id=None).reveal()
        plain = CONFIG.format(url=upstream.url, native="true", dialect="")
        config = plain.replace("native_state", 'auth = "google_oauth"\nnative_state')
        async with RunningGateway(tmp_path, config, {"LAB_KEY": account}) as gateway:
            assert (await gateway.post(PATH, body(model="keeper/upstream-model"))).status == 200
            granting = False
            looked_up = await gateway.get(f"{PATH}/resp_9")
            asked = await gateway.post(PATH, body(model="keeper/upstream-model"))
    assert (looked_up.status, looked_up.json()["error"]) == (asked.status, asked.json()["error"])
    assert looked_up.status == (424 if refusal == (400, {"error": "invalid_grant"}) else 502)
    assert {one.headers["x-anykey-deployment"] for one in (looked_up, asked)} == {"keeper/upstream-model"}
    assert "failed inside the gateway" not in caplog.text


async def test_a_provider_that_repeats_its_credential_is_not_repeated(tmp_path: Path) -> None:
    async def tells(call: RecordedCall, connection: WireConnection) -> None:
        if call.method == "POST":
            await keeps(call, connection)
        else:
            await connection.json(400, {"error": {"message": f"no such {call.header('authorization')}"}})

    async with WireServer(tells) as upstream:
        config = CONFIG.format(url=upstream.url, native="true", dialect="")
        async with RunningGateway(tmp_path, config, {"LAB_KEY": "canary-of-twenty-one"}) as gateway:
            await gateway.post(PATH, body(model="test-model"))
            told = await gateway.get(f"{PATH}/resp_9")
    assert (told.status, "no such" in told.json()["error"]["message"]) == (400, True)
    assert b"canary" not in told.body
