"""A memory in a test's own directory, and a gateway that has nothing else."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from anykey.accounts.keys import ApiKey
from anykey.exchange.gateway import Gateway
from anykey.exchange.ports import Keys, Recorder
from anykey.exchange.responses.asked import Asked
from anykey.exchange.responses.keeper import Keeper
from anykey.exchange.responses.memory import ResponseMemory
from anykey.exchange.responses.recording import Final
from anykey.routing.snapshot import Snapshot
from anykey.settings.records import ResponsesSettings
from anykey.storage.migrate import open_database
from anykey.upstream.client import UpstreamClient

NOW = 1_800_000_000.0
DAY_S = 86_400
MINE = ApiKey(id="k1", name="mine", digest=b"", last4="", created_at=0)
THEIRS = ApiKey(id="k2", name="theirs", digest=b"", last4="", created_at=0)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def remembering(directory: Path, clock: Clock | None = None, **settings: Any) -> AsyncGenerator[ResponseMemory]:
    """A memory that has begun."""
    directory.mkdir(exist_ok=True)
    memory = ResponseMemory(open_database(directory), ResponsesSettings(**settings), clock or Clock())
    await memory.begin()
    try:
        yield memory
    finally:
        await memory.aclose()


def gateway_with(memory: ResponseMemory | None) -> Gateway:
    """A gateway of which only the memory may be used."""
    return Gateway(
        snapshot=cast("Snapshot", None),
        keys=cast("Keys", None),
        pepper=b"",
        upstream=cast("UpstreamClient", None),
        recorder=cast("Recorder", None),
        keepalive_s=1,
        memory=memory,
    )


def said(text: str, role: str = "assistant") -> dict[str, Any]:
    """A message as an item."""
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def final(name: str, *output: dict[str, Any], status: str = "completed") -> Final:
    """A response as a client was told it."""
    response = {"id": name, "status": status, "created_at": int(NOW), "output": list(output)}
    return Final(name, status, int(NOW), json.dumps(response).encode(), [json.dumps(item).encode() for item in output])


async def keep(memory: ResponseMemory, asked: Asked, question: str, told: Final, key: ApiKey = MINE) -> bool:
    """Keep the response to one request."""
    return await Keeper(memory, key.id, asked, [json.dumps(said(question, "user")).encode()]).keep(told)
