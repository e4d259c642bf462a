"""The base URL as people write it, the list of models, and counting tokens."""

from pathlib import Path

import pytest

from tests.fakes.answers import CHAT, MESSAGES, PROTOCOLS, TEXT, answering
from tests.fakes.wire import reply_json
from tests.sdk.lab import running

UPSTREAMS = pytest.mark.parametrize("upstream", PROTOCOLS)
SUFFIXES = ["", "/", "/v1", "/v1/", "/v1/v1"]


async def test_openai_with_any_base_url(tmp_path: Path) -> None:
    async with running(tmp_path, MESSAGES, answering(MESSAGES)) as lab:
        for suffix in (*SUFFIXES, "/openai/v1"):
            client = lab.openai.with_options(base_url=lab.gateway.url + suffix)
            answer = await client.chat.completions.create(
                model="test-model", messages=[{"role": "user", "content": "hi"}]
            )
            assert answer.choices[0].message.content == TEXT, suffix
            assert (await client.models.list()).data[0].id == "test-model", suffix


async def test_anthropic_with_any_base_url(tmp_path: Path) -> None:
    async with running(tmp_path, CHAT, answering(CHAT)) as lab:
        for suffix in (*SUFFIXES, "/anthropic", "/anthropic/v1"):
            client = lab.anthropic.with_options(base_url=lab.gateway.url + suffix)
            answer = await client.messages.create(
                model="test-model", max_tokens=64, messages=[{"role": "user", "content": "hi"}]
            )
            assert [block.text for block in answer.content if block.type == "text"] == [TEXT], suffix
            assert (await client.models.list()).data[0].id == "test-model", suffix


@UPSTREAMS
async def test_models(tmp_path: Path, upstream: str) -> None:
    """One address, and each SDK gets the list in its own shape."""
    async with running(tmp_path, upstream, answering(upstream)) as lab:
        first = (await lab.openai.models.list()).data[0]
        assert (first.id, first.object) == ("test-model", "model")
        assert (await lab.openai.models.retrieve("test-model")).id == "test-model"
        shown = [model async for model in lab.anthropic.models.list(limit=1)]
        assert (shown[0].id, shown[0].type) == ("test-model", "model")
        assert (await lab.anthropic.models.retrieve("test-model")).display_name == "test-model"
        assert lab.upstream.calls == []


@UPSTREAMS
async def test_count_tokens(tmp_path: Path, upstream: str) -> None:
    """Counted by the gateway where the upstream has no such endpoint; more text is more tokens."""
    async with running(tmp_path, upstream, reply_json({"type": "error"}, 404)) as lab:
        short = await lab.anthropic.messages.count_tokens(
            model="test-model", messages=[{"role": "user", "content": "hi"}]
        )
        long = await lab.anthropic.messages.count_tokens(
            model="test-model", messages=[{"role": "user", "content": "a good deal more than that " * 20}]
        )
        assert 1 <= short.input_tokens < 20 < long.input_tokens < 400
