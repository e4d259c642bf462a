"""From a call to its plan: what its key may, and what its headers direct."""

from pathlib import Path
from typing import Any

import pytest

from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import create_key, find_key, update_key
from tests.fakes.answers import CHAT, MODEL, PATHS, answering, config, request, rows_left
from tests.fakes.gateway import RunningGateway, WireReply
from tests.fakes.wire import WireServer

MORE = """
[models."other-model"]
deployments = ["lab1/other"]
[groups.second]
providers = ["lab1"]
[groups.steered]
config = "steer"
[groups.tiered]
scenarios = { longContext = "other-model" }
long_context_tokens = 1000
[configs.steer]
targets = [{ provider = "lab1", model = "steered" }]
"""


class Two:
    """A gateway before two upstreams of one protocol."""

    def __init__(self, gateway: RunningGateway, first: WireServer, second: WireServer) -> None:
        self.gateway, self.first, self.second = gateway, first, second

    def key(self, name: str, **routing: Any) -> dict[str, str]:
        """The headers of a new key."""
        text = create_key(self.gateway.home, name, fields=KeyFields(**routing)).text
        return {"authorization": f"Bearer {text}", "content-type": "application/json"}

    async def ask(self, headers: dict[str, str], model: str = "test-model", **more: Any) -> WireReply:
        return await self.gateway.post(PATHS[CHAT], request(CHAT, **more) | {"model": model}, headers)

    def models(self) -> list[list[str]]:
        """What each upstream was asked for."""
        return [[call.json()["model"] for call in server.calls] for server in (self.first, self.second)]


@pytest.fixture
async def two(tmp_path: Path) -> Any:
    async with WireServer(answering(CHAT)) as first, WireServer(answering(CHAT)) as second:
        text = config((CHAT, first.url), (CHAT, second.url)) + MORE
        async with RunningGateway(tmp_path, text) as gateway:
            yield Two(gateway, first, second)


async def test_a_key_of_no_group_goes_where_it_always_did(two: Two) -> None:
    assert (await two.ask(two.gateway.headers())).status == 200
    assert two.models() == [[MODEL], []]
    (row,) = await rows_left(two.gateway)
    assert (row.group_name, row.route, row.scenario) == ("default", "public_name", None)


async def test_a_groups_providers_and_its_config(two: Two) -> None:
    assert (await two.ask(two.key("a", group="second"))).status == 200
    assert (await two.ask(two.key("b", group="steered"))).status == 200
    assert two.models() == [[], [MODEL, "steered"]]


async def test_a_long_call_of_a_tiered_group(two: Two) -> None:
    long: dict[str, Any] = {"messages": [{"role": "user", "content": "word and word " * 1000}]}
    assert (await two.ask(two.key("a", group="tiered"), **long)).status == 200
    assert (await two.ask(two.key("b", group="tiered"))).status == 200
    assert two.models() == [[MODEL], ["other"]]
    rows = await two.gateway.rows(2)
    assert {(row.scenario, row.group_name) for row in rows} == {("longContext", "tiered"), (None, "tiered")}


async def test_a_name_that_the_key_may_not_ask_for(two: Two) -> None:
    headers = two.key("a", allowed_models=("test-*",))
    reply = await two.ask(headers, "other-model")
    assert reply.status == 403
    assert reply.json()["error"]["code"] == "model_not_allowed"
    assert "The key does not allow the model 'other-model'" in reply.json()["error"]["message"]
    listed = await two.gateway.get("/v1/models", headers)
    assert [entry["id"] for entry in listed.json()["data"]] == ["test-model"]
    assert two.models() == [[], []]


async def test_a_changed_key_counts_for_the_next_call(two: Two) -> None:
    headers = two.key("a")
    assert (await two.ask(headers, "other-model")).status == 200
    update_key(two.gateway.home, "a", KeyFields(allowed_models=("test-*",)))
    assert (await two.ask(headers, "other-model")).status == 403
    update_key(two.gateway.home, "a", KeyFields(allowed_models=(), group="second"))
    assert find_key(two.gateway.home, "a").allowed_models is None
    assert (await two.ask(headers)).status == 200
    assert two.models() == [[], ["other", MODEL]]


async def test_headers_direct_a_call(two: Two) -> None:
    headers = two.gateway.headers()
    assert (await two.ask({**headers, "x-anykey-provider": "@lab1"}, "seed")).status == 200
    assert (await two.ask({**headers, "x-anykey-config": "steer"})).status == 200
    inline = '{"provider": "lab1", "override_params": {"model": "inline"}}'
    assert (await two.ask({**headers, "x-portkey-config": inline})).status == 200
    assert two.models() == [[], ["seed", "steered", "inline"]]


@pytest.mark.parametrize(
    ("headers", "status", "said"),
    [
        ({"x-anykey-provider": "nobody"}, 404, "There is no provider 'nobody' here"),
        ({"x-anykey-config": "nowhere"}, 400, "there is no gateway config 'nowhere' here"),
        ({"x-anykey-config": '{"strategy": {"mode": "x"}}'}, 400, "x-anykey-config"),
        ({"x-anykey-region": "mars"}, 400, "lab0 has no region mars"),
    ],
)
async def test_directions_that_cannot_be_followed(two: Two, headers: dict[str, str], status: int, said: str) -> None:
    reply = await two.ask({**two.gateway.headers(), **headers})
    assert (reply.status, said in reply.json()["error"]["message"]) == (status, True), reply.body
    assert two.models() == [[], []]


async def test_an_inline_config_is_no_way_around_the_keys_list(two: Two) -> None:
    headers = two.key("a", allowed_models=("test-model",))
    inline = '{"provider": "lab1", "override_params": {"model": "other"}}'
    assert (await two.ask({**headers, "x-anykey-config": inline})).status == 403
    assert two.models() == [[], []]
