"""Two `anykey up` on one data directory: what one hears of an upstream, the other heeds."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.fakes.answers import CHAT, PATHS, TEXT, answering, config, failing, told_text
from tests.fakes.gateway import read_reply
from tests.fakes.program import program
from tests.fakes.wire import WireServer

SLOW_DOWN = failing(429, {"error": {"message": "slow down"}}, (("retry-after", "30"),))
HEARD_WITHIN_S = 2.0
CALL = b'{"model":"test-model","messages":[{"role":"user","content":"hi"}]}'


async def asked(port: int, key: str) -> str:
    """The provider that answers a call."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST {PATHS[CHAT]} HTTP/1.1\r\nhost: a\r\nx-api-key: {key}\r\ncontent-length: {len(CALL)}\r\n\r\n"
    writer.write(head.encode() + CALL)
    reply = await read_reply(reader)
    writer.close()
    assert (reply.status, told_text(CHAT, reply)) == (200, TEXT)
    return reply.headers["x-anykey-provider"]


async def status(home: Path) -> list[dict[str, Any]]:
    """What `anykey providers status` tells an operator."""
    environ = {**os.environ, "ANYKEY_HOME": str(home / "home"), "LAB_KEY": "lab-secret"}
    arguments = ("-m", "anykey", "providers", "status", "--config", str(home / "anykey.toml"), "--json")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=environ, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(printed)


async def test_a_rest_that_one_process_is_told_of_is_kept_by_the_other(tmp_path: Path) -> None:
    async with WireServer(answering(CHAT)) as first, WireServer(answering(CHAT)) as second:
        doors = config((CHAT, first.url), (CHAT, second.url))
        async with program(tmp_path, doors) as (_, port, key), program(tmp_path, doors, key=key) as (_, other_port, _):
            # Both are well, and the other one's first choice is the same.
            assert [await asked(port, key), await asked(other_port, key)] == ["lab0", "lab0"]
            first.script = SLOW_DOWN
            assert await asked(port, key) == "lab1"
            await asyncio.sleep(HEARD_WITHIN_S)
            calls = len(first.calls)
            assert [await asked(other_port, key) for _ in range(3)] == ["lab1"] * 3
            assert len(first.calls) == calls == 3
            health = {view["credential"]: view for view in await status(tmp_path)}
    resting, well = health["lab0#default"], health["lab1#default"]
    assert (resting["state"], resting["failure"], well["state"]) == ("resting", "rate_limited", "well")
    assert 25_000 < resting["until_ms"] - resting["since_ms"] <= 30_000
