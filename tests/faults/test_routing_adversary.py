"""Keys that try for more than they may have, and callers that try to spoil it for others, through a running gateway."""

import asyncio
import json
import logging
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from anykey.administration.configs import put_config
from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import create_key
from tests.fakes.answers import CHAT, PATHS, answering, failing
from tests.fakes.gateway import RunningGateway, WireReply
from tests.fakes.wire import RecordedCall, WireConnection, WireServer

CONFIG = """
[providers.cheap]
kind = "custom"
protocol = "openai_chat"
base_url = "{cheap}/v1"
api_key = {{ env = "LAB_KEY" }}
[providers.dear]
kind = "custom"
protocol = "openai_chat"
base_url = "{dear}/v1"
api_key = {{ env = "LAB_KEY" }}
[models.small]
deployments = ["cheap/small"]
[models.both]
deployments = ["cheap/m", "dear/m"]
"""
SECRET = "brought-by-the-caller-77"
RESPONSES = "/v1/responses"


class Lab(NamedTuple):
    gateway: RunningGateway
    cheap: WireServer
    dear: WireServer

    async def ask(self, model: str, headers: dict[str, str] | None = None, **more: Any) -> WireReply:
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}], **more}
        return await self.gateway.post(PATHS[CHAT], body, {**self.gateway.headers(), **(headers or {})})

    def key(self, **routing: Any) -> dict[str, str]:
        made = create_key(self.gateway.home, "caller", fields=KeyFields(**routing))
        return {"authorization": f"Bearer {made.text}"}


async def well(call: RecordedCall, connection: WireConnection) -> None:
    await answering(CHAT)(call, connection)


async def sluggish(call: RecordedCall, connection: WireConnection) -> None:
    await asyncio.sleep(0.2)
    await well(call, connection)


async def wary(call: RecordedCall, connection: WireConnection) -> None:
    """Repeats a credential that it does not like."""
    shown = call.header("authorization") or ""
    if "good" in shown:
        await well(call, connection)
        return
    status = 400 if "odd" in shown else 401
    await failing(status, {"error": {"message": f"what is {shown}?", "type": "invalid_request_error"}})(
        call, connection
    )


@asynccontextmanager
async def laboratory(directory: Path, cheap: Any = well) -> AsyncGenerator[Lab]:
    async with WireServer(cheap) as first, WireServer(well) as second:
        config = CONFIG.format(cheap=first.url, dear=second.url)
        async with RunningGateway(directory, config) as gateway:
            yield Lab(gateway, first, second)


def inline(**config: Any) -> dict[str, str]:
    return {"x-anykey-config": json.dumps(config)}


@pytest.mark.parametrize(
    ("model", "config"), [("small", "{}"), ("gpt-9", '{"targets": [{}]}'), ("small", '{"model": "gpt-9"}')]
)
async def test_a_config_does_not_make_a_provider_of_the_header_allowed(tmp_path: Path, model: str, config: str) -> None:
    async with laboratory(tmp_path) as lab:
        caller = lab.key(allowed_models=("small", "gpt-*"))
        reply = await lab.ask(model, {**caller, "x-anykey-provider": "dear", "x-anykey-config": config})
    assert (reply.status, len(lab.dear.calls)) == (403, 0)


async def test_a_header_does_not_lead_an_operator_s_config_to_a_model_that_is_not_allowed(tmp_path: Path) -> None:
    async with laboratory(tmp_path) as lab:
        put_config(lab.gateway.home, "house", b'{"model": "small"}')
        caller = lab.key(allowed_models=("dear/tiny", "tiny"), config="house")
        async with asyncio.timeout(5):
            while (plain := await lab.ask("tiny", caller)).status != 200:  # until the config is in force
                await asyncio.sleep(0.05)
        led = await lab.ask("tiny", {**caller, "x-anykey-provider": "dear"})
    assert (plain.headers["x-anykey-deployment"], led.status, len(lab.dear.calls)) == ("cheap/small", 403, 0)


@pytest.mark.parametrize("hurry", [{"x-anykey-timeout": "20"}, inline(provider="cheap", model="m", request_timeout=20)])
async def test_an_impatient_caller_does_not_open_a_circuit_for_others(tmp_path: Path, hurry: dict[str, str]) -> None:
    async with laboratory(tmp_path, sluggish) as lab:
        for _ in range(6):
            await lab.ask("both", hurry)
        patient = await lab.ask("both")
    assert (patient.status, patient.headers["x-anykey-provider"]) == (200, "cheap")


async def test_a_bad_key_at_a_custom_host_is_its_caller_s_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with laboratory(tmp_path, wary) as lab:
        put_config(lab.gateway.home, "own", json.dumps({"custom_host": f"{lab.cheap.url}/v1"}).encode())
        async with asyncio.timeout(5):
            while (await lab.ask("small", {"x-anykey-config": "own", "x-anykey-upstream-key": "good-0"})).status != 200:
                await asyncio.sleep(0.05)
        told: list[WireReply] = []
        for key in (SECRET, f"odd-{SECRET}", "good-1"):
            told.append(await lab.ask("small", {"x-anykey-config": "own", "x-anykey-upstream-key": key}))
        rows = await lab.gateway.rows(3)
    assert [reply.status for reply in told] == [502, 400, 200]
    assert SECRET not in caplog.text + repr(rows) + repr(told)


@pytest.mark.parametrize("name", ["previous_response_id", "conversation", "background"])
async def test_a_config_cannot_go_on_from_what_another_key_keeps(tmp_path: Path, name: str) -> None:
    async with laboratory(tmp_path) as lab:
        reply = await lab.ask("small", inline(override_params={name: "resp_of_another_key"}))
    assert (reply.status, lab.cheap.calls) == (400, [])
    assert name in reply.json()["error"]["message"]


async def test_a_model_of_a_config_cannot_break_the_answer_s_headers(tmp_path: Path) -> None:
    async with laboratory(tmp_path) as lab:
        bare = await lab.ask("small", inline(provider="cheap", model="x\r\nset-cookie: a=b"))
        hidden = await lab.ask("small", inline(provider="cheap", override_params={"model": "x\r\nset-cookie: a=b"}))
    assert [(reply.status, "set-cookie" in reply.headers) for reply in (bare, hidden)] == [(400, False), (400, False)]


async def test_a_number_beyond_all_floats_is_compared_all_the_same(tmp_path: Path) -> None:
    conditions = [{"query": {"params.max_tokens": {"$gt": 5}}, "then": "many"}]
    config = {
        "strategy": {"mode": "conditional", "conditions": conditions, "default": "few"},
        "targets": [{"name": "many", "provider": "dear", "model": "m"}, {"name": "few"}],
    }
    async with laboratory(tmp_path) as lab:
        reply = await lab.ask("small", inline(**config), max_tokens=10**400)
    assert (reply.status, len(lab.dear.calls)) == (200, 1)


async def test_a_kept_response_is_gone_on_with_by_the_model_that_is_asked_for(tmp_path: Path) -> None:
    answer: dict[str, Any] = {"object": "response", "created_at": 5, "status": "completed", "output": []}

    async def keeps(call: RecordedCall, connection: WireConnection) -> None:
        await connection.json(200, {"id": "resp_1", "model": call.json()["model"], **answer})

    async with WireServer(keeps) as keeper, WireServer(keeps) as other:
        door = (
            '[providers.{}]\nkind = "custom"\nprotocol = "openai_responses"\nbase_url = "{}/v1"\nnative_state = true\n'
        )
        config = door.format("keeper", keeper.url) + door.format("other", other.url)
        async with RunningGateway(tmp_path, config) as gateway:

            async def ask(model: str, **more: Any) -> WireReply:
                return await gateway.post(RESPONSES, {"model": model, "input": "x", **more})

            await ask("keeper/large")
            with sqlite3.connect(gateway.home.path / "anykey.db") as database:
                database.execute("""UPDATE api_keys SET allowed_models = '["keeper/small", "other/small"]'""")
                database.execute("UPDATE key_generation SET value = value + 1")
            async with asyncio.timeout(5):
                while (await ask("keeper/large")).status != 403:
                    await asyncio.sleep(0.05)
            small = await ask("keeper/small", previous_response_id="resp_1")
            elsewhere = await ask("other/small", previous_response_id="resp_1")
    assert (small.status, keeper.calls[-1].json()["model"]) == (200, "small")
    assert (elsewhere.status, other.calls) == (400, [])
