"""The built-in model is started when it is first needed, and stays where it is."""

from pathlib import Path

import pytest

from anykey.server.built_in import BuiltIn
from anykey.settings import Settings, load_settings


def configured(folder: Path, **environ: str) -> Settings:
    return load_settings({"ANYKEY_HOME": str(folder), **environ})


async def test_it_is_at_one_address_whatever_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built_in = BuiltIn()
    try:
        without = configured(tmp_path, OPENAI_API_KEY="k")
        assert await built_in.join(without) is without
        first = await built_in.join(configured(tmp_path))
        assert first.providers[0].endpoints[0].base_url.startswith("http://127.0.0.1:")
        assert first.providers[0].credential is not None
        assert await built_in.join(without) is without
        assert await built_in.join(configured(tmp_path)) == first
    finally:
        await built_in.stop()


async def test_one_that_never_started_stops(tmp_path: Path) -> None:
    built_in = BuiltIn()
    await built_in.join(configured(tmp_path, OPENAI_API_KEY="k"))
    await built_in.stop()
