"""Three tool turns over every pair of protocols: each upstream gets its own state back, byte for byte."""

from pathlib import Path

import pytest

from anykey.protocols.catalog import CODECS
from tests.fakes.agents import GEMINI, RESPONSES, Agent, script_turn, signature_of, state_sent
from tests.fakes.answers import CHAT, answering
from tests.fakes.gateway import RunningGateway
from tests.fakes.thinking import SIGNATURE, doors
from tests.fakes.wire import WireServer

CROSSED = [(client, upstream) for client in CODECS for upstream in CODECS if client != upstream]
DETAILS = 'reasoning_details = true\necho_reasoning = "always"\nreasoning_field = "reasoning"'


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("client", "upstream"), CROSSED)
async def test_three_tool_turns_keep_the_upstreams_state(
    tmp_path: Path, client: str, upstream: str, stream: bool
) -> None:
    async with (
        WireServer(answering(CHAT)) as server,
        RunningGateway(tmp_path, doors((upstream, server), chat=DETAILS)) as gateway,
    ):
        agent = Agent(gateway, client, stream=stream)
        for turn in range(4):
            script_turn(server, upstream, turn)
            await agent.turn()
    made = [signature_of(turn) if upstream in (GEMINI, RESPONSES) else SIGNATURE for turn in range(3)]
    assert state_sent(upstream, server.calls[3]) == made
