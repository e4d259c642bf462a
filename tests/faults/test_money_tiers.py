"""Which service tier is paid: the one that the answer names, whatever was asked for; in all four protocols, whole and as a
stream, word for word and translated. What is held is what the dearest tier costs that may be granted."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.fakes.agents import GEMINI, RESPONSES
from tests.fakes.answers import CHAT, MESSAGES
from tests.fakes.fault_scripts import TEXT, asks_for_stream, hear
from tests.fakes.gateway import RunningGateway
from tests.fakes.money import ANSWER_NANO, OUTPUT_NANO, ChargeRow, allow, price_everything, settled
from tests.fakes.wire import RecordedCall, WireConnection, WireServer
from tests.faults.lanes import FOUR, LANES, SHORT, Lane
from tests.faults.test_matrix import provider
from tests.sdk.said import text

pytestmark = pytest.mark.asyncio(loop_scope="module")

CARD = b'model = "*"\ninput = "3.7"\noutput = "11.3"\ntier_factors = { flex = "0.5", priority = "2", fast = "6" }\n'
SHARES: dict[str, tuple[int, int]] = {"flex": (1, 2), "priority": (2, 1), "fast": (6, 1)}
"""Of the standard price."""


def with_tier(value: Any, protocol: str, tier: str) -> Any:
    """A part of an answer, with the tier where this protocol has it."""
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType] - whatever JSON there is
        return [with_tier(item, protocol, tier) for item in items]
    if not isinstance(value, dict):
        return value
    fields: dict[str, Any] = {key: with_tier(item, protocol, tier) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if protocol == GEMINI and "usageMetadata" in fields:
        said = {"trafficType": f"ON_DEMAND_{tier.upper()}"} if tier == "flex" else {"serviceTier": tier}
        fields["usageMetadata"] = {**fields["usageMetadata"], **said}
    if protocol == MESSAGES and "input_tokens" in fields:
        fields |= {"service_tier": "standard", "speed": tier} if tier == "fast" else {"service_tier": tier}
    if fields.get("object") in ("chat.completion", "chat.completion.chunk"):
        fields["service_tier"] = tier
    if fields.get("object") == "response":
        fields["service_tier"] = "auto" if fields["status"] == "in_progress" else tier
    return fields


async def answer(call: RecordedCall, connection: WireConnection) -> None:
    """Hello world, in the tier that the model is called after; `none` names none."""
    heard = hear(call)
    tier, said = heard.model.partition(".")[0], text(heard.protocol, TEXT)
    if tier == "none":
        said_whole, events = said.whole, list(said.stream)
    else:
        said_whole = with_tier(said.whole, heard.protocol, tier)
        events = [
            "".join(_line(line, heard.protocol, tier) for line in event.splitlines(keepends=True))
            for event in said.stream
        ]
    if not asks_for_stream(call):
        await connection.json(200, said_whole)
        return
    await connection.sse_start()
    await connection.sse(*events)
    await connection.sse_end()


def _line(line: str, protocol: str, tier: str) -> str:
    if not line.startswith("data: {"):
        return line
    body = line[6:].rstrip("\r\n")
    return f"data: {json.dumps(with_tier(json.loads(body), protocol, tier))}{line[6 + len(body) :]}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningGateway]:
    folder: Path = tmp_path_factory.mktemp("tiers")
    price_everything(folder, CARD)
    async with WireServer(answer) as server:
        lines = ["[server]", "environment_providers = false", "discovery_hours = 0"]
        for protocol in FOUR:
            lines += provider(SHORT[protocol], protocol, server.url, "LAB_KEY")
        async with RunningGateway(folder, "\n".join([*lines, ""])) as running:
            allow(running)
            yield running


async def ask(gateway: RunningGateway, lane: Lane, model: str, **more: Any) -> ChargeRow:
    """One call's charge."""
    said: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]
    body: dict[str, Any] = {"model": model, "stream": lane.stream, **more}
    if lane.client == GEMINI:
        verb = "streamGenerateContent?alt=sse" if lane.stream else "generateContent"
        path, body = (
            f"/v1beta/models/{model}:{verb}",
            {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], **more},
        )
    elif lane.client == RESPONSES:
        path, body = "/v1/responses", {**body, "input": said}
    else:
        path = "/v1/chat/completions" if lane.client == CHAT else "/v1/messages"
        body |= {"messages": said, "max_tokens": 64}
    reply = await gateway.post(path, body)
    assert reply.status == 200, reply.body
    (charge,) = await settled(gateway.home, reply.headers["x-anykey-request-id"])
    return charge


@pytest.mark.parametrize("tier", ["flex", "priority", "fast", "standard", "default", "on_demand", "none"])
@pytest.mark.parametrize("lane", LANES, ids=str)
async def test_the_tier_of_the_answer_is_paid(gateway: RunningGateway, lane: Lane, tier: str) -> None:
    above, below = SHARES.get(tier, (1, 1))
    for protocol in FOUR:
        charge = await ask(gateway, lane, f"{SHORT[protocol]}/{tier}.{lane}")
        told = (charge.state, charge.basis, charge.cost_nano)
        assert told == ("settled", "upstream", ANSWER_NANO * above // below), (protocol, charge)


@pytest.mark.parametrize("lane", LANES, ids=str)
async def test_what_is_asked_for_and_not_granted_pays_the_whole(gateway: RunningGateway, lane: Lane) -> None:
    name = "serviceTier" if lane.client == GEMINI else "service_tier"
    charge = await ask(gateway, lane, f"{SHORT[lane.client]}/default.asked.{lane}", **{name: "flex"})
    assert charge.cost_nano == ANSWER_NANO
    assert charge.reserved_nano >= 64 * OUTPUT_NANO  # as if nobody had asked for less


@pytest.mark.parametrize("stream", [False, True])
async def test_what_may_be_granted_is_held(gateway: RunningGateway, stream: bool) -> None:
    """`auto` may become any tier, and `speed` is a tier too; a tier that is asked for may be the one."""
    lane = Lane(MESSAGES, stream)
    plain = await ask(gateway, lane, "messages/priority.plain")
    for more, times in (({"service_tier": "auto"}, 6), ({"speed": "fast"}, 6), ({"service_tier": "priority"}, 2)):
        charge = await ask(gateway, lane, "messages/priority.held", **more)
        assert charge.cost_nano == 2 * ANSWER_NANO
        assert times <= charge.reserved_nano / plain.reserved_nano < 1.2 * times  # the body is a little longer
