"""A configuration file that is looked at while it is written."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.server.test_reload import Bench, working

pytestmark = pytest.mark.usefixtures("brisk")


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anykey.server.reload.LOOK_EVERY_S", 0.01)


async def test_half_a_file_is_not_put_to_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = "[providers.openai]\napi_key = { env = 'K' }\n[providers.groq]\napi_key = { env = 'K' }\n"
    read = Bench.load

    def torn(bench: Bench) -> Any:
        settings = read(bench)
        if bench.file.read_text() == "":
            bench.file.write_text(whole)  # its writer goes on as soon as it was read
        return settings

    async with working(tmp_path) as bench:
        monkeypatch.setattr(bench.reloader, "_sources", bench.reloader._sources._replace(load=lambda: torn(bench)))  # pyright: ignore[reportPrivateUsage]
        before = len(bench.taken.snapshots)
        bench.file.write_text("")
        await bench.until(lambda: "groq" in bench.taken.names())
    assert all("openai" in snapshot.by_name for snapshot in bench.taken.snapshots[before:])
