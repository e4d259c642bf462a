"""The jobs beside a gateway begin with it and end with it."""

import asyncio
from pathlib import Path

from tests.fakes.gateway import RunningGateway


def running() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks()}


async def test_all_run_and_none_is_left(tmp_path: Path) -> None:
    before = running()
    async with RunningGateway(tmp_path):
        begun = running() - before
        assert {"retention", "webhooks", "discovery"} <= begun
    assert not running() & {"retention", "webhooks", "discovery"}
