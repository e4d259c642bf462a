"""A running gateway says where a call would go, to admin keys alone, and sends nothing."""

from pathlib import Path
from typing import Any

import pytest

from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import create_key
from tests.fakes.answers import CHAT, answering
from tests.fakes.gateway import RunningGateway, WireReply, lab
from tests.fakes.wire import WireServer

URL = "/admin/v1/routes/explain"
MORE = """
[models.large]
deployments = ["lab/large-model"]
[groups.default]
scenarios = { longContext = "large" }
long_context_tokens = 1000
[groups.small]
models = ["large"]
"""


async def explained(gateway: RunningGateway, admin: str, **said: Any) -> WireReply:
    headers = {"authorization": f"Bearer {admin}", "content-type": "application/json"}
    return await gateway.post(URL, said, headers)


async def test_an_admin_is_told_the_plan_and_nobody_is_called(tmp_path: Path) -> None:
    async with WireServer(answering(CHAT)) as server, RunningGateway(tmp_path, lab(CHAT, server.url) + MORE) as gateway:
        admin = create_key(gateway.home, "admin", fields=KeyFields(admin=True)).text
        create_key(gateway.home, "poor", fields=KeyFields(group="small"))
        short = await explained(gateway, admin, model="test-model")
        body = {"model": "test-model", "messages": [{"role": "user", "content": "word " * 4000}]}
        long = await explained(gateway, admin, protocol="chat", body=body)
        poor = await explained(gateway, admin, model="test-model", key="poor")
    assert [step["deployment"] for step in short.json()["plan"]["steps"]] == ["lab/upstream-model"]
    assert (long.status, long.json()["plan"]["scenario"]) == (200, "longContext")
    assert "more than 1,000" in " ".join(long.json()["plan"]["reasons"])
    assert poor.json()["plan"] is None
    assert poor.json()["refusal"]["code"] == "model_not_allowed"
    assert not server.calls


async def test_nobody_else_is(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path) as gateway:
        stranger = await explained(gateway, "ak-nobody", model="demo")
        user = await explained(gateway, gateway.key, model="demo")
        got = await gateway.get(URL, gateway.headers())
    assert (stranger.status, user.status, got.status) == (401, 403, 405)
    assert user.json()["error"]["code"] == "permission_denied"


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({}, "model"),
        ({"model": "demo", "protocol": "smoke"}, "protocol"),
        ({"model": "demo", "roll": 1}, "roll"),
        ({"model": "demo", "key": "nobody"}, "key"),
        ({"model": "demo", "headers": {"x-anykey-config": "{"}}, "x-anykey-config"),
        ({"model": 1}, None),
        ({"modell": "demo"}, None),
    ],
)
async def test_what_is_asked_wrongly_is_named(tmp_path: Path, said: dict[str, Any], param: str | None) -> None:
    async with RunningGateway(tmp_path) as gateway:
        admin = create_key(gateway.home, "admin", fields=KeyFields(admin=True)).text
        reply = await explained(gateway, admin, **said)
    assert (reply.status, reply.json()["error"]["param"]) == (400, param)
