"""Over the wire: hosted tools that are refused or left out, stop sequences that the gateway keeps."""

from pathlib import Path
from typing import Any

import pytest

from tests.fakes.answers import CHAT, MESSAGES, answering, ask, config, ended_normally, records, told_text, wired
from tests.fakes.gateway import RunningGateway
from tests.fakes.wire import WireServer

SEARCH: dict[str, Any] = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}
TOOL: dict[str, Any] = {"name": "read", "description": "Reads.", "input_schema": {"type": "object", "properties": {}}}


@pytest.mark.parametrize("stream", [False, True])
async def test_a_fifth_stop_sequence_is_kept_by_the_gateway(tmp_path: Path, stream: bool) -> None:
    stops = ["1", "2", "3", "4", "wo"]
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        reply = await ask(gateway, MESSAGES, stop_sequences=stops, stream=stream)
        row = (await gateway.rows())[0]
    assert server.calls[0].json()["stop"] == stops[:4]
    assert told_text(MESSAGES, reply) == "Hello "
    if stream:
        assert ended_normally(MESSAGES, reply.body)
        ends = [record.fields["delta"] for record in records(reply.body) if record.name == "message_delta"]
    else:
        ends = [reply.json()]
    assert (ends[0]["stop_reason"], ends[0]["stop_sequence"]) == ("stop_sequence", "wo")
    assert (row.finish, row.input_tokens, row.output_tokens) == ("stop_sequence", 7, 3)
    assert row.losses == ("emulated:stop",)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_blank_one_ends_a_messages_answer(tmp_path: Path, stream: bool) -> None:
    async with wired(tmp_path, MESSAGES, answering(MESSAGES)) as (gateway, server):
        reply = await ask(gateway, CHAT, stop=["END", " "], stream=stream)
    assert server.calls[0].json()["stop_sequences"] == ["END"]
    assert told_text(CHAT, reply) == "Hello"


async def test_a_hosted_tool_is_left_out_where_others_remain(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        reply = await ask(gateway, MESSAGES, tools=[SEARCH, TOOL])
    assert reply.status == 200
    assert [tool["function"]["name"] for tool in server.calls[0].json()["tools"]] == ["read"]
    assert "dropped:tools" in reply.headers["x-anykey-losses"]


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [SEARCH]},
        {"tools": [SEARCH, TOOL], "tool_choice": {"type": "tool", "name": "web_search"}},
    ],
)
async def test_but_not_if_it_is_needed(tmp_path: Path, more: dict[str, Any]) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        reply = await ask(gateway, MESSAGES, **more)
    assert (reply.status, server.calls) == (400, [])
    assert "web_search_20250305" in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("of_provider", "of_model", "status"),
    [("reject", None, 400), ("drop", "reject", 400), ("reject", "drop", 200), ("drop", None, 200)],
)
async def test_the_settings_decide_and_are_named(
    tmp_path: Path, of_provider: str, of_model: str | None, status: int
) -> None:
    async with WireServer(answering(CHAT)) as server:
        text = config((CHAT, server.url)).replace('kind = "custom"', f'kind = "custom"\nhosted_tools = "{of_provider}"')
        text += f'hosted_tools = "{of_model}"\n' if of_model else ""
        async with RunningGateway(tmp_path, text) as gateway:
            reply = await ask(gateway, MESSAGES, tools=[SEARCH, TOOL])
    assert reply.status == status
    if status == 400:
        told = reply.json()["error"]["message"]
        setting = 'models."test-model".hosted_tools' if of_model else "providers.lab0.hosted_tools"
        assert setting in told
        assert "test-model" in told
